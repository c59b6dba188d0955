// open_connection: the connection's own error, and no socket left behind (run() counts them).
#include "peers.hpp"

#include <algorithm>
#include <tuple>

namespace uasyncio_test {
namespace {

task<> refused(world& w, family f) {
    const result<weft::tcp_socket*> opened = w.server_net().open_tcp(f);
    REQUIRE(error_of(opened) == errc::ok);
    const weft::tcp_stream holder(*opened); // bound and not listening: nobody else gets the port
    REQUIRE(error_of((*opened)->bind(endpoint{w.server_address(f), 0})) == errc::ok);
    const result<endpoint> at = holder.local();
    REQUIRE(error_of(at) == errc::ok);
    const std::string host = host_of(at->address);
    for (int times = 0; times < 3; ++times) {
        const std::size_t before = w.open_sockets();
        auto peer = co_await uasyncio::open_connection(w.client_net(), host, at->port);
        CHECK(error_of(peer) == errc::connection_refused);
        auto turned = co_await weft::yield();
        (void)turned;
        CHECK(w.open_sockets() == before);
    }
}
TEST_CASE("open_connection to a port where nobody listens: connection_refused, no socket left") {
    run_both(refused);
}

task<> no_route(world& w) {
    auto peer = co_await uasyncio::open_connection(w.client_net(), "198.51.100.77", 7);
    CHECK(error_of(peer) == errc::network_unreachable);
}
TEST_CASE("open_connection where no route leads: network_unreachable") {
    if (!here().known().isolated) {
        parity::skip(
            "this machine may not make a network namespace, and its own routes are its own");
        return;
    }
    run(no_route);
}

task<> nobody_answers(world& w) {
    const std::string host = host_of(w.nobody(family::ipv4));
    auto peer = co_await uasyncio::open_connection(w.client_net(), host, 7);
    const errc told = error_of(peer);
    CHECK((told == errc::host_unreachable || told == errc::timed_out));
}
TEST_CASE("open_connection to an address that no host has: host_unreachable or timed_out") {
    if (!here().known().nobody_is_noticed) {
        parity::skip("loopback has no neighbours");
        return;
    }
    run(nobody_answers);
}

task<> cancelled(world& w, family f) {
    weft::tcp_listener full = parity::listen(w, f, 1);
    const result<endpoint> at = full.local();
    REQUIRE(error_of(at) == errc::ok);
    std::vector<stream> queued;
    errc told = errc::ok;
    while (told == errc::ok && queued.size() < 16) { // until nobody is let in any more
        const std::size_t before = w.open_sockets();
        auto peer = co_await weft::timeout(
            uasyncio::open_connection(w.client_net(), *at), w.settling() * 4);
        told = error_of(peer);
        if (peer) {
            queued.push_back(std::move(*peer));
        } else {
            auto turned = co_await weft::yield();
            (void)turned;
            CHECK(w.open_sockets() == before);
        }
    }
    CHECK(told == errc::timed_out);
    auto won = co_await weft::when_any(
        uasyncio::open_connection(w.client_net(), *at), weft::sleep_for(moment(w)));
    CHECK(error_of(std::get<0>(won.results)) == errc::canceled);
}
TEST_CASE("open_connection cut by a timeout and by cancelling: said so, and no socket is left") {
    run_both(cancelled);
}

task<> no_name(world& w) {
    const std::size_t before = w.open_sockets();
    for (const char* host : {"300.1.1.1", "1.2.3", "::g", "not a host", ""}) {
        auto peer = co_await uasyncio::open_connection(w.client_net(), host, 7);
        CHECK(error_of(peer) == errc::name_not_found);
    }
    CHECK(w.open_sockets() == before);
}
TEST_CASE("open_connection to what is neither an address nor a name: name_not_found") {
    run(no_name);
}

task<> serve_nothing(stream) {
    co_return;
}
task<> no_sockets(world& w) {
    auto served = co_await uasyncio::start_server(
        w.server_net(), &serve_nothing, host_of(w.server_address(family::ipv4)), 0);
    REQUIRE(error_of(served) == errc::ok);
    const auto at = served->sockname();
    REQUIRE(at.has_value());
    {
        const hoard all(w);
        CHECK(all.last == w.known().exhausted);
        auto refused = co_await uasyncio::open_connection(w.server_net(), *at);
        CHECK(error_of(refused) == w.known().exhausted);
    }
    auto turned = co_await weft::yield();
    (void)turned;
    auto peer = co_await connect_to(w, *served);
    CHECK(error_of(peer) == errc::ok);
}
TEST_CASE("open_connection without sockets left says so, and works again afterwards") {
    run(no_sockets);
}

} // namespace
} // namespace uasyncio_test
