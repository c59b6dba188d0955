// The ends of a connection: rules 1, 2, 4, 5, 6, 7 and 12 of pitfalls.md.
#include "hosts.hpp"

#include "stack/lwip/api.hpp"

using namespace hosts;

namespace {

struct outcome {
    errc error = errc::ok;
    std::size_t count = 0;
};

task<> recv_once(tcp_stream& from, outcome& got) {
    std::array<std::byte, 64> buffer;
    auto n = co_await from.recv(buffer);
    outside_lwip();
    got = {n ? errc::ok : n.error(), n ? *n : 0};
}

task<> abort_soon(tcp_stream& which) {
    co_await sleep(10ms);
    which.abort();
    which.abort(); // and nothing more happens
    which.close();
}

task<> abort_under_reader(two_hosts& w, outcome& own, outcome& peers) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    co_await weft::when_all(
        recv_once(p.client, own), recv_once(p.server, peers), abort_soon(p.client));
    CHECK(!p.client.is_open());
    CHECK(p.client.local().error() == errc::bad_handle);
    const auto left = p.server.remote();
    CHECK(left.error() == errc::not_connected);
    outcome again;
    co_await recv_once(p.server, again);
    CHECK(again.error == errc::ok); // told once, then the end
    CHECK(again.count == 0);
    auto sent = co_await p.server.send("x");
    CHECK(sent.error() == errc::broken_pipe);
}

} // namespace

TEST_CASE("pitfall 1: abort frees the pcb at once; the waiter, the peer and later calls are told") {
    two_hosts w;
    recording seen(w.cable);
    outcome own;
    outcome peers;
    w.run(abort_under_reader(w, own, peers));
    CHECK(own.error == errc::bad_handle);
    CHECK(peers.error == errc::connection_reset);
    CHECK(seen.segments_with(recording::rst) == 1);
    w.pass(1s);
    CHECK(weft::count_lwip_usage().tcp_active == 0);
}

namespace {

/// Each of these ends its connection the moment that it is told something, in its own turn.
task<> end_when_told(tcp_stream peer, bool reset) {
    std::array<std::byte, 64> buffer;
    auto n = co_await peer.recv(buffer);
    outside_lwip();
    (void)n;
    if (reset) {
        peer.abort();
    }
}

task<> accept_and_end(tcp_listener& from, int connections) {
    for (int i = 0; i < connections; ++i) {
        auto next = co_await from.accept();
        outside_lwip();
        REQUIRE(next);
        if (i % 3 == 0) {
            next->abort();
        } else {
            co_await end_when_told(std::move(*next), i % 3 == 1);
        }
    }
}

task<> connect_send_recv(two_hosts& w, std::uint16_t port, int connections) {
    for (int i = 0; i < connections; ++i) {
        auto peer = co_await w.a->connect({bob_ip, port});
        outside_lwip();
        REQUIRE(peer);
        auto sent = co_await peer->send("hello");
        (void)sent;
        outcome got;
        co_await recv_once(*peer, got);
        const errc expected = i % 3 == 2 ? errc::ok : errc::connection_reset;
        CHECK(got.error == expected);
        CHECK(got.count == 0);
    }
}

task<> end_inside_every_event(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    co_await weft::when_all(
        accept_and_end(*listener, 30), connect_send_recv(w, listener->local()->port, 30));
}

} // namespace

TEST_CASE("pitfall 2: no coroutine runs inside lwIP, so ending a connection on any event is safe") {
    two_hosts w;
    w.run(end_inside_every_event(w));
}

namespace {

task<> end_of_stream_stays(two_hosts& w) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    auto sent = co_await p.client.send_all("last words");
    CHECK(sent.error() == errc::ok);
    REQUIRE(p.client.shutdown_send());
    outcome got;
    co_await recv_once(p.server, got);
    CHECK(got.count == 10);
    for (int i = 0; i < 3; ++i) {
        co_await recv_once(p.server, got);
        CHECK(got.error == errc::ok);
        CHECK(got.count == 0);
    }
    const auto peeked = p.server.peek();
    REQUIRE(peeked);
    CHECK(peeked->empty());
}

} // namespace

TEST_CASE("pitfall 4: the end of the stream is told for good, after the data") {
    two_hosts w;
    w.run(end_of_stream_stays(w));
}

namespace {

constexpr std::size_t reply_size = 200'000;

task<> close_with_unread_input(two_hosts& w, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    transfer asked;
    co_await write_all(p.client, asked, 30'000);
    co_await sleep(200ms); // all of it waits, unread, in the server's socket
    transfer replied;
    co_await write_all(p.server, replied, reply_size);
    p.server.close();
    co_await read_all(p.client, got);
}

task<> write_for_ever(tcp_stream& to, errc& ended) {
    const std::vector<std::byte> piece(1000);
    while (ended == errc::ok) {
        auto sent = co_await to.send_all(piece);
        outside_lwip();
        ended = sent.error();
    }
}

task<> close_under_a_talker(two_hosts& w, received& got, errc& talker) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    weft::task_group group(w.home);
    REQUIRE(group.spawn(write_for_ever(p.client, talker)));
    co_await sleep(300ms);
    transfer replied;
    co_await write_all(p.server, replied, reply_size);
    p.server.close();
    co_await read_all(p.client, got);
    auto joined = co_await group.join();
    (void)joined;
}

} // namespace

TEST_CASE("pitfall 5: close with unread input still delivers what was sent, then FIN") {
    two_hosts w(default_seed, {.delay = 20ms});
    recording seen(w.cable);
    received got;
    w.run(close_with_unread_input(w, got));
    CHECK(got.error == errc::ok);
    CHECK(got.size == reply_size);
    CHECK(got.intact);
    CHECK(seen.segments_with(recording::rst) == 0);
}

TEST_CASE("pitfall 5: close while the peer goes on sending delivers what was sent") {
    two_hosts w(default_seed, {.delay = 20ms});
    received got;
    errc talker = errc::ok;
    w.run(close_under_a_talker(w, got, talker));
    CHECK(got.size == reply_size);
    CHECK(got.intact);
    CHECK(got.error == errc::ok);
    // once all is delivered the talker is told
    CHECK((talker == errc::connection_reset || talker == errc::broken_pipe));
}

namespace {

task<> close_short_of_memory(two_hosts& w, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    transfer sent;
    co_await write_all(p.server, sent, 20'000);
    co_await sleep(1s); // delivered: the FIN needs a segment of its own
    memory::fail_after(memory::of_segments | memory::of_heap | memory::of_pbufs, 0);
    p.server = tcp_stream(); // the socket is gone, lwIP closes later
    co_await sleep(3s);
    CHECK(memory::failures() > 0);
    CHECK(!w.b->drained());
    memory::recover();
    co_await read_all(p.client, got);
    co_await sleep(1s);
    CHECK(w.b->drained());
}

task<> close_listener(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 8080});
    REQUIRE(listener);
    REQUIRE(listener->socket()->set_reuse_address(true));
    REQUIRE(listener->socket()->set_keep_alive(true));
    REQUIRE(listener->socket()->set_no_delay(true));
    REQUIRE(listener->socket()->listen(3));
    CHECK(listener->socket()->remote().error() == errc::not_connected);
    std::array<std::byte, 1> one;
    CHECK(listener->socket()->try_recv(one) < 0);
    CHECK(listener->socket()->peek().error() == errc::not_connected);
    listener->socket()->abort();
    CHECK(weft::count_lwip_usage().tcp_listening == 0);
    auto peer = co_await w.a->connect({bob_ip, 8080});
    CHECK(peer.error() == errc::connection_refused);
}

} // namespace

TEST_CASE("pitfall 6: a close without memory finishes later, with nobody left to call back") {
    two_hosts w;
    received got;
    w.run(close_short_of_memory(w, got));
    CHECK(got.size == 20'000);
    CHECK(got.intact);
    CHECK(got.error == errc::ok);
}

TEST_CASE("pitfall 6: a listening pcb is a smaller struct; options, abort and close respect it") {
    two_hosts w;
    w.run(close_listener(w));
}

namespace {

task<> answer_after_end(tcp_stream& server, std::size_t size) {
    received asked;
    co_await read_all(server, asked);
    CHECK(asked.size == 50'000);
    transfer replied;
    co_await write_all(server, replied, size);
    server.close();
}

task<> half_close_both(two_hosts& w, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    weft::task_group group(w.home);
    REQUIRE(group.spawn(answer_after_end(p.server, 70'000)));
    transfer sent;
    co_await write_all(p.client, sent, 50'000);
    REQUIRE(p.client.shutdown_send());
    REQUIRE(p.client.shutdown_send()); // again: nothing
    auto refused = co_await p.client.send("late");
    CHECK(refused.error() == errc::broken_pipe);
    co_await read_all(p.client, got);
    auto joined = co_await group.join();
    (void)joined;
}

} // namespace

TEST_CASE("pitfall 7: half close: the other direction goes on, a late send is told broken pipe") {
    two_hosts w(default_seed, {.delay = 5ms});
    recording seen(w.cable);
    received got;
    w.run(half_close_both(w, got));
    CHECK(got.size == 70'000);
    CHECK(got.intact);
    CHECK(got.error == errc::ok);
    CHECK(seen.segments_with(recording::rst) == 0);
}

namespace {

// Both sides end with shutdown_send() and keep their handles: lwIP frees the pcb behind TIME_WAIT
// and LAST_ACK without asking anyone.
task<> keep_handles_past_time_wait(two_hosts& w, bool at_once) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    REQUIRE(p.client.shutdown_send());
    if (!at_once) {
        co_await sleep(1s);
    }
    REQUIRE(p.server.shutdown_send());
    outcome got;
    co_await recv_once(p.client, got);
    CHECK(got.error == errc::ok);
    co_await recv_once(p.server, got);
    CHECK(got.error == errc::ok);
    co_await sleep(10min); // TIME_WAIT is over
    const weft::lwip_usage used = weft::count_lwip_usage();
    CHECK(used.tcp_active == 0);
    CHECK(used.tcp_time_wait == 0);
    pair_of_streams others; // the freed pcbs belong to somebody else now
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, others);
    co_await recv_once(p.client, got);
    CHECK(got.error == errc::ok);
    CHECK(got.count == 0);
    REQUIRE(p.client.set_no_delay(true));
    CHECK(p.client.shutdown_send().error() == errc::not_connected);
    p.client.close();
    p.server.abort();
    auto sent = co_await others.client.send_all("still here");
    CHECK(sent.error() == errc::ok);
    co_await recv_once(others.server, got);
    CHECK(got.count == 10);
}

} // namespace

TEST_CASE("pitfall 7: a handle kept past TIME_WAIT refers to no pcb any more") {
    two_hosts w(default_seed, {.delay = 5ms});
    SUBCASE("one end after the other") {
        w.run(keep_handles_past_time_wait(w, false));
    }
    SUBCASE("both at once") {
        w.run(keep_handles_past_time_wait(w, true));
    }
}

namespace {

task<> connect_without_memory(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    const endpoint at{bob_ip, listener->local()->port};
    auto socket = w.a->open_tcp(family::ipv4);
    REQUIRE(socket);
    tcp_stream stream(*socket);
    memory::fail_after(memory::of_segments | memory::of_heap, 0);
    CHECK((*socket)->start_connect(at).error() == errc::no_memory);
    memory::recover();
    CHECK((*socket)->connect_result().error() == errc::not_connected);
    // the same socket may try again
    CHECK((*socket)->start_connect(at).error() == errc::in_progress);
    co_await sleep(1s);
    CHECK((*socket)->connect_result().has_value());

    memory::fail_after(memory::of_pcbs, 0);
    auto none = co_await w.a->connect(at);
    CHECK(none.error() == errc::no_memory);
    memory::fail_after(memory::of_segments | memory::of_heap, 0);
    auto no_segment = co_await w.a->connect(at);
    CHECK(no_segment.error() == errc::no_memory);
    memory::recover();
}

} // namespace

TEST_CASE("pitfall 12: a connect that fails at once leaves nothing behind, and may be repeated") {
    two_hosts w;
    const weft::lwip_usage before = weft::count_lwip_usage();
    w.run(connect_without_memory(w));
    w.pass(5min);
    const weft::lwip_usage after = weft::count_lwip_usage();
    CHECK(after.tcp_bound == before.tcp_bound);
    CHECK(after.tcp_active == before.tcp_active);
}

namespace {

/// More than Alice's window takes of it: the rest waits until she reads.
constexpr std::size_t beyond_window = 400 * 1024;

task<> fill_and_close(two_hosts& w, pair_of_streams& p, bool half_closed) {
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    if (half_closed) {
        CHECK(p.client.shutdown_send());
        received nothing;
        co_await read_all(p.server, nothing);
        CHECK(nothing.error == errc::ok);
    }
    transfer sent;
    co_await write_all(p.server, sent, beyond_window);
    CHECK(sent.error() == errc::ok);
    p.server.close();
}

task<> read_rest(tcp_stream& from, received& got) {
    co_await read_all(from, got);
}

} // namespace

TEST_CASE("a closed socket's data waits two minutes for a window that stays closed") {
    for (const bool half_closed : {false, true}) {
        CAPTURE(half_closed);
        two_hosts w;
        pair_of_streams p;
        w.run(fill_and_close(w, p, half_closed));
        w.pass(100s);
        CHECK(weft::count_lwip_usage().tcp_active == 2); // Alice's answers to probes keep it alive
        w.pass(60s);
        CHECK(weft::count_lwip_usage().tcp_active == 1); // hers
        p.client.abort();
    }
}

TEST_CASE("a closed socket's data is delivered to a peer that reads again in time") {
    for (const bool half_closed : {false, true}) {
        CAPTURE(half_closed);
        two_hosts w;
        pair_of_streams p;
        w.run(fill_and_close(w, p, half_closed));
        received got;
        for (int rest = 0; rest < 3; ++rest) { // a window opened and closed again begins anew
            w.pass(90s);
            CHECK(weft::count_lwip_usage().tcp_active == 2);
            std::array<std::byte, 16 * 1024> buffer;
            const auto n = p.client.try_recv(buffer);
            REQUIRE(n);
            for (std::size_t i = 0; i < *n; ++i) {
                got.intact = got.intact && buffer[i] == pattern(got.size + i);
            }
            got.size += *n;
        }
        w.run(read_rest(p.client, got));
        CHECK(got.error == errc::ok);
        CHECK(got.size == beyond_window);
        CHECK(got.intact);
    }
}
