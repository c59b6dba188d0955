// MaixPy's getaddrinfo (001): connects to www.micropython.org without and with the filter that
// makes sure of an address for streams. In C++ the constants need their module's name, as in Python
// they would.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::SOCK_STREAM;

void any_type() {
    auto s = usocket::socket();
    // This assumes that if "type" is not specified, an address for
    // SOCK_STREAM will be returned, which may be not true
    s.connect(usocket::getaddrinfo("www.micropython.org", 80)[0][-1]);
}

void streams() {
    auto s = usocket::socket();
    // Guaranteed to return an address which can be connect'ed to for
    // stream operation.
    s.connect(usocket::getaddrinfo("www.micropython.org", 80, 0, SOCK_STREAM)[0][-1]);
}

int main() try {
    any_type();
    streams();
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
