// How much stack awaits take: the same for one and for very many, on Thumb-1 too, where symmetric
// transfer is no tail call.
#include "board.h"
#include "tests.hpp"

#include <weft/channel.hpp>
#include <weft/mutex.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <algorithm>
#include <chrono>

extern "C" std::uint32_t stack_begin[];

std::size_t deepest_await;
std::size_t deepest_interrupted;

namespace {

using namespace std::chrono_literals;
using program = weft::task<> (*)(weft::loop&, int);

constexpr std::uint32_t paint = 0xa5a5a5a5;
constexpr int very_many = 1'000'000;
// Who was resumed once is resumed from elsewhere than who began: two rounds have seen it all.
constexpr int twice = 2;
constexpr int many = 20'000;

bool drive(program run, int times) noexcept {
    check::runtime rt;
    return weft::sync_wait(rt.home, run(rt.home, times)).has_value();
}

/// Bytes of stack below this function's frame, the loop and the driver among them.
[[gnu::noinline]] std::size_t stack_of(program run, int times) noexcept {
    auto* const here = static_cast<std::uint32_t*>(__builtin_frame_address(0));
    volatile std::uint32_t* at = stack_begin;
    while (at != here - 24) { // what this function itself may use lies above
        *at++ = paint;
    }
    CHECK(drive(run, times));
    at = stack_begin;
    while (*at == paint) {
        ++at;
    }
    CHECK(at != stack_begin);
    return static_cast<std::size_t>(here - const_cast<std::uint32_t*>(at)) * sizeof(*at);
}

void compare(program run, int few, int times) noexcept {
    const std::size_t once = stack_of(run, few);
    const std::size_t often = stack_of(run, times);
    CHECK_EQUAL(often, once);
    deepest_await = std::max(deepest_await, often);
}

weft::task<int> at_once(int v) {
    co_return v;
}
weft::task<int> two_deep(int v) {
    auto r = co_await at_once(v);
    co_return *r;
}
weft::task<int> later(int v) {
    auto back = co_await weft::yield();
    (void)back;
    co_return v;
}
weft::task<> fails(bool late) {
    if (late) {
        auto back = co_await weft::yield();
        (void)back;
    }
    co_await weft::fail(weft::errc::busy);
}

weft::task<> immediate(weft::loop&, int times) {
    for (int i = 0; i < times; ++i) {
        auto r = co_await at_once(i);
        (void)r;
    }
}
weft::task<> immediate_nested(weft::loop&, int times) {
    for (int i = 0; i < times; ++i) {
        auto r = co_await two_deep(i);
        (void)r;
    }
}
weft::task<> alternating(weft::loop&, int times) {
    for (int i = 0; i < times; ++i) {
        auto a = co_await at_once(i);
        auto b = co_await later(i);
        (void)a, (void)b;
    }
}
weft::task<> failing(weft::loop&, int times) {
    for (int i = 0; i < times; ++i) {
        auto at_once = co_await fails(false);
        auto behind = co_await fails(true);
        (void)at_once, (void)behind;
    }
}
weft::task<> spawning(weft::loop& home, int times) {
    weft::task_group group{home};
    for (int i = 0; i < times; ++i) {
        (void)group.spawn(at_once(i));
        (void)group.spawn(later(i));
        auto joined = co_await group.join();
        (void)joined;
    }
}
weft::task<> joining(weft::loop&, int times) {
    for (int i = 0; i < times; ++i) {
        auto all = co_await weft::when_all(at_once(i), later(i));
        auto any = co_await weft::when_any(at_once(i), later(i));
        auto limited = co_await weft::timeout(later(i), 1h);
        (void)all, (void)any, (void)limited;
    }
}
weft::task<> sends(weft::channel<int, 1>& c, int times) {
    for (int i = 0; i < times; ++i) {
        auto sent = co_await c.send(i);
        (void)sent;
    }
    c.close();
}
weft::task<> receives(weft::channel<int, 1>& c) {
    for (;;) {
        auto got = co_await c.receive();
        if (!got) {
            co_return;
        }
    }
}
weft::task<> ping_pong(weft::loop&, int times) {
    weft::channel<int, 1> c;
    auto both = co_await weft::when_all(sends(c, times), receives(c));
    (void)both;
}
weft::task<> contends(weft::mutex& m, bool wait, int times) {
    for (int i = 0; i < times; ++i) {
        auto held = co_await m.lock();
        if (wait) {
            auto back = co_await weft::yield();
            (void)back;
        }
    }
}
weft::task<> locking(weft::loop&, int times) {
    weft::mutex m;
    auto both = co_await weft::when_all(contends(m, true, times), contends(m, false, times));
    (void)both;
}
/// A timer's interrupt comes while each sleeps.
weft::task<> sleeping(weft::loop&, int times) {
    for (int i = 0; i < times; ++i) {
        auto limited = co_await weft::timeout(weft::sleep_for(1h), 100us);
        (void)limited;
    }
}

constexpr check::test tests[] = {
    {"a million children that finish at once take the stack of one",
     [] {
         compare(&immediate, 1, very_many);
     }},
    {"a million children of children that finish at once: the same",
     [] {
         compare(&immediate_nested, 1, very_many);
     }},
    {"children that finish at once and later, in turn: the same",
     [] {
         compare(&alternating, twice, many);
     }},
    {"children that fail: the same",
     [] {
         compare(&failing, twice, many);
     }},
    {"children spawned and joined: the same",
     [] {
         compare(&spawning, twice, many);
     }},
    {"when_all, when_any, timeout: the same",
     [] {
         compare(&joining, twice, many);
     }},
    {"a channel between two tasks: the same",
     [] {
         compare(&ping_pong, twice, many);
     }},
    {"a mutex between two tasks: the same",
     [] {
         compare(&locking, twice, many);
     }},
    {"with the interrupt that ends each sleep: less than 1 KB",
     [] {
         deepest_interrupted = std::max(stack_of(&sleeping, 1000), deepest_await);
         CHECK(deepest_interrupted < 1024);
     }},
};

} // namespace

const std::span<const check::test> stack_tests = tests;
