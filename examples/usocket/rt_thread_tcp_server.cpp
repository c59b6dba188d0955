// RT-Thread's "TCP Server example" (000): a server on 192.168.12.32, port 6001, takes one
// connection and shows up to ten bytes of what it says. Here the board's address is given to the
// machine first
// (`ip address add 192.168.12.32/24 dev ...`), or lwIP has it:
// WEFT_STACK=lwip:tap0+192.168.12.32/24.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::print;

int main() try {
    usocket::socket s(usocket::AF_INET, usocket::SOCK_STREAM); // Create STREAM TCP socket
    s.bind({"192.168.12.32", 6001});
    s.listen(5);
    s.setblocking(true);
    auto [sock, addr] = s.accept();
    print(sock.recv(10));
    s.close();
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
