// Many connections at once, and one that cannot keep up.
#include "sequence.hpp"

#include <weft/event.hpp>
#include <weft/latch.hpp>
#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>

#include <tuple>

namespace parity {
namespace {

struct gathering {
    explicit gathering(std::size_t guests) : all_there(guests) {}
    weft::latch all_there;
    std::size_t served = 0;
};

task<> come_stay_and_ask(world& w, endpoint at, std::uint64_t number, gathering& party) {
    auto stream = co_await w.client_net().connect(at);
    party.all_there.count_down();
    REQUIRE(error_of(stream) == errc::ok);
    auto waited = co_await party.all_there.wait();
    REQUIRE(error_of(waited) == errc::ok);
    const std::uint64_t offset = number * 1000; // everyone has bytes of his own
    auto both = co_await weft::when_all(
        send_sequence(w, *stream, offset, offset + 3000, 1000),
        expect_sequence(w, *stream, offset, offset + 3000, 1000));
    REQUIRE(error_of(std::get<0>(both)) == errc::ok);
    REQUIRE(error_of(std::get<1>(both)) == errc::ok);
    ++party.served;
}

task<> many_at_once(world& w) {
    const std::size_t guests = w.known().connections;
    tcp_listener listener = listen(w, family::ipv4, guests);
    weft::task_group server(w.home());
    REQUIRE(error_of(server.spawn(serve_echo(w, listener))) == errc::ok);
    gathering party(guests);
    weft::task_group clients(w.home());
    for (std::size_t i = 0; i < guests; ++i) {
        const result<> spawned =
            clients.spawn(come_stay_and_ask(w, endpoint_of(listener), i, party));
        REQUIRE(error_of(spawned) == errc::ok);
    }
    auto joined = co_await clients.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(party.served == guests);
    server.cancel();
    auto ended = co_await server.join();
    CHECK(error_of(ended) == errc::ok);
}
TEST_CASE("1,000 connections at once on the host, 200 on lwIP: each gets its own bytes back") {
    run(many_at_once);
}

task<> come_and_go(world& w) {
    tcp_listener listener = listen(w);
    weft::task_group server(w.home());
    REQUIRE(error_of(server.spawn(serve_echo(w, listener))) == errc::ok);
    for (std::uint64_t i = 0; i < 300; ++i) {
        auto stream = co_await w.client_net().connect(endpoint_of(listener));
        REQUIRE(error_of(stream) == errc::ok);
        auto sent = co_await send_sequence(w, *stream, i, i + 10, 10);
        auto got = co_await expect_sequence(w, *stream, i, i + 10, 10);
        REQUIRE(error_of(sent) == errc::ok);
        REQUIRE(error_of(got) == errc::ok);
    }
    server.cancel();
    auto ended = co_await server.join();
    CHECK(error_of(ended) == errc::ok);
}
TEST_CASE("three hundred connections one after another") {
    run(come_and_go);
}

// --- a slow reader --------------------------------------------------------------------------

task<> write_fast(world& w, tcp_stream& to, std::uint64_t end, std::uint64_t& taken) {
    bytes buffer(32 * 1024);
    while (taken < end) {
        const std::uint64_t size = std::min<std::uint64_t>(buffer.size(), end - taken);
        const auto piece = std::span(buffer).first(static_cast<std::size_t>(size));
        fill(piece, taken);
        auto sent = co_await to.send(piece);
        REQUIRE(error_of(sent) == errc::ok);
        taken += *sent;
    }
    REQUIRE(error_of(to.shutdown_send()) == errc::ok);
    (void)w;
}

task<> read_slowly(
    world& w, tcp_stream& from, std::uint64_t end, const std::uint64_t& taken,
    std::uint64_t& most) {
    bytes buffer(256 * 1024);
    std::uint64_t offset = 0;
    while (offset < end) {
        auto slept = co_await weft::sleep_for(w.random_moment(2ms));
        REQUIRE(error_of(slept) == errc::ok);
        most = std::max(most, taken - offset);
        auto got = co_await from.recv(buffer);
        REQUIRE(error_of(got) == errc::ok);
        REQUIRE(*got > 0);
        REQUIRE(agreeing(std::span(buffer).first(*got), offset) == *got);
        offset += *got;
    }
    auto ended = co_await expect_end(from);
    REQUIRE(error_of(ended) == errc::ok);
}

task<> slow_reader(world& w) {
    auto pair = co_await connect_pair(w);
    REQUIRE(error_of(pair) == errc::ok);
    // however much the writer has, what lies between the two is bounded: it blocks
    const std::uint64_t size = w.known().lossy ? 2 * w.known().most_in_flight : 64'000'000;
    std::uint64_t taken = 0;
    std::uint64_t most = 0;
    auto both = co_await weft::when_all(
        write_fast(w, pair->client, size, taken), read_slowly(w, pair->server, size, taken, most));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
    CHECK(taken == size);
    CHECK(most <= w.known().most_in_flight);
    MESSAGE("at most ", most, " of ", size, " bytes lay between writer and reader");
}
TEST_CASE("a fast writer with a slow reader blocks: memory between them is bounded") {
    run(slow_reader);
}

} // namespace
} // namespace parity
