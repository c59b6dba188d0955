// K230's example (003): writes ten lines to 10.100.228.5, port 60000, one each 0.2 s, and shows
// what getaddrinfo gave and how many bytes each line was.
#include <usocket/usocket.hpp>

#include <cstdio>
#include <string>

using usocket::print;

constexpr int PORT = 60000;

void client() {
    namespace socket = usocket;
    namespace time = usocket::utime;
    // the address and port
    auto ai = socket::getaddrinfo("10.100.228.5", PORT);
    print("Address infos:", ai);
    auto addr = ai[0][-1];

    print("Connect address:", addr);
    // a socket
    auto s = socket::socket(socket::AF_INET, socket::SOCK_STREAM, 0);
    // connects to the address
    s.connect(addr);

    for (int i = 0; i < 10; ++i) {
        const auto str = "K230 tcp client send test " + std::to_string(i) + " \r\n";
        print(str.c_str());
        // sends the text
        print(s.write(str));
        time::sleep(0.2);
    }
    // one second later
    time::sleep(1);
    // the socket is closed
    s.close();
    print("end");
}

int main() try { client(); } catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
