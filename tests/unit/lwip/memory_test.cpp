// Out of memory: rule 11 of pitfalls.md, and allocations that fail at random moments.
#include "hosts.hpp"

#include "stack/lwip/api.hpp"

#include <cstdlib>

using namespace hosts;

namespace {

task<> write_pattern(tcp_stream& to, transfer& done, std::size_t size) {
    co_await write_all(to, done, size);
}

task<> starve_writer(two_hosts& w, unsigned kinds) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    std::vector<std::byte> first = pattern(0, 1000);
    auto sent = co_await p.client.send_all(first);
    REQUIRE(sent);
    co_await sleep(1s); // all is acknowledged: nothing in flight will bring a `sent`
    memory::fail_after(kinds, 0);
    const std::vector<std::byte> more = pattern(1000, 50'000);
    CHECK(p.client.try_send(more).error() == errc::would_block);
    // with room in the send buffer, and readiness says that it would block
    const tcp_pcb* pcb = tcp_active_pcbs;
    while (pcb != nullptr && pcb->local_port != p.client.local()->port) {
        pcb = pcb->next;
    }
    REQUIRE(pcb != nullptr);
    CHECK(pcb->snd_buf == TCP_SND_BUF);
    CHECK(!weft::any(p.client.socket()->ready() & weft::readiness::writable));

    transfer rest;
    rest.count = 1000;
    weft::task_group group(w.home);
    REQUIRE(group.spawn(write_pattern(p.client, rest, 51'000)));
    const std::size_t writes = memory::writes();
    const std::size_t turns = w.clock.turns();
    co_await sleep(60s);
    CHECK(rest.count == 1000);
    // it tries now and then, as often as lwIP polls its pcbs, and the loop sleeps in between
    CHECK(memory::writes() - writes < 60 * 5);
    CHECK(memory::writes() - writes > 10);
    CHECK(w.clock.turns() - turns < 60 * 40);
    memory::recover();
    received got;
    REQUIRE(group.spawn(read_all(p.server, got)));
    co_await sleep(10s); // and goes on by itself
    CHECK(rest.count == 51'000);
    p.client.close();
    auto joined = co_await group.join();
    (void)joined;
    CHECK(got.size == 51'000);
    CHECK(got.intact);
    CHECK(got.error == errc::ok);
}

} // namespace

TEST_CASE("pitfall 11: ERR_MEM with room in the send buffer: not writable, no spinning, goes on by "
          "itself") {
    two_hosts w;
    SUBCASE("segments") {
        w.run(starve_writer(w, memory::of_segments));
    }
    SUBCASE("heap") {
        w.run(starve_writer(w, memory::of_heap));
    }
    SUBCASE("everything") {
        w.run(starve_writer(w, memory::of_all));
    }
}

namespace {

task<> finish(tcp_stream& to, transfer& done, std::size_t size) {
    co_await write_all(to, done, size, 30'000);
    const result<> ended = to.shutdown_send();
    (void)ended;
}

// More connections than the segment pool can fill: each must get its share in the end.
task<> share_the_pool(two_hosts& w, std::size_t connections, std::size_t each) {
    std::vector<pair_of_streams> pairs(connections);
    std::vector<transfer> sent(connections);
    std::vector<received> got(connections);
    weft::task_group group(w.home);
    for (std::size_t i = 0; i < connections; ++i) {
        co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, pairs[i]);
    }
    for (std::size_t i = 0; i < connections; ++i) {
        REQUIRE(group.spawn(finish(pairs[i].client, sent[i], each)));
        REQUIRE(group.spawn(read_all(pairs[i].server, got[i])));
    }
    auto joined = co_await group.join();
    (void)joined;
    for (std::size_t i = 0; i < connections; ++i) {
        CHECK(got[i].size == each);
        CHECK(got[i].intact);
        CHECK(got[i].error == errc::ok);
    }
}

} // namespace

TEST_CASE("pitfall 11: a hundred writers share a pool that holds half of what they want") {
    two_hosts w(default_seed, {.delay = 10ms});
    w.run(share_the_pool(w, 100, 400'000));
}

namespace {

struct one_way {
    transfer sent;
    received got;
};

/// Ends cleanly, whatever happens: with everything delivered or with an error.
task<> exchange_while_failing(two_hosts& w, one_way& there, one_way& back, bool& connected) {
    auto listener = w.b->listen({bob_ip, 0});
    if (!listener) {
        co_return;
    }
    auto client = co_await weft::timeout(w.a->connect({bob_ip, listener->local()->port}), 1min);
    if (!client) {
        co_return;
    }
    auto server = co_await weft::timeout(listener->accept(), 1min);
    if (!server) {
        co_return;
    }
    connected = true;
    co_await weft::when_all(
        finish(*client, there.sent, 200'000), read_all(*server, there.got, 5000),
        finish(*server, back.sent, 200'000), read_all(*client, back.got, 5000));
}

void check(const one_way& direction) {
    CHECK(direction.got.intact);
    CHECK(direction.got.size <= direction.sent.count);
    if (direction.got.error == errc::ok && direction.sent.error() == errc::ok) {
        CHECK(direction.sent.count == 200'000);
        CHECK(direction.got.size == 200'000);
    }
}

} // namespace

TEST_CASE("allocations fail at random moments: a transfer completes or ends with an error; nothing "
          "leaks") {
    struct {
        std::string name;
        unsigned kinds;
        double chance;
    } const table[] = {
        {"pbufs", memory::of_pbufs, 0.2},       {"pcbs", memory::of_pcbs, 0.5},
        {"segments", memory::of_segments, 0.2}, {"heap", memory::of_heap, 0.05},
        {"heap, often", memory::of_heap, 0.3},  {"weft's own objects", memory::of_objects, 0.5},
        {"everything", memory::of_all, 0.05},
    };
    const char* more = std::getenv("WEFT_SEEDS"); // for a longer search than a test should be
    const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 12;
    const no_leak leaks;
    for (const auto& row : table) {
        int completed = 0;
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            INFO(row.name, ", seed ", seed);
            one_way there;
            one_way back;
            bool connected = false;
            {
                two_hosts w(seed, {.loss = seed % 2 == 0 ? 0.02 : 0, .delay = 5ms});
                memory::fail_at_random(row.kinds, row.chance, seed);
                w.run(exchange_while_failing(w, there, back, connected));
                CHECK(w.home.now() < weft::time_point(4h)); // retransmission timeouts are bounded
                memory::recover();
                w.pass(10min);
                CHECK(weft::count_lwip_usage().tcp_active == 0);
                CHECK(weft::count_lwip_usage().tcp_time_wait == 0);
                CHECK(weft::count_lwip_usage().tcp_bound == 0);
            }
            if (connected) {
                check(there);
                check(back);
                completed += there.got.size == 200'000 && back.got.size == 200'000 ? 1 : 0;
            }
            leaks.check();
        }
        MESSAGE(row.name, ": ", completed, " of ", seeds, " transfers completed");
        CHECK(completed > 0);
    }
}

namespace {

task<> udp_while_failing(two_hosts& w, std::size_t& arrived) {
    auto left = w.a->bind_udp({alice_ip, 0});
    auto right = w.b->bind_udp({bob_ip, 0});
    if (!left || !right) {
        co_return;
    }
    const std::vector<std::byte> data = pattern(0, 3000); // fragments
    std::array<std::byte, 4000> buffer;
    for (int i = 0; i < 200; ++i) {
        auto sent = co_await left->send_to(data, {bob_ip, right->local()->port});
        CHECK((sent || sent.error() == errc::no_memory || sent.error() == errc::no_buffers));
        auto got = co_await weft::timeout(right->recv_from(buffer), 1s);
        if (got) {
            CHECK(got->size == 3000);
            ++arrived;
        }
    }
}

} // namespace

TEST_CASE(
    "allocations fail at random moments: datagrams are lost or said to be lost; nothing leaks") {
    const no_leak leaks;
    std::size_t arrived = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        INFO("seed ", seed);
        {
            two_hosts w(seed);
            memory::fail_at_random(memory::of_all, 0.1, seed);
            w.run(udp_while_failing(w, arrived));
            memory::recover();
            w.pass(1min);
            CHECK(weft::count_lwip_usage().udp == 0);
        }
        leaks.check();
    }
    CHECK(arrived > 100);
}

#if !LWIP_STATS
TEST_CASE("pools are counted only where lwIP was compiled to: there are none to see here") {
    const weft::lwip_pools none;
    CHECK(none.size() == 0);
    CHECK(none.begin() == none.end());
    CHECK(none[0].limit == 0);
}
#endif
