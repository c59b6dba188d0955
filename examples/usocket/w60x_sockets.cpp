// W60x's two kinds of socket (002), after `from usocket import *`.
#include <usocket/usocket.hpp>

#include <cstdio>

using namespace usocket;

int main() try {
    // a TCP socket
    socket(AF_INET, SOCK_STREAM);
    // a UDP socket
    socket(AF_INET, SOCK_DGRAM);
} catch (const OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
