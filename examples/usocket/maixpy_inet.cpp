// MaixPy's inet_ntop and inet_pton (001): binary addresses as text, and back.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::print, usocket::repr;

int main() try {
    using namespace std::literals;
    print(repr(usocket::inet_ntop(usocket::AF_INET, "\x7f\0\0\1"sv))); // four bytes, two of them 0
    print(usocket::inet_pton(usocket::AF_INET, "1.2.3.4"));
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
