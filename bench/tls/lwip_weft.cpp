// Both ends of TLS over lwIP's loopback: one direction in bulk, and how long the longest turn of
// the loop was in handshakes: one step of cryptography at each end.
//
//     tls_lwip_weft CERTIFICATE KEY BYTES HANDSHAKES

#include "../lwip/clock_driver.hpp"
#include "certificate.hpp"

#include <weft/lwip.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/when_all.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace {

using clock_type = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

std::array<std::byte, 16384> out;
std::array<std::byte, 16384> in;

struct ends {
    weft::tls_stream server;
    weft::tls_stream client;
};

weft::task<ends> meet(
    weft::stack& net, weft::tcp_listener& listener, const weft::tls_context& server,
    const weft::tls_context& client) {
    auto plain = co_await weft::when_all(listener.accept(), net.connect(*listener.local()));
    auto met = co_await weft::when_all(
        weft::tls_stream::server(server, std::move(*std::get<0>(plain))),
        weft::tls_stream::client(client, std::move(*std::get<1>(plain)), ""));
    if (!std::get<0>(met) || !std::get<1>(met)) {
        bench::fail("handshake", "failed");
    }
    co_return ends{std::move(*std::get<0>(met)), std::move(*std::get<1>(met))};
}

weft::task<> sink(weft::tcp_stream& peer, std::uint64_t total) {
    while (total > 0) {
        auto n = co_await peer.recv(in);
        if (!n || *n == 0 || in[0] != std::byte{'w'}) {
            bench::fail("recv", "the stream ended early, or is another");
        }
        total -= *n;
    }
}

weft::task<> source(weft::tcp_stream& peer, std::uint64_t total) {
    while (total > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(total, out.size()));
        auto sent = co_await peer.send_all(std::span(out).first(n));
        if (!sent) {
            bench::fail("send", weft::message(sent.error()));
        }
        total -= n;
    }
}

weft::task<> bulk(ends& peers, std::uint64_t total) {
    auto both = co_await weft::when_all(sink(peers.client, total), source(peers.server, total));
    static_cast<void>(both);
}

/// Turns until `work` is done; the longest of them.
template <class T>
T turn_by_turn(weft::loop& loop, weft::task<T> work, seconds& longest) {
    weft::result<T> got = weft::fail(weft::errc::in_progress);
    bool done = false;
    weft::task_group group(loop);
    static_cast<void>(
        group.spawn([](weft::task<T> inner, weft::result<T>& into, bool& over) -> weft::task<> {
            auto value = co_await std::move(inner);
            into = std::move(value);
            over = true;
        }(std::move(work), got, done)));
    while (!done) {
        const auto begin = clock_type::now();
        static_cast<void>(loop.poll());
        longest = std::max(longest, seconds(clock_type::now() - begin));
    }
    return std::move(*got);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        bench::fail(argv[0], "usage: CERTIFICATE KEY BYTES HANDSHAKES");
    }
    const auto total = bench::number<std::uint64_t>(argv[3], "BYTES");
    const auto handshakes = bench::number<unsigned>(argv[4], "HANDSHAKES");
    out.fill(std::byte{'w'});
    const weft::tls_context server = bench::server_context(argv[1], argv[2]);
    const auto client = weft::tls_context::client({.verify = weft::tls_verify::none});
    bench::clock_driver driver;
    weft::loop loop(driver);
    auto net = weft::make_lwip_stack(loop, {});
    if (!net || !client) {
        bench::fail("lwIP", "or a context cannot be had");
    }
    auto listener = (*net)->listen({weft::address::loopback(), 443});
    if (!listener) {
        bench::fail("listen", weft::message(listener.error()));
    }
    // the shortest of the longest: what else runs on the machine makes turns longer, never shorter
    seconds longest = seconds::max();
    ends peers;
    for (unsigned i = 0; i < handshakes; ++i) {
        seconds of_this{};
        peers = turn_by_turn(loop, meet(**net, *listener, server, *client), of_this);
        longest = std::min(longest, of_this);
    }
    const auto begin = clock_type::now();
    auto done = weft::sync_wait(loop, bulk(peers, total));
    const seconds took = clock_type::now() - begin;
    if (!done) {
        bench::fail("bulk", weft::message(done.error()));
    }
    std::printf(
        "{\"gbps\": %.3f, \"longest_turn_us\": %.0f}\n",
        static_cast<double>(total) * 8 / took.count() / 1e9, longest.count() * 1e6);
}
