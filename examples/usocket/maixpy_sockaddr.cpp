// MaixPy's "socket address format" (001): getaddrinfo makes the address that connect takes, of
// names and of numbers. The document connects to the last one, 127.0.0.1, port 80; its print is
// ours.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::print;

int main() try {
    auto sock = usocket::socket();
    auto sockaddr = usocket::getaddrinfo("www.micropython.org", 80)[0][-1];
    print(sockaddr);
    // You must use getaddrinfo() even for numeric addresses
    sockaddr = usocket::getaddrinfo("127.0.0.1", 80)[0][-1];
    print(sockaddr);
    // Now you can use that address
    sock.connect(sockaddr);
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
