// MaixPy's "send a picture" (001): /sd/Alice.bmp, or the file that the one argument names, goes to
// 192.168.0.183, port 3456, in pieces of 2,048 bytes. Like the document it ignores what send()
// returns: with a timeout send() takes all, or fails.
#include <usocket/usocket.hpp>

#include <array>
#include <cstdio>
#include <fstream>
#include <string_view>

namespace socket = usocket;

int main(int argc, char** argv) try {
    const usocket::sockaddr addr("192.168.0.183", 3456);
    auto sock = socket::socket();
    sock.connect(addr);
    sock.settimeout(5);

    std::ifstream f(argc > 1 ? argv[1] : "/sd/Alice.bmp", std::ios::binary);
    std::array<char, 2048> room;
    while (true) {
        f.read(room.data(), room.size());
        const std::string_view img(room.data(), static_cast<std::size_t>(f.gcount()));
        if (img.size() == 0) {
            break;
        }
        sock.send(img);
    }
    f.close();
    sock.close();
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
