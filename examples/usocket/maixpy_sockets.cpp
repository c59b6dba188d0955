// MaixPy's two kinds of socket (001), which K230's documents (003, 004) have in the same words.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::AF_INET, usocket::SOCK_DGRAM, usocket::SOCK_STREAM, usocket::socket;

int main() try {
    // Create STREAM TCP socket
    socket(AF_INET, SOCK_STREAM);
    // Create DGRAM UDP socket
    socket(AF_INET, SOCK_DGRAM);
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
