// Writing: what write() takes, what drain() and wait_closed() wait for, and how errors are told.
#include "peers.hpp"

#include <algorithm>
#include <tuple>

namespace uasyncio_test {
namespace {

task<> write_much(stream& to, std::size_t size) {
    const parity::bytes all = known_bytes(0, size);
    const auto taken = to.write(all);
    REQUIRE(error_of(taken) == errc::ok);
    CHECK(*taken == size);
    auto drained = co_await to.drain();
    CHECK(error_of(drained) == errc::ok);
    to.close();
    auto closed = co_await to.wait_closed();
    CHECK(error_of(closed) == errc::ok);
}
task<> read_much(stream& from, std::size_t size) {
    auto all = co_await from.read();
    REQUIRE(error_of(all) == errc::ok);
    REQUIRE(all->size() == size);
    CHECK(agreeing(all->span(), 0) == size);
}
task<> much(world& w, family f) {
    auto pair = co_await open_streams(w, f);
    REQUIRE(error_of(pair) == errc::ok);
    const std::size_t size = 10'000'000;
    auto both =
        co_await weft::when_all(write_much(pair->client, size), read_much(pair->server, size));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
}
TEST_CASE("10 MB in one write, then drain and close: every byte arrives, then the end") {
    run_both(much);
}

/// A stream whose client end has written more than the network takes.
task<> write_until_queued(world& w, stream& to, std::uint64_t& offset) {
    parity::bytes chunk(256 * 1024);
    while (true) {
        fill(chunk, offset);
        const auto taken = to.write(chunk);
        REQUIRE(error_of(taken) == errc::ok);
        offset += *taken;
        auto drained = co_await weft::timeout(to.drain(), w.silence());
        if (!drained) {
            CHECK(drained.error() == errc::timed_out);
            co_return;
        }
        REQUIRE(offset <= w.known().most_in_flight);
    }
}

task<> write_then_drain(stream& to, std::uint64_t& offset, bool& ended) {
    parity::bytes chunk(50'000);
    for (int i = 0; i < 20; ++i) {
        fill(chunk, offset); // no wait between here and the write: the two tasks' parts stay whole
        const auto taken = to.write(chunk);
        REQUIRE(error_of(taken) == errc::ok);
        offset += *taken;
        auto drained = co_await to.drain();
        REQUIRE(error_of(drained) == errc::ok);
    }
    ended = true;
}
task<> read_up_to(stream& from, const std::uint64_t& end, const bool& first, const bool& second) {
    parity::bytes room(10'000);
    std::uint64_t offset = 0;
    while (!first || !second || offset < end) {
        auto got = co_await from.readinto(room);
        REQUIRE(error_of(got) == errc::ok);
        REQUIRE(*got > 0);
        REQUIRE(agreeing(std::span(room).first(*got), offset) == *got);
        offset += *got;
    }
    CHECK(offset == end);
}
task<> two_drains(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    std::uint64_t offset = 0;
    bool first = false;
    bool second = false;
    auto all = co_await weft::when_all(
        write_then_drain(pair->client, offset, first),
        write_then_drain(pair->client, offset, second),
        read_up_to(pair->server, offset, first, second));
    CHECK(error_of(std::get<0>(all)) == errc::ok);
    CHECK(error_of(std::get<1>(all)) == errc::ok);
    CHECK(error_of(std::get<2>(all)) == errc::ok);
}
TEST_CASE("two tasks write and drain: both complete, and no byte is doubled or out of order") {
    run(two_drains);
}

task<> drain_once(stream& of, errc& told) {
    auto drained = co_await of.drain();
    told = error_of(drained);
}

task<> two_drains_of_a_reset(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    std::uint64_t offset = 0;
    auto queued = co_await write_until_queued(w, pair->here, offset);
    REQUIRE(error_of(queued) == errc::ok);
    errc first = errc::ok;
    errc second = errc::ok;
    weft::task_group drains(w.home());
    REQUIRE(error_of(drains.spawn(drain_once(pair->here, first))) == errc::ok);
    REQUIRE(error_of(drains.spawn(drain_once(pair->here, second))) == errc::ok);
    pair->peer.abort();
    auto joined = co_await drains.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK((first == errc::connection_reset || first == errc::broken_pipe));
    CHECK(second == first);
    CHECK(error_of(pair->here.write("x")) == first);
    auto again = co_await pair->here.drain();
    CHECK(error_of(again) == first);
    auto reset = co_await pair->here.readline(); // though a send was told of it too
    CHECK(error_of(reset) == errc::connection_reset);
    auto end = co_await pair->here.readline();
    REQUIRE(error_of(end) == errc::ok);
    CHECK(end->empty());
    auto closed = co_await pair->here.wait_closed();
    CHECK(error_of(closed) == first);
}
TEST_CASE("a reset under two drains: both are told, so is every later write, and a reader once") {
    if (here().known().lossy) {
        parity::skip("a reset may be lost, and nobody sends it again");
        return;
    }
    run(two_drains_of_a_reset);
}

task<> drain_cut(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    std::uint64_t offset = 0;
    auto queued = co_await write_until_queued(w, pair->client, offset);
    REQUIRE(error_of(queued) == errc::ok);
    errc told = errc::ok;
    weft::task_group drains(w.home());
    REQUIRE(error_of(drains.spawn(drain_once(pair->client, told))) == errc::ok);
    drains.cancel();
    auto joined = co_await drains.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(told == errc::canceled);
    auto both = co_await weft::when_all(
        pair->client.wait_closed(), read_much(pair->server, static_cast<std::size_t>(offset)));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
}
TEST_CASE("drain cut by a timeout and by cancelling: what was written still arrives, once") {
    run(drain_cut);
}

task<> close_delivers(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    const std::size_t size = w.known().most_in_flight / 2 + w.known().bulk;
    {
        const parity::bytes all = known_bytes(0, size);
        REQUIRE(error_of(pair->client.write(all)) == errc::ok);
    }
    pair->client.close(); // without a drain
    CHECK(pair->client.is_closing());
    CHECK(error_of(pair->client.write("x")) == errc::bad_handle);
    auto line = co_await pair->client.readline();
    CHECK(error_of(line) == errc::bad_handle);
    auto both = co_await weft::when_all(pair->client.wait_closed(), read_much(pair->server, size));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
    auto again = co_await pair->client.wait_closed();
    CHECK(error_of(again) == errc::ok);
}
TEST_CASE("close without drain: what was written is delivered, then the end; wait_closed tells") {
    run(close_delivers);
}

task<> close_wakes_reader_before_the_rest(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    std::uint64_t offset = 0;
    auto queued = co_await write_until_queued(w, pair->client, offset);
    REQUIRE(error_of(queued) == errc::ok);
    auto both = co_await weft::when_all(
        pair->client.readline(), weft::timeout(pair->client.wait_closed(), w.silence()));
    CHECK(error_of(std::get<0>(both)) == errc::bad_handle);
    CHECK(error_of(std::get<1>(both)) == errc::timed_out);
} // the stream goes with bytes unsent: nothing is left of it
TEST_CASE(
    "close with unsent bytes wakes a reader at once; wait_closed can be cut, and nothing leaks") {
    run(close_wakes_reader_before_the_rest);
}

task<> destroyed_under_drain(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    std::uint64_t offset = 0;
    auto queued = co_await write_until_queued(w, pair->client, offset);
    REQUIRE(error_of(queued) == errc::ok);
    errc told = errc::ok;
    weft::task_group drains(w.home());
    REQUIRE(error_of(drains.spawn(drain_once(pair->client, told))) == errc::ok);
    {
        const stream gone = std::move(pair->client);
    }
    auto joined = co_await drains.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(told == errc::bad_handle);
}
TEST_CASE("destroying the stream under drain: bad_handle") {
    run(destroyed_under_drain);
}

task<> close_twice(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    pair->client.close();
    pair->client.close();
    auto closed = co_await pair->client.wait_closed();
    CHECK(error_of(closed) == errc::ok);
    auto again = co_await pair->client.wait_closed();
    CHECK(error_of(again) == errc::ok);
    auto end = co_await pair->server.read();
    REQUIRE(error_of(end) == errc::ok);
    CHECK(end->empty());
    auto by_waiting = co_await pair->server.wait_closed();
    CHECK(error_of(by_waiting) == errc::ok);
    CHECK(pair->server.is_closing());
}
TEST_CASE("close is idempotent, and wait_closed closes by itself as MicroPython's does") {
    run(close_twice);
}

task<> write_to_a_closed_peer(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    pair->server.close();
    errc told = errc::ok;
    for (int tries = 0; told == errc::ok && tries < 100; ++tries) {
        told = error_of(pair->client.write("is anybody there?\n"));
        auto slept = co_await weft::sleep_for(moment(w));
        (void)slept;
    }
    CHECK((told == errc::broken_pipe || told == errc::connection_reset));
    auto drained = co_await pair->client.drain();
    CHECK((error_of(drained) == errc::broken_pipe || error_of(drained) == errc::connection_reset));
}
TEST_CASE("writing to a peer that has closed: told by write, and by drain again") {
    run(write_to_a_closed_peer);
}

task<> write_nothing(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    const auto none = pair->client.write("");
    REQUIRE(error_of(none) == errc::ok);
    CHECK(*none == 0);
    auto drained = co_await pair->client.drain();
    CHECK(error_of(drained) == errc::ok);
}
TEST_CASE("writing nothing, and draining it") {
    run(write_nothing);
}

task<> count_turns(int& turns, const bool& stop) {
    while (!stop) {
        ++turns;
        auto back = co_await weft::yield();
        (void)back;
    }
}
task<> write_and_drain(stream& to, bool& stop) {
    for (int i = 0; i < 1000; ++i) {
        to.write("x");
        auto drained = co_await to.drain();
        REQUIRE(error_of(drained) == errc::ok);
    }
    stop = true;
}
task<> nobody_starves(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    int turns = 0;
    bool stop = false;
    auto both =
        co_await weft::when_all(write_and_drain(pair->client, stop), count_turns(turns, stop));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
    CHECK(turns >= 1000 / (weft::scope::immediate_completions + 1));
}
TEST_CASE("a loop of write and drain that never waits lets others run") {
    run(nobody_starves);
}

} // namespace
} // namespace uasyncio_test
