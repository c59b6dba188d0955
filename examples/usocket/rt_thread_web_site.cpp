// RT-Thread's "connect to a web site example" (000): looks www.micropython.org up and connects to
// its web server. Like the document it says nothing there, and prints nothing.
#include <usocket/usocket.hpp>

#include <cstdio>

namespace socket = usocket; // the document has imported the module under this name

int main() try {
    auto s = socket::socket();
    s.connect(socket::getaddrinfo("www.micropython.org", 80)[0][-1]);
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
