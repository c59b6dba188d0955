// MaixPy's two ways to wait for one second (001): settimeout(), after which read() may fail with
// ETIMEDOUT, and a poller, which may find nothing. W60x (002) and K230 (003) have the same example.
// The document does not say to whom `s` is connected: here to www.micropython.org, which waits for
// a question.
#include <usocket/usocket.hpp>

#include <cstdio>

using usocket::print;

void timeout(usocket::socket& s) try {
    // Instead of:
    s.settimeout(1.0); // time in seconds
    print(s.read(10)); // may timeout
} catch (const usocket::OSError& e) {
    print("OSError:", e.args[0]);
}

void poll(usocket::socket& s) {
    // Use:
    auto poller = uselect::poll();
    poller.register_(s, uselect::POLLIN);
    auto res = poller.poll(1000); // time in milliseconds
    if (res.empty()) {
        print("s is still not ready for input, i.e. operation timed out");
    } else {
        print("ready:", res[0].is(s), res[0].events);
    }
}

int main() try {
    auto s = usocket::socket();
    s.connect(usocket::getaddrinfo("www.micropython.org", 80)[0][-1]);
    timeout(s);
    poll(s);
} catch (const usocket::OSError& e) {
    std::fprintf(stderr, "OSError: %s\n", e.what());
    return 1;
}
