// Accepting: rules 8, 9 and 10 of pitfalls.md.
#include "hosts.hpp"
#include "packets.hpp"

#include "stack/lwip/api.hpp"

using namespace hosts;

namespace {

task<> talk_first(weft::stack& from, endpoint to) {
    auto peer = co_await from.connect(to);
    REQUIRE(peer);
    auto sent = co_await peer->send_all("hello before anybody accepted");
    CHECK(sent.error() == errc::ok);
}

task<> data_before_accept(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    co_await talk_first(*w.a, {bob_ip, listener->local()->port}); // and closes
    co_await sleep(5s);
    auto peer = co_await listener->accept();
    REQUIRE(peer);
    CHECK(peer->remote()->address == alice_ip);
    std::array<std::byte, 64> buffer;
    auto n = co_await peer->read_exactly(std::span(buffer).first(29));
    CHECK(n.count == 29);
    auto end = co_await peer->recv(buffer);
    REQUIRE(end);
    CHECK(*end == 0);
}

task<> accept_without_pcbs(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    auto socket = w.a->open_tcp(family::ipv4);
    REQUIRE(socket);
    tcp_stream client(*socket);
    memory::fail_after(memory::of_pcbs | memory::of_objects, 0);
    CHECK((*socket)->start_connect({bob_ip, listener->local()->port}).error() == errc::in_progress);
    co_await sleep(1s);
    CHECK(memory::failures() > 0); // lwIP called accept with null and ERR_MEM
    CHECK(listener->try_accept().error() == errc::would_block);
    memory::recover();
    auto peer = co_await listener->accept(); // its SYN comes again
    CHECK(peer.has_value());
    CHECK((*socket)->connect_result().has_value());
}

/// With SO_REUSEADDR, which stack::listen sets, lwIP would bind to the port of another listener.
task<> ephemeral_ports(two_hosts& w) {
    std::array<tcp_listener, 4> others;
    for (tcp_listener& other : others) {
        auto listening = w.b->listen({bob_ip, 0});
        REQUIRE(listening);
        other = std::move(*listening);
    }
    for (int i = 0; i < 20'000; ++i) { // a random one of 16,384 would meet these 5 times
        auto one_more = w.b->listen({bob_ip, 0});
        REQUIRE(one_more);
        co_await weft::yield();
    }
}

/// From the same port; the server closes first, so that its end is in TIME_WAIT.
task<> connect_from_one_port(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    for (int i = 0; i < 3; ++i) {
        auto socket = w.a->open_tcp(family::ipv4);
        REQUIRE(socket);
        tcp_stream client(*socket);
        REQUIRE((*socket)->bind({alice_ip, 4321}));
        const auto begun = w.home.now();
        CHECK((*socket)->start_connect(*listener->local()).error() == errc::in_progress);
        auto peer = co_await listener->accept();
        REQUIRE(peer);
        CHECK(w.home.now() - begun < 10s); // TIME_WAIT is of two minutes
        peer->close();
        std::array<std::byte, 8> buffer;
        auto end = co_await client.recv(buffer);
        CHECK(end.value_or(1) == 0);
        client.close();
        co_await sleep(1s);
        CHECK(weft::count_lwip_usage().tcp_time_wait == 1);
    }
}

} // namespace

TEST_CASE("a peer connects again from the port of a connection that is in TIME_WAIT") {
    two_hosts w;
    w.run(connect_from_one_port(w));
}

TEST_CASE("an ephemeral port is one that nobody has, with SO_REUSEADDR too") {
    two_hosts w;
    w.run(ephemeral_ports(w));
}

TEST_CASE("pitfall 8: what comes before accept waits, the end of the stream too") {
    two_hosts w;
    w.run(data_before_accept(w));
}

TEST_CASE("pitfall 8: no memory for a connection: accept is not bothered, the peer tries again") {
    two_hosts w;
    w.run(accept_without_pcbs(w));
}

namespace {

struct queue_count {
    std::size_t connected = 0;
    std::size_t failed = 0;
};

task<> connect_and_hold(weft::stack& from, endpoint to, queue_count& count, weft::event& end) {
    auto peer = co_await from.connect(to);
    outside_lwip();
    count.connected += peer ? 1U : 0U;
    count.failed += peer ? 0U : 1U;
    auto waited = co_await end.wait();
    (void)waited;
}

task<> backlog_of_four(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0}, 4);
    REQUIRE(listener);
    const endpoint at{bob_ip, listener->local()->port};
    queue_count count;
    weft::event end;
    weft::task_group clients(w.home);
    for (int i = 0; i < 10; ++i) {
        REQUIRE(clients.spawn(connect_and_hold(*w.a, at, count, end)));
    }
    co_await sleep(100ms);
    CHECK(count.connected == 4); // the queue is full; the others' SYNs are not answered
    std::vector<tcp_stream> accepted;
    for (int i = 0; i < 2; ++i) {
        auto next = co_await listener->accept();
        REQUIRE(next);
        accepted.push_back(std::move(*next));
    }
    co_await sleep(5s);
    CHECK(count.connected == 6); // two places, two more
    while (accepted.size() < 10) {
        auto next = co_await listener->accept();
        REQUIRE(next);
        accepted.push_back(std::move(*next));
    }
    CHECK(count.connected == 10);
    CHECK(count.failed == 0);
    REQUIRE(listener->socket()->listen(1)); // may be changed
    end.set();
    auto joined = co_await clients.join();
    (void)joined;
}

task<> reset_in_queue(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0}, 2);
    REQUIRE(listener);
    const endpoint at{bob_ip, listener->local()->port};
    auto first = co_await w.a->connect(at);
    auto second = co_await w.a->connect(at);
    REQUIRE(first);
    REQUIRE(second);
    co_await sleep(10ms);
    auto third = co_await weft::timeout(w.a->connect(at), 2s);
    CHECK(third.error() == errc::timed_out); // full
    first->abort();
    co_await sleep(10ms);
    auto fourth = co_await weft::timeout(w.a->connect(at), 2s);
    CHECK(fourth.has_value()); // its place is free
    auto next = co_await listener->accept();
    REQUIRE(next);
    CHECK(next->remote()->port == second->local()->port); // the reset one is not handed out
    second->abort();
    fourth->abort();
    co_await sleep(10ms);
    CHECK(listener->try_accept().error() == errc::would_block);
    auto fifth = co_await weft::timeout(w.a->connect(at), 2s);
    auto sixth = co_await weft::timeout(w.a->connect(at), 2s);
    CHECK(fifth.has_value());
    CHECK(sixth.has_value());
}

task<> close_with_queue(two_hosts& w, errc& told) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    auto peer = co_await w.a->connect({bob_ip, listener->local()->port});
    REQUIRE(peer);
    co_await sleep(10ms);
    listener->close();
    received got;
    co_await read_all(*peer, got);
    told = got.error;
}

} // namespace

TEST_CASE(
    "pitfall 9: the backlog is a real queue: its length is honoured, others wait and succeed") {
    two_hosts w(default_seed, {.delay = 1ms});
    w.run(backlog_of_four(w));
}

TEST_CASE("pitfall 9: the reset of a queued connection frees its place") {
    two_hosts w(default_seed, {.delay = 1ms});
    w.run(reset_in_queue(w));
}

TEST_CASE("pitfall 9: closing a listener resets what nobody accepted") {
    two_hosts w(default_seed, {.delay = 1ms});
    errc told = errc::ok;
    w.run(close_with_queue(w, told));
    CHECK(told == errc::connection_reset);
    CHECK(weft::count_lwip_usage().tcp_active == 0);
}

namespace {

task<> scan(weft::stack& from, int ports) {
    for (int port = 0; port < ports; ++port) {
        auto peer = co_await from.connect({bob_ip, static_cast<std::uint16_t>(20'000 + port)});
        CHECK(peer.error() == errc::connection_refused);
    }
}

// Half of a handshake from a source port of its own, `syns` times: SYN_RCVD pcbs until none is
// left.
task<> flood(two_hosts& w, std::uint16_t to_port, std::size_t syns) {
    for (std::size_t i = 0; i < syns; ++i) {
        packets::segment first{static_cast<std::uint16_t>(1024 + i), to_port};
        first.flags = packets::syn;
        const packets::bytes segment = packets::tcp(nobody_ip, bob_ip, first);
        const packets::bytes packet = packets::ipv4(nobody_ip, bob_ip, 6, segment);
        REQUIRE(packets::send(*w.alice_end, bob, packet));
        if (i % 64 == 63) {
            co_await sleep(1ms);
        }
    }
}

task<> check_alive(pair_of_streams& p) {
    std::array<std::byte, 5> buffer;
    auto sent = co_await p.client.send_all("alive");
    CHECK(sent.error() == errc::ok);
    auto n = co_await p.server.read_exactly(buffer);
    CHECK(n.count == 5);
    auto back = co_await p.server.send_all(buffer);
    CHECK(back.error() == errc::ok);
    auto m = co_await p.client.read_exactly(buffer);
    CHECK(m.count == 5);
}

task<> established_survive(two_hosts& w) {
    std::vector<pair_of_streams> kept(20);
    for (pair_of_streams& p : kept) {
        co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    }
    co_await scan(*w.a, 600);
    for (pair_of_streams& p : kept) {
        co_await check_alive(p);
    }
    auto listener = w.b->listen({bob_ip, 0}, 255);
    REQUIRE(listener);
    co_await flood(w, listener->local()->port, MEMP_NUM_TCP_PCB + 500);
    for (pair_of_streams& p : kept) {
        co_await check_alive(p);
    }
    co_await sleep(3min); // lwIP gives the half-open ones up
    auto peer = co_await w.a->connect({bob_ip, listener->local()->port});
    CHECK(peer.has_value());
}

// More connections than there are pcbs, one after another: TIME_WAIT makes room.
task<> recycle_time_wait(two_hosts& w) {
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    const endpoint at{bob_ip, listener->local()->port};
    pair_of_streams kept;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, kept);
    std::size_t most = 0;
    for (int i = 0; i < MEMP_NUM_TCP_PCB + 1000; ++i) {
        auto client = co_await w.a->connect(at);
        REQUIRE(client);
        auto server = co_await listener->accept();
        REQUIRE(server);
        client->close();
        std::array<std::byte, 1> none;
        auto end = co_await server->recv(none);
        REQUIRE(end);
        server->close();
        const std::size_t waiting = weft::count_lwip_usage().tcp_time_wait;
        most = waiting > most ? waiting : most;
    }
    MESSAGE("in TIME_WAIT at most ", most, " of ", MEMP_NUM_TCP_PCB, " pcbs");
    CHECK(most > MEMP_NUM_TCP_PCB / 2);
    co_await check_alive(kept);
}

task<> open_until_none(two_hosts& w) {
    pair_of_streams kept;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, kept);
    std::vector<tcp_stream> taken;
    errc last = errc::ok;
    while (last == errc::ok) {
        const auto next = w.a->open_tcp(family::ipv4);
        last = next ? errc::ok : next.error();
        if (next) {
            taken.emplace_back(*next);
        }
    }
    CHECK(last == errc::no_memory);
    CHECK(taken.size() > MEMP_NUM_TCP_PCB - 10);
    co_await check_alive(kept);
    taken.clear();
    co_await sleep(1ms);
    const auto again = w.a->open_tcp(family::ipv4);
    REQUIRE(again);
    const tcp_stream one(*again);
}

} // namespace

TEST_CASE("pitfall 10: neither a port scan nor a SYN flood ends an established connection") {
    two_hosts w;
    w.run(established_survive(w));
}

TEST_CASE("pitfall 10: TIME_WAIT makes room when pcbs run out") {
    two_hosts w;
    w.run(recycle_time_wait(w));
}

TEST_CASE("pitfall 10: out of pcbs is out of memory, and is over when one is free") {
    two_hosts w;
    w.run(open_until_none(w));
}
