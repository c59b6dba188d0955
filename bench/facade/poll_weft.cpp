// uselect's poll over SOCKETS sockets of which one is ready: ROUNDS times a datagram is sent,
// polled for and received. What a round costs must not grow with SOCKETS.
//
//     facade_poll_weft ROUNDS SOCKETS
#include <usocket/usocket.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::atol(argv[1]) : 1000;
    const long sockets = argc > 2 ? std::atol(argv[2]) : 10;
    usocket::socket sender(usocket::AF_INET, usocket::SOCK_DGRAM);
    std::vector<usocket::socket> all;
    auto poller = uselect::poll();
    for (long i = 0; i != sockets; ++i) {
        all.emplace_back(usocket::AF_INET, usocket::SOCK_DGRAM);
        all.back().bind({"127.0.0.1", 0});
        poller.register_(all.back(), uselect::POLLIN);
    }
    usocket::socket& one = all[all.size() / 2];
    const usocket::sockaddr to = one.getsockname();
    std::byte room[16];
    for (long i = 0; i != rounds; ++i) {
        sender.sendto("ping", to);
        int ready = 0;
        for (const uselect::ready& each : poller.ipoll()) {
            ready += each.is(one) ? 1 : 0;
        }
        if (ready != 1 || one.readinto(room).value_or(0) != 4) {
            std::fprintf(stderr, "round %ld\n", i);
            return 2;
        }
    }
    return 0;
}
