// Receiving: rules 3 and 19 of pitfalls.md, and a window that opens as bytes are consumed.
#include "hosts.hpp"
#include "packets.hpp"

#include "stack/lwip/api.hpp"

using namespace hosts;

namespace {

task<> fill(tcp_stream& to, transfer& done, std::size_t size, std::size_t step) {
    co_await write_all(to, done, size, step);
    to.close();
}

struct bulk {
    std::size_t size;
    std::size_t write_step;
    std::size_t read_step;
    weft::duration pause{};
};

task<> move_bulk(weft::stack& from, weft::stack& to, endpoint at, bulk how, received& got) {
    pair_of_streams p;
    co_await connect_pair(from, to, at, p);
    transfer sent;
    co_await weft::when_all(
        fill(p.client, sent, how.size, how.write_step),
        read_all(p.server, got, how.read_step, how.pause));
    CHECK(sent.count == how.size);
}

} // namespace

TEST_CASE("pitfall 3: more than 65,535 bytes taken in one turn all go back to the window") {
    two_hosts w(default_seed, {.delay = 1ms});
    received got;
    SUBCASE("read at once") {
        w.run(move_bulk(*w.a, *w.b, {bob_ip, 0}, {5'000'000, 100'000, 300'000}, got));
    }
    SUBCASE("left to pile up to the whole window first") {
        w.run(move_bulk(*w.a, *w.b, {bob_ip, 0}, {5'000'000, 100'000, 1'000'000, 50ms}, got));
    }
    CHECK(got.size == 5'000'000);
    CHECK(got.intact);
    CHECK(got.error == errc::ok);
}

TEST_CASE("receiving: all sizes of read and write, over the wire and over loopback") {
    const std::size_t size = 100'000;
    for (const std::size_t read_step : {std::size_t{1}, std::size_t{999}, std::size_t{70'000}}) {
        for (const std::size_t write_step :
             {std::size_t{37}, std::size_t{1460}, std::size_t{90'000}}) {
            received got;
            {
                two_hosts w;
                w.run(move_bulk(*w.a, *w.b, {bob_ip, 0}, {size, write_step, read_step}, got));
            }
            CHECK(got.size == size);
            CHECK(got.intact);
            received looped;
            {
                one_host w;
                const endpoint at{address::loopback(), 0};
                w.run(move_bulk(*w.net, *w.net, at, {size, write_step, read_step}, looped));
            }
            CHECK(looped.size == size);
            CHECK(looped.intact);
        }
    }
}

namespace {

task<> stall_and_go_on(two_hosts& w, std::size_t step, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    REQUIRE(p.client.set_no_delay(true));
    transfer sent;
    const std::size_t size = 2'000'000;
    weft::task_group group(w.home);
    REQUIRE(group.spawn(fill(p.client, sent, size, step)));
    co_await sleep(5s);
    const std::size_t stalled_at = sent.count;
    CHECK(stalled_at < size);
    CHECK(stalled_at >= TCP_WND);
    CHECK(stalled_at <= TCP_WND + TCP_SND_BUF + step);
    co_await sleep(60s);
    CHECK(sent.count == stalled_at); // not a byte more without reading
    // the window opens by what is read: a little lets a little through
    std::vector<std::byte> some(50'000);
    auto n = co_await p.server.read_exactly(some);
    CHECK(n.count == some.size());
    CHECK(some == pattern(0, some.size()));
    co_await sleep(10s);
    CHECK(sent.count >= stalled_at + 30'000);
    CHECK(sent.count <= 50'000 + TCP_WND + TCP_SND_BUF + step);
    std::vector<std::byte> rest(size - some.size());
    auto m = co_await p.server.read_exactly(rest);
    CHECK(m.count == rest.size());
    got.intact = rest == pattern(some.size(), rest.size());
    auto joined = co_await group.join();
    (void)joined;
}

} // namespace

TEST_CASE(
    "window: a sender stalls at the window of a reader who does not read, and memory is bounded") {
    two_hosts w(default_seed, {.delay = 1ms});
    received got;
    const std::ptrdiff_t before = memory::in_use().heap_bytes;
    (void)memory::heap_peak();
    w.run(stall_and_go_on(w, 4096, got));
    CHECK(got.intact);
    const std::ptrdiff_t most = memory::heap_peak() - before;
    MESSAGE("heap at most ", most / 1024, " KiB for a window of ", TCP_WND / 1024, " KiB");
    CHECK(most < 4 * (TCP_WND + TCP_SND_BUF));
}

namespace {

// Segments of `step` bytes, each pushed on its own: no_delay, and a pause that lets it leave.
task<> drip(tcp_stream& to, std::size_t count, std::size_t step, std::size_t& sent) {
    REQUIRE(to.set_no_delay(true));
    for (std::size_t i = 0; i < count; ++i) {
        const std::vector<std::byte> piece = pattern(sent, step);
        auto done = co_await to.send_all(piece);
        if (done.error() != errc::ok) {
            co_return;
        }
        sent += step;
        co_await sleep(1ms);
    }
}

task<> tiny_segments(two_hosts& w, std::ptrdiff_t& held, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    const std::ptrdiff_t before = memory::in_use().heap_bytes;
    std::size_t sent = 0;
    co_await drip(p.client, 3000, 2, sent);
    held = memory::in_use().heap_bytes - before;
    p.client.close();
    co_await read_all(p.server, got);
    CHECK(got.size == sent);
}

} // namespace

TEST_CASE("window: unread tiny segments do not each hold a full frame's buffer") {
    two_hosts w;
    received got;
    std::ptrdiff_t held = 0;
    w.run(tiny_segments(w, held, got));
    CHECK(got.intact);
    CHECK(got.size == 6000);
    MESSAGE("3,000 unread segments of 2 bytes hold ", held / 3000, " bytes each");
    CHECK(held < 3000 * 256);
}

namespace {

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

task<> pile_up(two_hosts& w, std::size_t segments, std::uint64_t& took) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    std::size_t sent = 0;
    const std::uint64_t begun = now_ns();
    co_await drip(p.client, segments, 1, sent);
    took = now_ns() - begun;
}

task<> answer(tcp_stream& peer, int rounds) {
    std::array<std::byte, 64> buffer;
    for (int i = 0; i < rounds; ++i) {
        auto n = co_await peer.recv(buffer);
        REQUIRE(n);
        auto sent = co_await peer.send_all(std::span(buffer).first(*n));
        REQUIRE(sent);
    }
}

task<> ask(tcp_stream& peer, int rounds) {
    std::array<std::byte, 64> buffer{};
    for (int i = 0; i < rounds; ++i) {
        auto sent = co_await peer.send_all(buffer);
        REQUIRE(sent);
        auto n = co_await peer.read_exactly(buffer);
        REQUIRE(n);
    }
}

task<> ping_pong(two_hosts& w, recording& seen, std::size_t& frames) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    co_await weft::when_all(answer(p.server, 10), ask(p.client, 10));
    seen.frames.clear();
    co_await weft::when_all(answer(p.server, 100), ask(p.client, 100));
    frames = seen.segments_with(0);
}

} // namespace

TEST_CASE("pitfall 19: queueing a segment costs the same whatever waits already") {
    std::uint64_t few = 0;
    std::uint64_t many = 0;
    {
        two_hosts w;
        w.run(pile_up(w, 2'000, few));
    }
    {
        two_hosts w;
        w.run(pile_up(w, 32'000, many));
    }
    const double ratio = static_cast<double>(many) / static_cast<double>(few) / 16;
    MESSAGE("a segment behind 32,000 costs ", ratio, " of one behind 2,000");
    WARN(ratio < 4); // walking would make it 16
}

TEST_CASE("pitfall 19: ACKs ride on answers written in the same turn") {
    two_hosts w(default_seed, {.delay = 1ms});
    recording seen(w.cable);
    std::size_t frames = 0;
    w.run(ping_pong(w, seen, frames));
    CHECK(frames == 200); // one segment each way, no empty ACK
}

namespace {

task<> fragmented_segment(two_hosts& w, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    // a segment of 100 bytes whose first fragment holds the header and nothing else
    const tcp_pcb* pcb = tcp_active_pcbs;
    while (pcb != nullptr && pcb->local_port != p.server.local()->port) {
        pcb = pcb->next;
    }
    REQUIRE(pcb != nullptr);
    packets::segment by_hand{pcb->remote_port, pcb->local_port, pcb->rcv_nxt, pcb->snd_nxt};
    by_hand.flags = packets::ack | packets::push;
    by_hand.options = {1, 1, 1, 1};
    for (std::size_t i = 0; i < 100; ++i) {
        by_hand.data.push_back(std::to_integer<std::uint8_t>(pattern(i)));
    }
    const packets::bytes whole = packets::tcp(alice_ip, bob_ip, by_hand);
    const std::span<const std::uint8_t> all = whole;
    const auto send = [&](std::span<const std::uint8_t> part, std::size_t offset, bool more) {
        const packets::bytes packet = packets::ipv4(alice_ip, bob_ip, 6, part, offset, more);
        REQUIRE(packets::send(*w.alice_end, bob, packet));
    };
    send(all.first(24), 0, true);
    send(all.subspan(24), 24, false);
    co_await sleep(10ms);
    while (got.size < 100) {
        const auto shown = p.server.peek();
        REQUIRE(shown);
        REQUIRE(!shown->empty()); // that would be the end of the stream
        for (const std::byte b : *shown) {
            got.intact = got.intact && b == pattern(got.size++);
        }
        p.server.consume(shown->size());
    }
    std::array<std::byte, 8> more;
    CHECK(p.server.try_recv(more).error() == errc::would_block);
}

} // namespace

TEST_CASE("receiving: a fragment that holds a header and no data is not the end of the stream") {
    two_hosts w;
    received got;
    w.run(fragmented_segment(w, got));
    CHECK(got.size == 100);
    CHECK(got.intact);
}
