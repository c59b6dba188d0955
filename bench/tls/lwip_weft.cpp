// Both ends of TLS over lwIP's loopback: one direction in bulk, and how long the longest call of
// mbedTLS was in a handshake, of each end.
//
//     tls_lwip_weft CERTIFICATE KEY BYTES HANDSHAKES

#include "../lwip/clock_driver.hpp"
#include "certificate.hpp"
#include "steps.hpp"

#include <weft/lwip.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/when_all.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

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

/// The median of what each handshake's longest took: others run on the machine, too.
struct longest_calls {
    std::vector<bench::step> seen;

    bench::step median() {
        const auto middle = seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2);
        std::nth_element(seen.begin(), middle, seen.end(), [](const auto& one, const auto& other) {
            return one.took < other.took;
        });
        return *middle;
    }
};

} // namespace

std::int64_t bench::clock_of_steps() noexcept {
    return clock_type::now().time_since_epoch().count();
}

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
    longest_calls of_client;
    longest_calls of_server;
    ends peers;
    for (unsigned i = 0; i < handshakes; ++i) {
        auto met = weft::sync_wait(loop, meet(**net, *listener, server, *client));
        peers = std::move(*met);
        of_client.seen.push_back(bench::longest_step(false));
        of_server.seen.push_back(bench::longest_step(true));
    }
    const auto begin = clock_type::now();
    auto done = weft::sync_wait(loop, bulk(peers, total));
    const seconds took = clock_type::now() - begin;
    if (!done) {
        bench::fail("bulk", weft::message(done.error()));
    }
    const bench::step client_s = of_client.median();
    const bench::step server_s = of_server.median();
    std::printf(
        "{\"gbps\": %.3f, \"client_us\": %.0f, \"client_in\": \"%s\", \"server_us\": %.0f, "
        "\"server_in\": \"%s\"}\n",
        static_cast<double>(total) * 8 / took.count() / 1e9,
        static_cast<double>(client_s.took) / 1e3, client_s.message,
        static_cast<double>(server_s.took) / 1e3, server_s.message);
}
