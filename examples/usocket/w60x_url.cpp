// W60x's getaddrinfo (002): connects to the web server of a name, and prints nothing.
#include <usocket/usocket.hpp>

#include <cstdio>

int main() try {
    auto s = usocket::socket();
    s.connect(usocket::getaddrinfo("www.micropython.org", 80)[0][-1]);
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
