// TCP that goes well: echo, half close, endpoints, buffers.
#include "sequence.hpp"

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>

#include <doctest/doctest.h>

#include <string_view>
#include <tuple>

namespace parity {
namespace {

constexpr std::size_t odd = 20'011; // a prime, beside every buffer size

// --- echo -----------------------------------------------------------------------------------

task<> send_then_finish(world& w, tcp_stream& to, std::uint64_t end) {
    auto sent = co_await send_sequence(w, to, 0, end, odd);
    REQUIRE(sent.has_value());
    const result<> finished = to.shutdown_send();
    REQUIRE(finished.has_value());
}

task<> expect_then_end(world& w, tcp_stream& from, std::uint64_t end) {
    auto got = co_await expect_sequence(w, from, 0, end, odd);
    REQUIRE(got.has_value());
    auto ended = co_await expect_end(from);
    REQUIRE(ended.has_value());
}

task<> echo_in_odd_sizes(world& w, family f) {
    tcp_listener listener = listen(w, f);
    weft::task_group server(w.home());
    const result<> serving = server.spawn(serve_echo(w, listener));
    REQUIRE(serving.has_value());
    auto client = co_await w.client_net().connect(endpoint_of(listener));
    REQUIRE(client.has_value());
    const std::size_t size = w.known().bulk;
    auto both = co_await weft::when_all(
        send_then_finish(w, *client, size), expect_then_end(w, *client, size));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
    server.cancel();
    auto joined = co_await server.join();
    CHECK(joined.has_value());
}
TEST_CASE("echo of 10 MB in odd sizes returns every byte in its place") {
    run_both(echo_in_odd_sizes);
}

task<> both_directions_at_once(world& w, family f) {
    auto pair = co_await connect_pair(w, f);
    const std::size_t size = w.known().bulk / 2;
    auto all = co_await weft::when_all(
        send_then_finish(w, pair->server, size), expect_then_end(w, pair->server, size),
        send_then_finish(w, pair->client, size), expect_then_end(w, pair->client, size));
    CHECK(std::get<0>(all).has_value());
    CHECK(std::get<1>(all).has_value());
    CHECK(std::get<2>(all).has_value());
    CHECK(std::get<3>(all).has_value());
}
TEST_CASE("both directions at once carry their own bytes") {
    run_both(both_directions_at_once);
}

task<> small_answers(world& w) {
    auto pair = co_await connect_pair(w);
    CHECK(pair->client.set_no_delay(true).has_value());
    CHECK(pair->server.set_no_delay(true).has_value());
    for (std::uint64_t round = 0; round < 100; ++round) {
        auto asked = co_await send_sequence(w, pair->client, round * 64, round * 64 + 64, 64);
        auto heard = co_await expect_sequence(w, pair->server, round * 64, round * 64 + 64, 64);
        auto told = co_await send_sequence(w, pair->server, round * 64, round * 64 + 64, 64);
        auto known = co_await expect_sequence(w, pair->client, round * 64, round * 64 + 64, 64);
        REQUIRE((asked && heard && told && known));
    }
}
TEST_CASE("a hundred questions and answers of 64 bytes, without delay") {
    run(small_answers);
}

// --- half close -----------------------------------------------------------------------------

task<> half_close(world& w, family f) {
    auto pair = co_await connect_pair(w, f);
    tcp_stream& client = pair->client;
    tcp_stream& server = pair->server;
    auto asked = co_await send_then_finish(w, client, 5000);
    auto heard = co_await expect_then_end(w, server, 5000);
    CHECK(asked.has_value());
    CHECK(heard.has_value());

    auto late = co_await client.send("too late");
    CHECK(!late.has_value());
    const errc after_finishing = error_of(late);
    CHECK(after_finishing == errc::broken_pipe);

    const std::size_t size = w.known().bulk / 10;
    auto both = co_await weft::when_all(
        send_then_finish(w, server, size), expect_then_end(w, client, size));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
}
TEST_CASE("half close: after shutdown_send the peer reads EOF and the other direction goes on") {
    run_both(half_close);
}

task<> half_close_with_unsent_data(world& w) {
    auto pair = co_await connect_pair(w);
    auto reached = co_await send_until_blocked(w, pair->client, 0);
    REQUIRE(reached.has_value());
    const result<> finished = pair->client.shutdown_send();
    CHECK(finished.has_value());
    auto got = co_await expect_then_end(w, pair->server, *reached);
    CHECK(got.has_value());
}
TEST_CASE("shutdown_send with data still unsent: all of it comes before the EOF") {
    run(half_close_with_unsent_data);
}

// --- endpoints ------------------------------------------------------------------------------

task<> both_ends_have_right_names(world& w, family f) {
    tcp_listener listener = listen(w, f);
    const endpoint at = endpoint_of(listener);
    CHECK(at.port != 0);
    CHECK(at.address == w.server_address(f));
    auto pair = co_await connect_pair(w, listener);
    const result<endpoint> server_local = pair->server.local();
    const result<endpoint> server_remote = pair->server.remote();
    const result<endpoint> client_local = pair->client.local();
    const result<endpoint> client_remote = pair->client.remote();
    REQUIRE((server_local && server_remote && client_local && client_remote));
    CHECK(*server_local == at);
    CHECK(*client_remote == at);
    CHECK(*client_local == *server_remote);
    CHECK(client_local->address == w.client_address(f));
    CHECK(client_local->port != 0);
}
TEST_CASE("port 0 is an ephemeral port; local() and remote() are right on both ends") {
    run_both(both_ends_have_right_names);
}

task<> listen_at_any_address(world& w, family f) {
    result<tcp_listener> listener = w.server_net().listen(endpoint{address::any(f), 0});
    REQUIRE(listener.has_value());
    const endpoint everywhere = endpoint_of(*listener);
    CHECK(everywhere.address.is_any());
    const endpoint at{w.server_address(f), everywhere.port};
    auto both = co_await weft::when_all(listener->accept(), w.client_net().connect(at));
    REQUIRE(std::get<0>(both).has_value());
    REQUIRE(std::get<1>(both).has_value());
    const result<endpoint> local = std::get<0>(both)->local();
    REQUIRE(local.has_value());
    CHECK(*local == at);
}
TEST_CASE("a listener at any address accepts at each; the accepted end knows which") {
    run_both(listen_at_any_address);
}

task<> port_is_taken(world& w, family f) {
    tcp_listener first = listen(w, f);
    const result<tcp_listener> second = w.server_net().listen(endpoint_of(first));
    REQUIRE(!second.has_value());
    CHECK(second.error() == errc::address_in_use);
    const endpoint at = endpoint_of(first);
    first = tcp_listener();
    auto turned = co_await weft::yield();
    CHECK(turned.has_value());
    const result<tcp_listener> third = w.server_net().listen(at);
    CHECK(third.has_value());
}
TEST_CASE("a second listener on a port: address_in_use; free again once the first is gone") {
    run_both(port_is_taken);
}

task<> foreign_address(world& w) {
    const result<tcp_listener> listener =
        w.server_net().listen(endpoint{address::v4(203, 0, 113, 77), 0});
    REQUIRE(!listener.has_value());
    CHECK(listener.error() == errc::address_not_available);
    co_return;
}
TEST_CASE("listening at an address of another host: address_not_available") {
    run(foreign_address);
}

task<> served_again_after_restart(world& w) {
    tcp_listener first = listen(w);
    const endpoint at = endpoint_of(first);
    {
        auto pair = co_await connect_pair(w, first);
        REQUIRE(pair.has_value());
        pair->server.close(); // the server's side closes first: TIME_WAIT is its
        auto ended = co_await expect_end(pair->client);
        CHECK(ended.has_value());
    }
    first = tcp_listener();
    auto paused = co_await pause(w);
    CHECK(paused.has_value());
    result<tcp_listener> again = w.server_net().listen(at);
    REQUIRE(again.has_value());
    auto pair = co_await connect_pair(w, *again);
    CHECK(pair.has_value());
}
TEST_CASE("a server that restarts listens on its port again, TIME_WAIT or not") {
    run(served_again_after_restart);
}

// --- buffers --------------------------------------------------------------------------------

task<> empty_recv_takes_nothing(world& w) {
    auto pair = co_await connect_pair(w);
    auto sent = co_await send_sequence(w, pair->client, 0, 100, 100);
    CHECK(sent.has_value());
    auto ready = co_await pair->server.readable();
    CHECK(ready.has_value());
    auto nothing = co_await pair->server.recv(std::span<std::byte>());
    REQUIRE(nothing.has_value());
    CHECK(*nothing == 0);
    auto got = co_await expect_sequence(w, pair->server, 0, 100, 100);
    CHECK(got.has_value());
    pair->client.close();
    auto ended = co_await expect_end(pair->server);
    CHECK(ended.has_value());
}
TEST_CASE("recv into an empty buffer gives 0, takes nothing and is no EOF") {
    run(empty_recv_takes_nothing);
}

task<> in_three_pieces(world& w, tcp_stream& to) {
    for (std::uint64_t piece = 0; piece < 3; ++piece) {
        auto sent = co_await send_sequence(w, to, piece * 100, piece * 100 + 100, 100);
        REQUIRE(sent.has_value());
        auto paused = co_await pause(w);
        REQUIRE(paused.has_value());
    }
    to.close();
}

task<> read_exactly_waits_for_all(world& w) {
    auto pair = co_await connect_pair(w);
    weft::task_group sender(w.home());
    const result<> spawned = sender.spawn(in_three_pieces(w, pair->client));
    REQUIRE(spawned.has_value());
    bytes whole(250);
    auto first = co_await pair->server.read_exactly(whole);
    CHECK(first.error() == errc::ok);
    CHECK(first.count == 250);
    CHECK(agreeing(whole, 0) == 250);
    auto rest = co_await pair->server.read_exactly(whole);
    CHECK(rest.error() == errc::end_of_stream);
    CHECK(rest.count == 50);
    CHECK(agreeing(std::span(whole).first(rest.count), 250) == rest.count);
    auto joined = co_await sender.join();
    CHECK(joined.has_value());
}
TEST_CASE("read_exactly fills its buffer over pieces; end_of_stream counts what came before") {
    run(read_exactly_waits_for_all);
}

task<> peek_and_consume(world& w) {
    auto pair = co_await connect_pair(w);
    const result<std::span<const std::byte>> early = pair->server.peek();
    REQUIRE(!early.has_value());
    CHECK(early.error() == (w.known().server_peeks ? errc::would_block : errc::not_supported));
    constexpr std::uint64_t end = 100'000;
    weft::task_group sender(w.home());
    const result<> spawned = sender.spawn(send_then_finish(w, pair->client, end));
    REQUIRE(spawned.has_value());
    std::uint64_t offset = 0;
    while (w.known().server_peeks) {
        auto ready = co_await pair->server.readable();
        REQUIRE(ready.has_value());
        const result<std::span<const std::byte>> view = pair->server.peek();
        if (!view) {
            REQUIRE(view.error() == errc::would_block);
            continue;
        }
        if (view->empty()) {
            break;
        }
        REQUIRE(agreeing(*view, offset) == view->size());
        const std::size_t taken = 1 + static_cast<std::size_t>(w.random(view->size()));
        pair->server.consume(taken);
        offset += taken;
    }
    auto rest = co_await expect_sequence(w, pair->server, offset, end, odd);
    CHECK(rest.has_value());
    auto ended = co_await expect_end(pair->server);
    CHECK(ended.has_value());
    auto joined = co_await sender.join();
    CHECK(joined.has_value());
}
TEST_CASE("peek shows received bytes in place, consume takes some; not_supported on the host") {
    run(peek_and_consume);
}

} // namespace
} // namespace parity
