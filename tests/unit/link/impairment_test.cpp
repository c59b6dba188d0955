// The wire as a bad network: each impairment does what it says, as often as it says. Seeds are
// fixed, so that the counts are the same in every run; the bounds are four standard deviations.
#include "frames.hpp"

#include <cmath>

using namespace frames;
using weft::errc;
using weft::wire_fate;

namespace {
constexpr std::uint32_t many = 5000;

/// Sends `many` frames, each received before the next. Returns the numbers that arrived.
std::vector<std::uint32_t> one_by_one(pair_of_ends& ends, weft::duration gap = 1us) {
    std::vector<std::uint32_t> arrived;
    for (std::uint32_t i = 0; i < many; ++i) {
        ends.at(start + gap * i);
        ends.send(i, 1);
        for (const std::uint32_t number : receive_numbers(*ends.b)) {
            arrived.push_back(number);
        }
    }
    ends.at(ends.cable.now() + 10s);
    for (const std::uint32_t number : receive_numbers(*ends.b)) {
        arrived.push_back(number);
    }
    return arrived;
}

bool within(std::uint64_t counted, double probability) {
    const double expected = many * probability;
    return std::abs(static_cast<double>(counted) - expected) <=
           4 * std::sqrt(expected * (1 - probability));
}

std::uint64_t overtaken(const std::vector<std::uint32_t>& numbers) {
    std::uint64_t pairs = 0;
    for (std::size_t i = 1; i < numbers.size(); ++i) {
        pairs += numbers[i] < numbers[i - 1] ? 1U : 0U;
    }
    return pairs;
}
} // namespace

TEST_CASE("impairments: loss, as often as its probability says") {
    for (const double p : {0.0, 0.01, 0.1, 0.5, 1.0}) {
        for (const std::uint64_t seed : {1U, 2U, 3U}) {
            CAPTURE(p);
            CAPTURE(seed);
            pair_of_ends ends({.seed = seed, .on_every_path = {.loss = p}});
            const auto arrived = one_by_one(ends);
            const std::uint64_t lost = ends.cable.count(wire_fate::lost, alice, bob);
            CHECK(within(lost, p));
            CHECK(arrived.size() == many - lost);
            CHECK(overtaken(arrived) == 0);
            CHECK(ends.cable.frames_on_the_way() == 0);
        }
    }
}

TEST_CASE("impairments: duplicate, the copy right behind the frame") {
    for (const double p : {0.05, 0.5, 1.0}) {
        CAPTURE(p);
        pair_of_ends ends({.seed = 4, .on_every_path = {.duplicate = p}});
        const auto arrived = one_by_one(ends);
        const std::uint64_t copies = ends.cable.count(wire_fate::duplicated);
        CHECK(within(copies, p));
        CHECK(arrived.size() == many + copies);
        CHECK(overtaken(arrived) == 0);
    }
}

TEST_CASE("impairments: corrupt flips one bit, anywhere in the frame") {
    pair_of_ends ends({.seed = 5, .on_every_path = {.corrupt = 0.5}});
    std::array<int, 60> flipped_at{};
    std::uint64_t corrupted = 0;
    for (std::uint32_t i = 0; i < many; ++i) {
        const bytes sent = make_frame(bob, alice, i);
        CHECK(send(*ends.a, sent).has_value());
        const bytes arrived = receive(*ends.b);
        REQUIRE(arrived.size() == sent.size());
        int bits = 0;
        for (std::size_t at = 0; at < sent.size(); ++at) {
            const int here = std::popcount(std::to_integer<unsigned>(sent[at] ^ arrived[at]));
            flipped_at[at] += here;
            bits += here;
        }
        CHECK(bits <= 1);
        corrupted += static_cast<std::uint64_t>(bits);
    }
    CHECK(corrupted == ends.cable.count(wire_fate::corrupted));
    CHECK(within(corrupted, 0.5));
    CHECK(*std::min_element(flipped_at.begin(), flipped_at.end()) > 0);
}

TEST_CASE("impairments: reorder lets later frames overtake, by reorder_delay") {
    const weft::impairments path{.reorder = 0.1, .reorder_delay = 2500ns, .delay = 1ms};
    pair_of_ends ends({.seed = 6, .on_every_path = path});
    const auto arrived = one_by_one(ends, 1us);
    CHECK(arrived.size() == many);
    const std::uint64_t reordered = ends.cable.count(wire_fate::reordered);
    CHECK(within(reordered, 0.1));
    // Two reordered in a row keep their order, so fewer pairs than reordered frames.
    CHECK(overtaken(arrived) > reordered / 2);
    CHECK(overtaken(arrived) <= reordered);
    for (std::size_t i = 0; i < arrived.size(); ++i) {
        const auto moved = std::abs(static_cast<long>(arrived[i]) - static_cast<long>(i));
        CHECK(moved <= 2); // 2.5 us late among frames 1 us apart
    }
}

TEST_CASE("impairments: delay is fixed; jitter adds up to its bound and never reorders") {
    pair_of_ends ends({.seed = 7, .on_every_path = {.delay = 20ms, .jitter = 5ms}});
    weft::duration shortest = weft::duration::max();
    weft::duration longest{};
    weft::duration sum{};
    for (std::uint32_t i = 0; i < many; ++i) {
        const weft::time_point sent = ends.cable.now();
        ends.send(i, 1);
        const weft::time_point arrival = ends.b->next_arrival();
        ends.at(arrival);
        REQUIRE(receive_numbers(*ends.b) == std::vector<std::uint32_t>{i});
        shortest = std::min(shortest, arrival - sent);
        longest = std::max(longest, arrival - sent);
        sum += arrival - sent;
    }
    CHECK(shortest >= 20ms);
    CHECK(shortest < 20100us);
    CHECK(longest <= 25ms);
    CHECK(longest > 24900us);
    CHECK(sum / many > 22400us);
    CHECK(sum / many < 22600us);

    ends.send(0, 1000);
    ends.at(ends.cable.now() + 25ms);
    const auto burst = receive_numbers(*ends.b);
    CHECK(burst.size() == 1000);
    CHECK(overtaken(burst) == 0);
}

TEST_CASE("impairments: throttle spaces frames by their bits") {
    // 1,000 bytes at 8 Mbit/s take 1 ms
    pair_of_ends ends({.on_every_path = {.delay = 10ms, .bits_per_second = 8'000'000}});
    ends.send(0, 5, 1000);
    for (int i = 1; i <= 5; ++i) {
        CHECK(ends.b->next_arrival() == start + 10ms + i * 1ms);
        ends.at(start + 10ms + i * 1ms);
        CHECK(receive_numbers(*ends.b).size() == 1);
    }
    // an idle line saves nothing up
    ends.send(5, 2, 500);
    CHECK(ends.b->next_arrival() == ends.cable.now() + 10ms + 500us);
    // each direction has a line of its own
    CHECK(send(*ends.b, make_frame(alice, bob, 1, 250)).has_value());
    CHECK(ends.a->next_arrival() == ends.cable.now() + 10ms + 250us);
    // rounded up to the nanosecond, and a bit a second is not too slow
    ends.cable.impair({.bits_per_second = 3});
    const weft::time_point before = ends.cable.now() + 1s;
    ends.at(before);
    receive_numbers(*ends.a);
    receive_numbers(*ends.b);
    ends.send(7, 1, 60);
    CHECK(ends.b->next_arrival() == before + 160s);
}

TEST_CASE("impairments: queue_limit drops from the tail and says so only to the counter") {
    pair_of_ends ends({.on_every_path = {.bits_per_second = 480'000, .queue_limit = 10}});
    ends.send(0, 25); // 60 bytes: 1 ms each
    CHECK(ends.cable.count(wire_fate::queue_full, alice, bob) == 15);
    ends.at(start + 2ms);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{0, 1});
    ends.send(25, 3);
    ends.at(start + 20ms);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{2, 3, 4, 5, 6, 7, 8, 9, 25, 26});
    CHECK(ends.cable.count(wire_fate::queue_full) == 16);
}

TEST_CASE("impairments: a cut is one way, a partition both") {
    pair_of_ends ends;
    const auto both_ways = [&ends] {
        ends.send(1, 1);
        CHECK(send(*ends.b, make_frame(alice, bob, 2)).has_value());
        return std::pair(receive_numbers(*ends.b).size(), receive_numbers(*ends.a).size());
    };
    CHECK(both_ways() == std::pair<std::size_t, std::size_t>(1, 1));
    CHECK(ends.cable.cut(alice, bob).has_value());
    CHECK(both_ways() == std::pair<std::size_t, std::size_t>(0, 1));
    CHECK(ends.cable.mend(alice, bob).has_value());
    CHECK(both_ways() == std::pair<std::size_t, std::size_t>(1, 1));
    CHECK(ends.cable.partition(bob, alice).has_value());
    CHECK(both_ways() == std::pair<std::size_t, std::size_t>(0, 0));
    CHECK(ends.cable.heal(alice, bob).has_value());
    CHECK(both_ways() == std::pair<std::size_t, std::size_t>(1, 1));
    CHECK(ends.cable.count(wire_fate::cut, alice, bob) == 2);
    CHECK(ends.cable.count(wire_fate::cut, bob, alice) == 1);

    ends.cable.impair({.delay = 1ms});
    ends.send(3, 1);
    CHECK(ends.cable.cut(alice, bob).has_value());
    ends.at(start + 1ms);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{3}); // was under way

    CHECK(ends.cable.cut(alice, carol).error() == errc::no_such_entry);
    CHECK(ends.cable.partition(carol, bob).error() == errc::no_such_entry);
    CHECK(ends.cable.count(wire_fate::cut, carol, bob) == 0);
}

TEST_CASE("impairments: hold stops frames at the entrance; release lets them start, in order") {
    pair_of_ends ends({.on_every_path = {.delay = 1ms}});
    ends.send(1, 1);
    CHECK(ends.cable.hold(alice, bob).has_value());
    ends.send(2, 4);
    ends.at(start + 1h);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{1});
    CHECK(ends.b->next_arrival() == weft::never);

    CHECK(*ends.cable.release_one(alice, bob));
    CHECK(ends.b->next_arrival() == start + 1h + 1ms);
    ends.send(6, 1); // still held, behind the others
    ends.at(start + 2h);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{2});

    CHECK(ends.cable.release(alice, bob).has_value());
    ends.send(7, 1);
    ends.at(start + 3h);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{3, 4, 5, 6, 7});
    CHECK(*ends.cable.release_one(alice, bob) == false);
    CHECK(ends.cable.count(wire_fate::held) == 5);
    CHECK(ends.cable.count(wire_fate::released) == 5);
    CHECK(ends.cable.hold(alice, carol).error() == errc::no_such_entry);
    CHECK(ends.cable.release(alice, carol).error() == errc::no_such_entry);
    CHECK(ends.cable.release_one(carol, bob).error() == errc::no_such_entry);

    CHECK(ends.cable.hold(alice, bob).has_value());
    CHECK(ends.cable.impair(alice, bob, {.queue_limit = 2}).has_value());
    ends.send(8, 3);
    CHECK(ends.cable.count(wire_fate::queue_full) == 1); // what is held is bounded as well
}

TEST_CASE("impairments: an end without its plug is down, and nothing reaches it") {
    pair_of_ends ends({.on_every_path = {.delay = 1ms}});
    ends.send(1, 1);
    CHECK(ends.cable.unplug(bob).has_value());
    CHECK(!ends.b->up());
    CHECK(ends.a->up());
    ends.send(2, 1);
    CHECK(send(*ends.b, make_frame(alice, bob, 3)).error() == errc::network_down);
    CHECK(ends.cable.plug(bob).has_value());
    CHECK(ends.b->up());
    ends.send(4, 1);
    ends.at(start + 1ms);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{4});
    CHECK(ends.cable.count(wire_fate::no_receiver) == 2);
    CHECK(ends.cable.plug(carol).error() == errc::no_such_entry);
}

TEST_CASE("impairments: one direction, and a change while frames are under way") {
    pair_of_ends ends;
    CHECK(ends.cable.impair(alice, bob, {.loss = 1}).has_value());
    ends.send(1, 10);
    CHECK(send(*ends.b, make_frame(alice, bob, 1)).has_value());
    CHECK(receive_numbers(*ends.b).empty());
    CHECK(receive_numbers(*ends.a).size() == 1);
    ends.cable.impair({.delay = 4ms});
    ends.send(11, 1);
    ends.cable.impair({.delay = 1ms});
    ends.send(12, 1); // does not overtake: only reorder does that
    CHECK(ends.b->next_arrival() == start + 4ms);
    ends.at(start + 4ms);
    CHECK(receive_numbers(*ends.b) == std::vector<std::uint32_t>{11, 12});
}

TEST_CASE("impairments: settings without sense do no harm") {
    using weft::impairments;
    const impairments strange[] = {
        {.loss = -1},
        {.duplicate = 7},
        {.delay = -1s},
        {.delay = weft::duration::max()},
        {.jitter = -1s},
        {.jitter = weft::duration::max()},
        {.reorder = 1, .reorder_delay = weft::duration::max()},
        {.bits_per_second = 1},
        {.bits_per_second = UINT64_MAX},
        {.queue_limit = 0},
        {.loss = std::nan("")}};
    pair_of_ends ends;
    for (const impairments& settings : strange) {
        ends.cable.impair(settings);
        ends.send(0, 100, 1514);
        receive_numbers(*ends.b);
        CHECK(ends.b->next_arrival() >= weft::at_once);
    }
}
