// One direction over lwIP's loopback, both ends weft coroutines that copy.
//
//     lwip_bulk_weft BYTES

#include "../host/server.hpp"
#include "clock_driver.hpp"

#include <weft/lwip.hpp>
#include <weft/sync_wait.hpp>
#include <weft/when_all.hpp>

#include <array>
#include <chrono>

namespace {

constexpr std::size_t chunk = 16384;
std::array<std::byte, chunk> out;
std::array<std::byte, chunk> in;

weft::task<> sink(weft::tcp_listener& listener, std::uint64_t total) {
    auto peer = co_await listener.accept();
    if (!peer) {
        bench::fail("accept", weft::message(peer.error()));
    }
    std::uint64_t received = 0;
    while (received < total) {
        auto n = co_await peer->recv(in);
        if (!n || *n == 0) {
            bench::fail("recv", "the stream ended early");
        }
        received += *n;
    }
    if (in[0] != std::byte{'w'}) {
        bench::fail("recv", "the bytes that came out differ");
    }
}

weft::task<> source(weft::stack& net, weft::endpoint to, std::uint64_t total) {
    auto peer = co_await net.connect(to);
    if (!peer) {
        bench::fail("connect", weft::message(peer.error()));
    }
    while (total != 0) {
        const std::size_t n = total < chunk ? static_cast<std::size_t>(total) : chunk;
        auto sent = co_await peer->send_all(std::span(out).first(n));
        if (!sent) {
            bench::fail("send", weft::message(sent.error()));
        }
        total -= n;
    }
    // keeps the connection until the other end has taken all
    auto end = co_await peer->recv(std::span(out).first(1));
    static_cast<void>(end);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        bench::fail(argv[0], "usage: BYTES");
    }
    const auto total = bench::number<std::uint64_t>(argv[1], argv[1]);
    out.fill(std::byte{'w'});
    bench::clock_driver driver;
    weft::loop loop(driver);
    auto net = weft::make_lwip_stack(loop, {});
    if (!net) {
        bench::fail("lwIP", weft::message(net.error()));
    }
    const weft::endpoint at{weft::address::loopback(), 7};
    auto listener = (*net)->listen(at);
    if (!listener) {
        bench::fail("listen", weft::message(listener.error()));
    }
    const auto begin = std::chrono::steady_clock::now();
    auto both = weft::sync_wait(
        loop, weft::as_task(weft::when_all(sink(*listener, total), source(**net, at, total))));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (!both) {
        bench::fail("bulk", weft::message(both.error()));
    }
    std::printf(
        "{\"bytes\": %llu, \"seconds\": %.6f, \"gbps\": %.3f}\n",
        static_cast<unsigned long long>(total), took.count(),
        static_cast<double>(total) * 8 / took.count() / 1e9);
}
