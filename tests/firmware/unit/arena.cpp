// The arena for frames: exhaustion is a value, and everything can be had again.
#include "tests.hpp"

#include <weft/event.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <tuple>

namespace {

using namespace std::chrono_literals;
using check::error_of;
using weft::errc;
using weft::frame_pool;

weft::task<int> child() {
    co_return 1;
}
weft::task<> holds_frame(weft::event& e) {
    const check::probe local;
    auto set = co_await e.wait();
    (void)set;
}
weft::task<> holds_more(weft::event& e) {
    std::array<std::byte, 700> local;
    asm volatile("" : : "r"(&local) : "memory");
    auto set = co_await e.wait();
    (void)set;
    asm volatile("" : : "r"(&local) : "memory");
}

/// All of it is one piece again.
void check_whole() noexcept {
    CHECK_EQUAL(frame_pool::in_use(), 0);
    void* const all = frame_pool::allocate(test_arena::size);
    CHECK(all != nullptr);
    if (all != nullptr) {
        frame_pool::release(all, test_arena::size);
    }
}

/// Spawns until nothing more fits; how many did.
template <class Spawn>
int fill(weft::task_group& group, Spawn spawn) noexcept {
    int count = 0;
    for (;; ++count) {
        const auto spawned = group.spawn(spawn());
        if (!spawned) {
            CHECK(spawned.error() == errc::no_memory);
            return count;
        }
    }
}

void exhausted() {
    check::runtime rt;
    weft::event e;
    const std::size_t refused = frame_pool::refused();
    {
        weft::task_group group{rt.home};
        const int count = fill(group, [&e] { return holds_frame(e); });
        CHECK(count >= 20);
        CHECK_EQUAL(group.size(), count);
        CHECK_EQUAL(check::probe::live, count);
        CHECK_EQUAL(frame_pool::refused(), refused + 1);
        CHECK(frame_pool::high_water() > test_arena::size - 256);
        e.set();
        rt.turn(10);
        CHECK_EQUAL(group.size(), 0);
        check_whole();
        e.reset();
        CHECK_EQUAL(fill(group, [&e] { return holds_frame(e); }), count); // as many as before
    }
    check_whole();
}

weft::task<> every_level(weft::loop& home, std::array<errc, 6>& out) {
    weft::task_group group{home};
    weft::event set{true};
    weft::event e;
    (void)fill(group, [&e] { return holds_more(e); });
    (void)fill(group, [&e] { return holds_frame(e); });
    std::array<void*, 16> rest{}; // what is too small for any of these may hold a smaller frame
    for (void*& each : rest) {
        each = frame_pool::allocate(frame_pool::granule);
    }
    auto awaited = co_await child();
    out[0] = error_of(awaited);
    out[1] = error_of(group.spawn(child()));
    auto in_time = co_await weft::timeout(set.wait(), 1s);
    out[2] = error_of(in_time);
    auto all = co_await weft::when_all(child(), set.wait());
    out[3] = error_of(std::get<0>(all));
    out[4] = error_of(std::get<1>(all));
    auto any = co_await weft::when_any(set.wait(), child());
    out[5] = error_of(std::get<0>(any.results));
    for (void* each : rest) {
        if (each != nullptr) {
            frame_pool::release(each, frame_pool::granule);
        }
    }
}
weft::task<> after_that(errc& out) {
    auto value = co_await weft::timeout(child(), 1s);
    out = error_of(value);
}
void no_memory_everywhere() {
    check::runtime rt;
    std::array<errc, 6> out{};
    CHECK(weft::sync_wait(rt.home, every_level(rt.home, out)).has_value());
    for (const errc each : out) {
        CHECK(each == errc::no_memory);
    }
    check_whole();
    errc after = errc::io_error;
    CHECK(weft::sync_wait(rt.home, after_that(after)).has_value());
    CHECK(after == errc::ok);
}

weft::task<> busy(weft::event& e, int kind) {
    const check::probe local;
    if (kind % 3 == 0) {
        auto slept = co_await weft::sleep_for(1h);
        (void)slept;
    } else if (kind % 3 == 1) {
        auto set = co_await weft::timeout(weft::when_any(e.wait(), weft::sleep_for(1h)), 1h);
        (void)set;
    } else {
        auto value = co_await child();
        auto set = co_await e.wait();
        (void)value, (void)set;
    }
}
void a_thousand_rounds() {
    check::runtime rt;
    weft::event e;
    std::size_t first = 0;
    frame_pool::reset_high_water();
    CHECK_EQUAL(frame_pool::high_water(), 0);
    for (int round = 0; round < 1000; ++round) {
        e.reset();
        {
            weft::task_group group{rt.home};
            for (int kind = 0; kind < 4; ++kind) {
                CHECK(group.spawn(busy(e, kind)).has_value());
            }
            rt.turn();
            e.set();
            rt.turn(round % 3); // the rest is cancelled, or destroyed
            if (round % 2 == 0) {
                group.cancel();
                rt.turn(2);
            }
        }
        CHECK_EQUAL(frame_pool::in_use(), 0);
        CHECK(rt.home.timers().empty());
        if (round == 0) {
            first = frame_pool::high_water();
        }
    }
    CHECK(first != 0);
    CHECK_EQUAL(frame_pool::high_water(), first);
    check_whole();
    check::print("# ");
    check::print(static_cast<std::int64_t>(first));
    check::print(" bytes of frames in that\n");
}

/// Takes and gives back blocks of random sizes, the same ones each time, in an arena of `bytes`;
/// how many found no room. Each block keeps what was written to it.
int random_blocks(std::size_t bytes) noexcept {
    alignas(frame_pool::granule) static std::array<std::byte, 2048> memory;
    struct piece {
        std::uint8_t* at;
        std::size_t size;
        std::uint8_t mark;
    };
    static std::array<piece, 24> live;
    frame_pool::use_arena(std::span(memory).first(bytes));
    live.fill({nullptr, 0, 0});
    std::uint32_t random = 5;
    const auto next = [&random] {
        return (random = random * 1664525 + 1013904223) >> 10;
    };
    const auto give_back = [](piece& p) {
        for (std::size_t i = 0; i < p.size; ++i) {
            if (p.at[i] != p.mark) {
                CHECK(p.at[i] == p.mark);
                break;
            }
        }
        frame_pool::release(p.at, p.size);
        p.at = nullptr;
    };
    int refused = 0;
    for (int step = 0; step < 3000; ++step) {
        piece& chosen = live[next() % live.size()];
        if (chosen.at != nullptr) {
            give_back(chosen);
            continue;
        }
        const std::size_t size = 1 + next() % 120;
        chosen.size = size;
        chosen.mark = static_cast<std::uint8_t>(step);
        chosen.at = static_cast<std::uint8_t*>(frame_pool::allocate(size));
        if (chosen.at == nullptr) {
            ++refused;
            continue;
        }
        CHECK(reinterpret_cast<std::uintptr_t>(chosen.at) % frame_pool::granule == 0);
        for (std::size_t i = 0; i < size; ++i) {
            chosen.at[i] = chosen.mark;
        }
    }
    for (piece& each : live) {
        if (each.at != nullptr) {
            give_back(each);
        }
    }
    CHECK_EQUAL(frame_pool::in_use(), 0);
    return refused;
}
void high_water_is_exact() {
    CHECK_EQUAL(random_blocks(2048), 0);
    const std::size_t enough = frame_pool::high_water();
    CHECK(enough > 500);
    CHECK_EQUAL(random_blocks(enough), 0);
    CHECK_EQUAL(frame_pool::high_water(), enough);
    const std::size_t refused = frame_pool::refused();
    const int without_room = random_blocks(enough - frame_pool::granule);
    CHECK(without_room > 0);
    CHECK_EQUAL(frame_pool::refused() - refused, without_room);
    frames.use();
}

constexpr check::test tests[] = {
    {"an arena that is used up: no_memory, and whole again after that", &exhausted},
    {"no memory: co_await, spawn, timeout, when_all and when_any say so", &no_memory_everywhere},
    {"1,000 rounds of waits, cancelled and destroyed, leave nothing", &a_thousand_rounds},
    {"high water: an arena of this size is enough, a granule less is not", &high_water_is_exact},
};

} // namespace

const std::span<const check::test> arena_tests = tests;
