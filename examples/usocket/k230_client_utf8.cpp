// K230's example in its later document (004): the same client whose lines are Chinese. Text is sent
// in UTF-8, and the counts are bytes.
#include <usocket/usocket.hpp>

#include <cstdio>
#include <string>

using usocket::print;

constexpr int PORT = 60000;

void client() {
    namespace socket = usocket;
    namespace time = usocket::utime;
    // the IP address and port
    auto ai = socket::getaddrinfo("10.100.228.5", PORT);
    print("地址信息:", ai);
    auto addr = ai[0][-1];

    print("连接地址:", addr);
    // a socket object
    auto s = socket::socket(socket::AF_INET, socket::SOCK_STREAM, 0);
    // connects to that address
    s.connect(addr);

    for (int i = 0; i < 10; ++i) {
        const auto msg = "K230 TCP 客户端发送测试 " + std::to_string(i) + " \r\n";
        print(msg.c_str());
        // sends a string
        print(s.write(msg));
        time::sleep(0.2);
    }

    // closes the socket one second later
    time::sleep(1);
    s.close();
    print("结束");
}

int main() try { client(); } catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
