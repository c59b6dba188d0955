// W60x's "socket address format" (002): the same two look-ups as MaixPy's, and a connection to the
// result, 127.0.0.1, port 80; its print is ours.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::print;

int main() try {
    auto sock = usocket::socket();
    // a name's address
    auto sockaddr = usocket::getaddrinfo("www.micropython.org", 80)[0][-1];
    print(sockaddr);
    // even an IP address has to go through getaddrinfo()
    sockaddr = usocket::getaddrinfo("127.0.0.1", 80)[0][-1];
    print(sockaddr);
    // using the address
    sock.connect(sockaddr);
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
