// Timers: 100,000 of them in random order, against a std::multimap.
#include "fixture.hpp"

#include <map>
#include <memory>
#include <random>
#include <vector>

using namespace test;

namespace {

using model = std::multimap<weft::time_point, int>; // equal keys keep the order of insertion

struct numbered : weft::timer {
    explicit numbered(int n) : timer(&fire), number(n) {}
    static void fire(weft::timer& t) { fired->push_back(static_cast<numbered&>(t).number); }
    int number;
    static inline std::vector<int>* fired = nullptr;
};

weft::time_point at(std::int64_t ms) {
    return weft::time_point(std::chrono::milliseconds(ms));
}

/// Random schedule, cancel, reschedule and fire; what fires, and when, is what the model says.
void run_against_model(unsigned seed, int count, int operations, std::int64_t range) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::vector<int> fired;
    numbered::fired = &fired;
    std::vector<std::unique_ptr<numbered>> timers;
    std::vector<model::iterator> places;
    model expected;
    weft::timer_heap heap;
    for (int i = 0; i < count; ++i) {
        timers.push_back(std::make_unique<numbered>(i));
        places.push_back(expected.end());
    }
    std::int64_t now = 0;
    const auto schedule = [&](int i) {
        const auto which = static_cast<std::size_t>(i);
        if (places[which] != expected.end()) {
            heap.cancel(*timers[which]);
            expected.erase(places[which]);
        }
        const auto deadline =
            at(now + std::uniform_int_distribution<std::int64_t>(0, range)(random));
        heap.schedule(*timers[which], deadline);
        places[which] = expected.emplace(deadline, i);
    };
    for (int i = 0; i < count; ++i) {
        schedule(i);
    }
    for (int step = 0; step < operations; ++step) {
        const int i = std::uniform_int_distribution<int>(0, count - 1)(random);
        const auto which = static_cast<std::size_t>(i);
        switch (random() % 4) {
        case 0:
        case 1:
            schedule(i);
            break;
        case 2:
            heap.cancel(*timers[which]); // no effect if it is not pending
            if (places[which] != expected.end()) {
                expected.erase(places[which]);
                places[which] = expected.end();
            }
            break;
        default:
            now += static_cast<std::int64_t>(random() % 4);
            fired.clear();
            heap.fire_due(at(now));
            std::vector<int> due;
            while (!expected.empty() && expected.begin()->first <= at(now)) {
                due.push_back(expected.begin()->second);
                places[static_cast<std::size_t>(due.back())] = expected.end();
                expected.erase(expected.begin());
            }
            REQUIRE(fired == due);
        }
        REQUIRE(heap.empty() == expected.empty());
        if (!expected.empty()) {
            REQUIRE(heap.earliest() == expected.begin()->first);
        }
    }
    // the rest, in order
    fired.clear();
    heap.fire_due(weft::never);
    std::vector<int> due;
    for (const auto& [deadline, i] : expected) {
        due.push_back(i);
    }
    REQUIRE(fired == due);
    CHECK(heap.empty());
}

weft::task<> log_after(weft::duration time, int name, std::vector<int>& log) {
    auto slept = co_await weft::sleep_for(time);
    if (slept) {
        log.push_back(name);
    }
}

} // namespace

TEST_CASE("timers fire as a multimap of deadlines would: few, with many equal deadlines") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        run_against_model(seed, 20, 300, 15);
    }
}

TEST_CASE("timers fire as a multimap of deadlines would: 100,000 pending") {
    run_against_model(7, 100'000, 100'000, 1'000'000);
    run_against_model(8, 100'000, 20'000, 100);
}

TEST_CASE("equal deadlines fire in the order of scheduling; rescheduling goes behind") {
    weft::timer_heap heap;
    std::vector<int> fired;
    numbered::fired = &fired;
    std::vector<std::unique_ptr<numbered>> timers;
    for (int i = 0; i < 100; ++i) {
        timers.push_back(std::make_unique<numbered>(i));
        heap.schedule(*timers.back(), at(5));
    }
    heap.cancel(*timers[0]);
    heap.schedule(*timers[0], at(5));
    heap.fire_due(at(4));
    CHECK(fired.empty());
    heap.fire_due(at(5));
    REQUIRE(fired.size() == 100);
    CHECK(fired.back() == 0);
    for (int i = 0; i < 99; ++i) {
        CHECK(fired[static_cast<std::size_t>(i)] == i + 1);
    }
}

TEST_CASE("sleeps end in the order of their deadlines, at them, and never early") {
    runtime rt;
    std::vector<int> log;
    weft::task_group group{rt.home};
    const auto start = rt.home.now();
    for (int i = 0; i < 1000; ++i) {
        (void)group.spawn(
            log_after(std::chrono::milliseconds((i * 7919) % 1000), (i * 7919) % 1000, log));
    }
    for (int ms = 0; ms < 1000; ++ms) {
        CHECK(rt.home.run_until(start + std::chrono::milliseconds(ms)).has_value());
        rt.turn(3);
        REQUIRE(log.size() == static_cast<std::size_t>(ms + 1));
        REQUIRE(log.back() == ms);
    }
}
