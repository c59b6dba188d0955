// Echo of 64 bytes over lwIP's loopback, both ends weft coroutines that copy, in one loop.
//
//     lwip_echo_weft ROUND_TRIPS

#include "../host/server.hpp"
#include "clock_driver.hpp"
#include "settling.h"

#include <weft/lwip.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>

#include <array>
#include <cstring>

#include <unistd.h>

namespace {

constexpr std::size_t message_size = 64;

weft::task<> serve(weft::tcp_stream peer) {
    std::array<std::byte, 1024> buffer;
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

weft::task<> accept_one(weft::tcp_listener& listener, weft::task_group& group) {
    auto peer = co_await listener.accept();
    if (!peer) {
        bench::fail("accept", weft::message(peer.error()));
    }
    static_cast<void>(peer->set_no_delay(true));
    static_cast<void>(group.spawn(serve(std::move(*peer))));
}

weft::task<> ping(weft::stack& net, weft::endpoint to, std::uint64_t round_trips) {
    auto connected = co_await net.connect(to);
    if (!connected) {
        bench::fail("connect", weft::message(connected.error()));
    }
    weft::tcp_stream server = std::move(*connected);
    static_cast<void>(server.set_no_delay(true));
    std::array<std::byte, message_size> message;
    std::array<std::byte, message_size> answer;
    message.fill(std::byte{'w'});
    for (int i = 0; i < bench_settling_turns; ++i) {
        ::usleep(bench_settling_us);
        auto turned = co_await weft::yield();
        static_cast<void>(turned);
    }
    for (std::uint64_t i = 0; i < round_trips; ++i) {
        std::memcpy(message.data(), &i, sizeof i);
        auto sent = co_await server.send_all(message);
        auto got = co_await server.read_exactly(answer);
        if (!sent || !got || std::memcmp(message.data(), answer.data(), message_size) != 0) {
            bench::fail("echo", "the bytes that came back differ");
        }
    }
}

weft::task<> both(weft::stack& net, std::uint64_t round_trips) {
    const weft::endpoint at{weft::address::loopback(), 7};
    auto listener = net.listen(at);
    if (!listener) {
        bench::fail("listen", weft::message(listener.error()));
    }
    weft::task_group group(net.loop());
    static_cast<void>(group.spawn(accept_one(*listener, group)));
    auto done = co_await ping(net, at, round_trips);
    if (!done) {
        bench::fail("ping", weft::message(done.error()));
    }
    auto joined = co_await group.join();
    static_cast<void>(joined);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        bench::fail(argv[0], "usage: ROUND_TRIPS");
    }
    bench::clock_driver driver;
    weft::loop loop(driver);
    auto net = weft::make_lwip_stack(loop, {});
    if (!net) {
        bench::fail("lwIP", weft::message(net.error()));
    }
    auto done = weft::sync_wait(loop, both(**net, bench::number<std::uint64_t>(argv[1], argv[1])));
    if (!done) {
        bench::fail("echo", weft::message(done.error()));
    }
}
