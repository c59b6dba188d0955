// MaixPy's "download a picture and show it" (001): asks dl.sipeed.com for Alice.bmp, takes what
// comes until the server ends the connection, cuts the header off and writes the picture to
// /sd/Alice.bmp, or to the file that the one argument names. The board's Wi-Fi and display are left
// out.
#include <usocket/usocket.hpp>

#include <cstdio>
#include <fstream>
#include <string>

namespace socket = usocket;
using usocket::print;

int main(int argc, char** argv) try {
    const std::string path = argc > 1 ? argv[1] : "/sd/Alice.bmp";
    auto sock = socket::socket();
    auto addr = socket::getaddrinfo("dl.sipeed.com", 80)[0][-1];
    sock.connect(addr);
    sock.send(R"(GET /MAIX/MaixPy/assets/Alice.bmp HTTP/1.1
Host: dl.sipeed.com
cache-control: no-cache

)");

    std::string img;
    sock.settimeout(5);
    while (true) {
        auto data = sock.recv(4096);
        if (data.size() == 0) {
            break;
        }
        print("rcv:", data.size());
        img += data;
    }

    print(img.size());
    img = img.substr(img.find("\r\n\r\n") + 4);
    print(img.size());
    print("save to", path.c_str());
    std::ofstream f(path, std::ios::binary);
    f.write(img.data(), static_cast<std::streamsize>(img.size()));
    f.close();
    print(f ? "save ok" : "not saved");
    return f ? 0 : 1;
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
