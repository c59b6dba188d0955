// RT-Thread's "TCP Client example" (000): says "micropython" to 192.168.10.110, port 6000, and
// shows how many bytes that were: 11.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::print;

int main() try {
    usocket::socket s(usocket::AF_INET, usocket::SOCK_STREAM);
    s.connect({"192.168.10.110", 6000});
    print(s.send("micropython"));
    s.close();
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
