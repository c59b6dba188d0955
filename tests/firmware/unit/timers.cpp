// Timers, and the sleep in WFI that a timer's interrupt ends. No time is asserted, only order.
#include "board.h"
#include "tests.hpp"

#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>

namespace {

using namespace std::chrono_literals;
using weft::errc;

struct trace {
    std::array<int, 16> seen{};
    std::size_t count = 0;
    void note(int what) noexcept { seen[count++ % seen.size()] = what; }
};

weft::task<> sleep_then_note(weft::time_point until, trace& into, int what) {
    auto slept = co_await weft::sleep_until(until);
    into.note(slept ? what : -1);
}

weft::task<> in_order(weft::loop& home, trace& into) {
    constexpr int ms[] = {5, 1, 8, 3, 2, 7, 4, 6};
    weft::task_group group{home};
    const auto start = home.now();
    for (const int each : ms) {
        CHECK(group.spawn(sleep_then_note(start + each * 1ms, into, each)).has_value());
    }
    auto joined = co_await group.join();
    (void)joined;
    CHECK(home.now() >= start + 8ms);
}
void timers_in_order() {
    check::runtime rt;
    trace fired;
    CHECK(weft::sync_wait(rt.home, in_order(rt.home, fired)).has_value());
    CHECK_EQUAL(fired.count, 8);
    for (int i = 0; i < 8; ++i) {
        CHECK_EQUAL(fired.seen[static_cast<std::size_t>(i)], i + 1);
    }
}

weft::task<> at_one_time(weft::loop& home, trace& into) {
    weft::task_group group{home};
    const auto deadline = home.now() + 2ms;
    for (int i = 0; i < 8; ++i) {
        CHECK(group.spawn(sleep_then_note(deadline, into, i)).has_value());
    }
    auto joined = co_await group.join();
    (void)joined;
}
void equal_deadlines() {
    check::runtime rt;
    trace fired;
    CHECK(weft::sync_wait(rt.home, at_one_time(rt.home, fired)).has_value());
    CHECK_EQUAL(fired.count, 8);
    for (int i = 0; i < 8; ++i) {
        CHECK_EQUAL(fired.seen[static_cast<std::size_t>(i)], i);
    }
}

weft::task<> never_early(weft::loop& home) {
    for (int i = 1; i <= 50; ++i) {
        const auto until = home.now() + i * 37us;
        auto slept = co_await weft::sleep_until(until);
        CHECK(slept.has_value());
        CHECK(home.read_clock() >= until);
    }
}
void never_before_the_deadline() {
    check::runtime rt;
    CHECK(weft::sync_wait(rt.home, never_early(rt.home)).has_value());
}

weft::task<> sleep_once(weft::duration time) {
    auto slept = co_await weft::sleep_for(time);
    CHECK(slept.has_value());
}
void one_sleep_is_one_wakeup() {
    check::runtime rt;
    CHECK_EQUAL(rt.driver.wakeups(), 0);
    const std::uint32_t before = board_sleeps();
    CHECK(weft::sync_wait(rt.home, sleep_once(1500ms)).has_value());
    CHECK_EQUAL(rt.driver.wakeups(), 1);
    CHECK_EQUAL(board_sleeps() - before, 1);
}
void long_sleep() {
    check::runtime rt;
    const auto start = rt.home.now();
    CHECK(weft::sync_wait(rt.home, sleep_once(600s)).has_value());
    CHECK(rt.home.now() - start >= 600s); // the counter has turned over at least twice
}

void awake_is_no_sleep() {
    check::runtime rt;
    rt.turn(100);
    CHECK_EQUAL(rt.driver.wakeups(), 0);
}

void canceled_timers() {
    check::runtime rt;
    trace fired;
    weft::task_group group{rt.home};
    const auto start = rt.home.now();
    for (int i = 0; i < 12; ++i) {
        CHECK(group.spawn(sleep_then_note(start + (i * 7 % 12) * 1h, fired, i + 1)).has_value());
    }
    rt.turn(2); // the first one's deadline had come
    CHECK_EQUAL(fired.count, 1);
    group.cancel();
    rt.turn();
    CHECK_EQUAL(fired.count, 12);
    for (std::size_t i = 1; i < 12; ++i) {
        CHECK_EQUAL(fired.seen[i], -1);
    }
    CHECK(rt.home.timers().empty());
    CHECK_EQUAL(group.size(), 0);
}

struct counted_timer : weft::timer {
    counted_timer() noexcept : timer(&fire) {}
    static void fire(weft::timer& due) {
        auto& self = static_cast<counted_timer&>(due);
        CHECK(self.deadline() >= last);
        last = self.deadline();
        ++fired;
    }
    static inline weft::time_point last;
    static inline int fired;
};
void timers_at_random() {
    weft::timer_heap heap;
    std::array<counted_timer, 24> timers;
    std::uint32_t random = 1;
    const auto next = [&random] {
        return (random = random * 1664525 + 1013904223) >> 8;
    };
    for (int round = 0; round < 500; ++round) {
        for (int i = 0; i < 40; ++i) {
            counted_timer& chosen = timers[next() % timers.size()];
            heap.cancel(chosen);
            if (next() % 3 != 0) {
                heap.schedule(chosen, weft::time_point(weft::duration(next() % 1000)));
            }
        }
        int pending = 0;
        for (const counted_timer& each : timers) {
            pending += each.pending();
        }
        counted_timer::fired = 0;
        counted_timer::last = weft::time_point{};
        heap.fire_due(weft::time_point(weft::duration(1000)));
        CHECK_EQUAL(counted_timer::fired, pending);
        CHECK(heap.empty());
    }
}

constexpr check::test tests[] = {
    {"timers fire in the order of their deadlines, through WFI", &timers_in_order},
    {"equal deadlines: in the order of scheduling", &equal_deadlines},
    {"a sleep never ends before its deadline", &never_before_the_deadline},
    {"a sleep that nothing disturbs is one wake-up", &one_sleep_is_one_wakeup},
    {"a sleep that is longer than the board's counter", &long_sleep},
    {"turns that do not wait do not sleep", &awake_is_no_sleep},
    {"cancelled timers end at once, and none is left", &canceled_timers},
    {"timers scheduled and cancelled at random fire in order", &timers_at_random},
};

} // namespace

const std::span<const check::test> timer_tests = tests;
