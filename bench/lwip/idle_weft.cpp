// What an accepted idle connection costs over lwIP: weft's socket and the coroutine that waits in
// it, beside lwIP's pcb. The buffer of an idle server is the caller's and shared here.
//
//     lwip_idle_weft CONNECTIONS
//
// Prints `ready` when all are accepted, then waits for the end of its input.

#include "../host/server.hpp"
#include "clock_driver.hpp"
#include "idle_clients.h"

#include <weft/lwip.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>

#include <array>
#include <cstdio>

namespace {

std::array<std::byte, 64> buffer;

weft::task<> serve(weft::tcp_stream peer) {
    while (true) {
        auto n = co_await peer.recv(buffer);
        if (!n || *n == 0) {
            co_return;
        }
        auto sent = co_await peer.send_all(buffer.data(), *n);
        if (!sent) {
            co_return;
        }
    }
}

weft::task<> hold(weft::stack& net, std::uint64_t wanted) {
    const weft::endpoint at{weft::address::loopback(), 7};
    auto listener = net.listen(at, 255);
    if (!listener) {
        bench::fail("listen", weft::message(listener.error()));
    }
    weft::task_group peers(net.loop());
    for (std::uint64_t i = 0; i < wanted; ++i) {
        if (idle_client_connect() == 0) {
            bench::fail("connect", "lwIP has no pcb left");
        }
        auto peer = co_await listener->accept();
        if (!peer) {
            bench::fail("accept", weft::message(peer.error()));
        }
        static_cast<void>(peers.spawn(serve(std::move(*peer))));
    }
    while (idle_clients_established() < wanted) {
        auto next = co_await weft::yield();
        static_cast<void>(next);
    }
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    peers.cancel();
    auto joined = co_await peers.join();
    static_cast<void>(joined);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        bench::fail(argv[0], "usage: CONNECTIONS");
    }
    bench::clock_driver driver;
    weft::loop loop(driver);
    auto net = weft::make_lwip_stack(loop, {});
    if (!net) {
        bench::fail("lwIP", weft::message(net.error()));
    }
    auto done = weft::sync_wait(loop, hold(**net, bench::number<std::uint64_t>(argv[1], argv[1])));
    if (!done) {
        bench::fail("hold", weft::message(done.error()));
    }
}
