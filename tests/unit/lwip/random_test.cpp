// What must be unpredictable, and what must repeat: sequence numbers (RFC 6528), ports, whole runs.
#include "hosts.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace hosts;

namespace {

// SYNs from one port to some ports of Bob's; their sequence numbers.
task<> syn_from(two_hosts& w, std::uint16_t from, std::uint16_t to) {
    const auto socket = w.a->open_tcp(family::ipv4);
    REQUIRE(socket);
    tcp_stream stream(*socket);
    REQUIRE((*socket)->set_reuse_address(true));
    REQUIRE((*socket)->bind({address::any(), from}));
    CHECK((*socket)->start_connect({bob_ip, to}).error() == errc::in_progress);
    co_await sleep(1ms);
    stream.abort();
}

std::uint32_t isn(two_hosts& w, recording& seen, std::uint16_t from, std::uint16_t to) {
    seen.frames.clear();
    w.run(syn_from(w, from, to));
    for (const recording::frame& f : seen.frames) {
        if (f.tcp_flags() == recording::syn) {
            return f.sequence();
        }
    }
    REQUIRE(false);
    return 0;
}

} // namespace

TEST_CASE("random: initial sequence numbers by RFC 6528") {
    std::vector<std::uint32_t> first_run;
    for (const std::uint64_t seed : {default_seed, default_seed, std::uint64_t{8}}) {
        two_hosts w(seed);
        recording seen(w.cable);
        w.pass(1s);
        (void)isn(w, seen, 5999, 1);
        const weft::time_point begin = w.home.now();
        std::vector<std::uint32_t> numbers;
        std::set<std::uint32_t> differences;
        for (std::uint16_t port = 1; port <= 50; ++port) {
            numbers.push_back(isn(w, seen, 6000, port));
            if (numbers.size() > 1) {
                differences.insert(numbers.back() - numbers[numbers.size() - 2]);
            }
        }
        CHECK(differences.size() == 49); // the tuple matters, and not by a step
        // the same tuple later: M of F + M is a clock of 4 microseconds
        const weft::duration between = w.home.now() - begin;
        const std::uint32_t again = isn(w, seen, 6000, 1);
        const auto ticks = static_cast<std::uint32_t>(between / 4us);
        CHECK(again - numbers[0] >= ticks - 1000);
        CHECK(again - numbers[0] <= ticks + 1000);
        if (first_run.empty()) {
            first_run = numbers;
        } else if (seed == default_seed) {
            for (std::size_t i = 1; i < numbers.size(); ++i) { // repeatable, but for lwIP's clock
                CHECK(numbers[i] - numbers[0] == first_run[i] - first_run[0]);
            }
        } else {
            CHECK(numbers[1] - numbers[0] != first_run[1] - first_run[0]);
        }
    }
}

namespace {

std::vector<unsigned> ports(std::optional<std::uint64_t> seed) {
    world w;
    weft::lwip_options options;
    options.seed = seed;
    const auto net = weft::make_lwip_stack(w.home, options);
    REQUIRE(net);
    std::vector<unsigned> found;
    std::vector<tcp_stream> kept;
    for (int i = 0; i < 100; ++i) {
        const auto socket = (*net)->open_tcp(family::ipv4);
        REQUIRE(socket);
        kept.emplace_back(*socket);
        REQUIRE((*socket)->bind({address::any(), 0}));
        found.push_back(kept.back().local()->port);
        const auto datagrams = (*net)->bind_udp({address::any(), 0});
        REQUIRE(datagrams);
        found.push_back(datagrams->local()->port);
    }
    return found;
}

} // namespace

TEST_CASE("random: source ports are drawn, not counted, and follow the seed if there is one") {
    const std::vector<unsigned> seeded = ports(3);
    CHECK(seeded == ports(3));
    CHECK(seeded != ports(4));
    const std::vector<unsigned> real = ports(std::nullopt);
    CHECK(real != ports(std::nullopt));
    for (const std::vector<unsigned>& drawn : {seeded, real}) {
        std::size_t steps = 0;
        unsigned low = 65535;
        unsigned high = 0;
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            low = drawn[i] < low ? drawn[i] : low;
            high = drawn[i] > high ? drawn[i] : high;
            steps += i > 1 && drawn[i] == drawn[i - 2] + 1 ? 1U : 0U;
        }
        CHECK(low >= 49152);
        CHECK(high > low + 10'000);
        CHECK(steps < 3);
    }
}

TEST_CASE("random: a TCP port does not come again among the next 32") {
    world w;
    weft::lwip_options options;
    options.seed = 1;
    const auto net = weft::make_lwip_stack(w.home, options);
    REQUIRE(net);
    std::vector<unsigned> found;
    for (int i = 0; i < 5'000; ++i) {
        const auto socket = (*net)->open_tcp(family::ipv4);
        REQUIRE(socket);
        const tcp_stream short_lived(*socket);
        REQUIRE((*socket)->bind({address::any(), 0}));
        const unsigned port = short_lived.local()->port;
        REQUIRE(port >= 49152);
        REQUIRE(
            std::find(found.end() - std::min<std::ptrdiff_t>(32, i), found.end(), port) ==
            found.end());
        found.push_back(port);
    }
    const auto [low, high] = std::minmax_element(found.begin(), found.end());
    CHECK(*low < 49152 + 512);
    CHECK(*high > 65535 - 512);
}
