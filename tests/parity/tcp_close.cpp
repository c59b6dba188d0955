// How TCP connections end: close, abort, drop, and what waiters and the peer are told.
#include "sequence.hpp"

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <doctest/doctest.h>

#include <tuple>

namespace parity {
namespace {

constexpr std::size_t odd = 20'011;

// --- close delivers -------------------------------------------------------------------------

task<> close_with_unsent_data(world& w, family f) {
    auto pair = co_await connect_pair(w, f);
    auto reached = co_await send_until_blocked(w, pair->server, 0);
    REQUIRE(reached.has_value());
    pair->server.close();
    auto got = co_await expect_sequence(w, pair->client, 0, *reached, odd);
    CHECK(got.has_value());
    auto ended = co_await expect_end(pair->client);
    CHECK(ended.has_value());
}
TEST_CASE("close with unsent data: everything is delivered, then EOF, then EOF again") {
    run_both(close_with_unsent_data);
}

task<> drop_with_unsent_data(world& w) {
    auto pair = co_await connect_pair(w);
    auto reached = co_await send_until_blocked(w, pair->server, 0);
    REQUIRE(reached.has_value());
    pair->server = tcp_stream();
    auto got = co_await expect_sequence(w, pair->client, 0, *reached, odd);
    CHECK(got.has_value());
    auto ended = co_await expect_end(pair->client);
    CHECK(ended.has_value());
}
TEST_CASE("dropping a stream closes it: everything is delivered, then EOF") {
    run(drop_with_unsent_data);
}

task<> close_with_unread_input(world& w) {
    auto pair = co_await connect_pair(w);
    auto said = co_await send_sequence(w, pair->client, 0, 100, 100);
    CHECK(said.has_value());
    auto arrived = co_await pair->server.readable();
    CHECK(arrived.has_value());
    auto answered = co_await send_sequence(w, pair->server, 0, 100'000, odd);
    CHECK(answered.has_value());
    pair->server.close(); // without having read what is there
    auto got = co_await expect_sequence(w, pair->client, 0, 100'000, odd);
    CHECK(got.has_value());
    auto ended = co_await expect_end(pair->client);
    CHECK(ended.has_value());
}
TEST_CASE("close with unread input still delivers what was sent, then EOF and no reset") {
    run(close_with_unread_input);
}

task<> both_close_at_once(world& w) {
    auto pair = co_await connect_pair(w);
    pair->server.close();
    pair->client.close();
    auto turned = co_await pause(w);
    CHECK(turned.has_value());
    const bool server_open = pair->server.is_open();
    const bool client_open = pair->client.is_open();
    CHECK(!server_open);
    CHECK(!client_open);
}
TEST_CASE("both ends close at once: nothing is left of either") {
    run(both_close_at_once);
}

task<> everything_fails_once_closed(world& w) {
    auto pair = co_await connect_pair(w);
    tcp_stream& s = pair->server;
    s.close();
    s.close(); // idempotent
    std::byte room[8];
    auto received = co_await s.recv(room);
    auto sent = co_await s.send("x");
    auto sent_all = co_await s.send_all("x");
    auto read = co_await s.read_exactly(room);
    auto readable = co_await s.readable();
    auto writable = co_await s.writable();
    CHECK(error_of(received) == errc::bad_handle);
    CHECK(error_of(sent) == errc::bad_handle);
    CHECK(sent_all.error() == errc::bad_handle);
    CHECK(read.error() == errc::bad_handle);
    CHECK(error_of(readable) == errc::bad_handle);
    CHECK(error_of(writable) == errc::bad_handle);
    CHECK(error_of(s.try_recv(room)) == errc::bad_handle);
    CHECK(error_of(s.try_send(room)) == errc::bad_handle);
    CHECK(error_of(s.shutdown_send()) == errc::bad_handle);
    CHECK(error_of(s.local()) == errc::bad_handle);
    CHECK(error_of(s.remote()) == errc::bad_handle);
}
TEST_CASE("every call on a closed stream: bad_handle") {
    run(everything_fails_once_closed);
}

task<> everything_fails_without_a_socket(world&) {
    tcp_stream stream;
    tcp_listener listener;
    std::byte room[8];
    auto received = co_await stream.recv(room);
    auto sent = co_await stream.send("x");
    auto accepted = co_await listener.accept();
    auto readable = co_await stream.readable();
    CHECK(error_of(received) == errc::bad_handle);
    CHECK(error_of(sent) == errc::bad_handle);
    CHECK(error_of(accepted) == errc::bad_handle);
    CHECK(error_of(readable) == errc::bad_handle);
}
TEST_CASE("every call on a handle without a socket: bad_handle") {
    run(everything_fails_without_a_socket);
}

// --- close under waiters --------------------------------------------------------------------

task<> note_recv(tcp_stream& s, errc& told) {
    std::byte room[16];
    auto got = co_await s.recv(room);
    told = error_of(got);
}
task<> note_send_all(tcp_stream& s, errc& told) {
    const bytes much(1024 * 1024);
    transfer sent;
    while (sent.error() == errc::ok) {
        sent = co_await s.send_all(much);
    }
    told = sent.error();
}
task<> note_accept(tcp_listener& l, errc& told) {
    auto got = co_await l.accept();
    told = error_of(got);
}

task<> close_under_waiters(world& w) {
    auto pair = co_await connect_pair(w);
    tcp_listener listener = listen(w);
    errc reader = errc::ok;
    errc writer = errc::ok;
    errc acceptor = errc::ok;
    weft::task_group waiting(w.home());
    const result<> one = waiting.spawn(note_recv(pair->server, reader));
    const result<> two = waiting.spawn(note_send_all(pair->server, writer));
    const result<> three = waiting.spawn(note_accept(listener, acceptor));
    REQUIRE((one && two && three));
    auto settled = co_await pause(w);
    CHECK(settled.has_value());
    CHECK(waiting.size() == 3);
    pair->server.close();
    listener.close();
    auto joined = co_await waiting.join();
    CHECK(joined.has_value());
    CHECK(reader == errc::bad_handle);
    CHECK(writer == errc::bad_handle);
    CHECK(acceptor == errc::bad_handle);
    pair->client.abort();
}
TEST_CASE("close under a waiting reader, writer and accept wakes each with bad_handle") {
    run(close_under_waiters);
}

task<> drop_under_waiters(world& w) {
    auto pair = co_await connect_pair(w);
    tcp_listener listener = listen(w);
    errc reader = errc::ok;
    errc acceptor = errc::ok;
    weft::task_group waiting(w.home());
    const result<> one = waiting.spawn(note_recv(pair->client, reader));
    const result<> two = waiting.spawn(note_accept(listener, acceptor));
    REQUIRE((one && two));
    pair->client = tcp_stream();
    listener = tcp_listener();
    auto joined = co_await waiting.join();
    CHECK(joined.has_value());
    CHECK(reader == errc::bad_handle);
    CHECK(acceptor == errc::bad_handle);
}
TEST_CASE("dropping the handle under a waiting reader and accept: bad_handle, and freed after") {
    run(drop_under_waiters);
}

task<> second_reader_and_writer(world& w) {
    auto pair = co_await connect_pair(w);
    tcp_listener listener = listen(w);
    errc first = errc::would_block;
    errc first_accept = errc::would_block;
    weft::task_group waiting(w.home());
    const result<> one = waiting.spawn(note_recv(pair->server, first));
    const result<> two = waiting.spawn(note_accept(listener, first_accept));
    REQUIRE((one && two));
    errc second = errc::ok;
    errc second_accept = errc::ok;
    auto told = co_await note_recv(pair->server, second);
    auto told_too = co_await note_accept(listener, second_accept);
    auto readable = co_await pair->server.readable();
    CHECK((told && told_too));
    CHECK(second == errc::already);
    CHECK(second_accept == errc::already);
    const errc third = error_of(readable);
    CHECK(third == errc::already);
    CHECK(first == errc::would_block); // undisturbed
    auto sent = co_await pair->client.send_all("for the first");
    CHECK(sent.error() == errc::ok);
    auto accepted = co_await w.client_net().connect(endpoint_of(listener));
    CHECK(accepted.has_value());
    auto joined = co_await waiting.join();
    CHECK(joined.has_value());
    CHECK(first == errc::ok);
    CHECK(first_accept == errc::ok);
}
TEST_CASE("a second reader or acceptor is told already at once, and does not disturb the first") {
    run(second_reader_and_writer);
}

task<> second_writer(world& w) {
    auto pair = co_await connect_pair(w);
    errc first = errc::ok;
    weft::task_group waiting(w.home());
    const result<> one = waiting.spawn(note_send_all(pair->server, first));
    REQUIRE(one.has_value());
    auto settled = co_await pause(w);
    CHECK(settled.has_value());
    auto second = co_await pair->server.send("x");
    const errc told = error_of(second);
    CHECK(told == errc::already);
    waiting.cancel();
    auto joined = co_await waiting.join();
    CHECK(joined.has_value());
    CHECK(first == errc::canceled);
    pair->client.abort();
}
TEST_CASE("a second writer is told already at once") {
    run(second_writer);
}

// --- the other end --------------------------------------------------------------------------

task<> nudge(world& w, tcp_stream& to) {
    while (true) { // a lost RST is answered by another only if something is sent
        auto slept = co_await weft::sleep_for(w.settling());
        if (!slept) {
            co_return;
        }
        auto sent = co_await to.send("?");
        if (!sent && sent.error() != errc::broken_pipe && sent.error() != errc::connection_reset) {
            co_return;
        }
    }
}

/// What drain() does, though the peer's RST may have been lost.
task<errc> drain_until_reset(world& w, tcp_stream& from, std::uint64_t& offset) {
    if (!w.known().lossy) {
        auto simply = co_await drain(from, offset);
        REQUIRE(error_of(simply) == errc::ok);
        co_return *simply;
    }
    auto either = co_await weft::when_any(drain(from, offset), nudge(w, from));
    REQUIRE(error_of(std::get<0>(either.results)) == errc::ok);
    co_return *std::get<0>(either.results);
}

task<> abort_resets_peer(world& w, family f) {
    auto pair = co_await connect_pair(w, f);
    const bytes message = known_bytes(0, 1000); // one segment: Nagle would hold back a second
    auto sent = co_await pair->server.send_all(message);
    CHECK(sent.error() == errc::ok);
    auto begun = co_await expect_sequence(w, pair->client, 0, 1, 1); // the data is there
    CHECK(begun.has_value());
    auto paused = co_await pause(w);
    CHECK(paused.has_value());
    pair->server.abort();
    auto again = co_await pause(w);
    CHECK(again.has_value());
    std::uint64_t offset = 1;
    auto ended_by = co_await drain_until_reset(w, pair->client, offset);
    REQUIRE(error_of(ended_by) == errc::ok);
    CHECK(*ended_by == errc::connection_reset);
    CHECK(offset == 1000);
    auto ended = co_await expect_end(pair->client);
    CHECK(ended.has_value());
    auto late = co_await pair->client.send("x");
    const errc told = error_of(late);
    CHECK((told == errc::broken_pipe || told == errc::connection_reset));
    std::byte room[1];
    auto gone = co_await pair->server.recv(room);
    const errc aborted = error_of(gone);
    CHECK(aborted == errc::bad_handle);
}
TEST_CASE("abort: the peer gets the data that came before, connection_reset once, then EOF") {
    run_both(abort_resets_peer);
}

task<> send_until_seen(world& w, tcp_stream& to, const std::uint64_t& seen) {
    bytes buffer(8 * 1024);
    for (std::uint64_t offset = 0; seen < w.known().bulk / 20;) {
        fill(buffer, offset);
        auto sent = co_await to.send_all(buffer);
        REQUIRE(error_of(sent) == errc::ok);
        offset += sent.count;
    }
    to.abort();
}

task<> reset_mid_stream(world& w) {
    auto pair = co_await connect_pair(w);
    std::uint64_t seen = 0;
    weft::task_group sender(w.home());
    REQUIRE(error_of(sender.spawn(send_until_seen(w, pair->server, seen))) == errc::ok);
    auto ended_by = co_await drain_until_reset(w, pair->client, seen);
    REQUIRE(error_of(ended_by) == errc::ok);
    CHECK(*ended_by == errc::connection_reset);
    CHECK(seen >= w.known().bulk / 20);
    auto ended = co_await expect_end(pair->client);
    CHECK(ended.has_value());
    auto joined = co_await sender.join();
    CHECK(joined.has_value());
}
TEST_CASE("RST mid-stream: what was received is right, connection_reset once, then EOF") {
    run(reset_mid_stream);
}

task<> reset_wakes_writer(world& w) {
    auto pair = co_await connect_pair(w);
    errc writer = errc::ok;
    weft::task_group waiting(w.home());
    const result<> one = waiting.spawn(note_send_all(pair->client, writer));
    REQUIRE(one.has_value());
    auto settled = co_await pause(w);
    CHECK(settled.has_value());
    pair->server.abort();
    auto joined = co_await waiting.join();
    CHECK(joined.has_value());
    CHECK((writer == errc::connection_reset || writer == errc::broken_pipe));
}
TEST_CASE("a reset wakes a writer that waits: connection_reset or broken_pipe") {
    run(reset_wakes_writer);
}

task<> send_after_peer_closed(world& w) {
    auto pair = co_await connect_pair(w);
    pair->server.close();
    auto ended = co_await expect_end(pair->client);
    CHECK(ended.has_value());
    errc told = errc::ok;
    for (int tries = 0; told == errc::ok && tries < 1000; ++tries) {
        auto sent = co_await pair->client.send("anybody?"); // the answer to the first is an RST
        told = error_of(sent);
        auto paused = co_await weft::sleep_for(w.settling() / 10);
        REQUIRE(paused.has_value());
    }
    CHECK((told == errc::broken_pipe || told == errc::connection_reset));
}
TEST_CASE("sending after the peer closed: broken_pipe or connection_reset, no signal") {
    run(send_after_peer_closed);
}

task<> listener_drop_resets_queued(world& w) {
    tcp_listener listener = listen(w);
    auto client = co_await w.client_net().connect(endpoint_of(listener));
    REQUIRE(client.has_value());
    auto arrived = co_await pause(w);
    CHECK(arrived.has_value());
    listener = tcp_listener();
    std::uint64_t offset = 0;
    auto ended_by = co_await drain_until_reset(w, *client, offset);
    REQUIRE(error_of(ended_by) == errc::ok);
    CHECK(*ended_by == errc::connection_reset);
    CHECK(offset == 0);
}
TEST_CASE("dropping a listener resets the connections that nobody accepted") {
    run(listener_drop_resets_queued);
}

} // namespace
} // namespace parity
