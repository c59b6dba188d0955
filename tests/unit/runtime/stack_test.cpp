// A million awaits in a row take constant stack. meson compiles this with the runtime several
// times: -O0, -O2, -Os and AddressSanitizer, since symmetric transfer would be a tail call in some
// only.
#include <weft/channel.hpp>
#include <weft/loop.hpp>
#include <weft/mutex.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace {

// `allowed`: bytes of stack from the shallowest to the deepest child. `a_level`: of recursion.
#if defined(WEFT_ADDRESS_SANITIZER)
constexpr int many = 200'000;             // each is a malloc there
constexpr std::uintptr_t allowed = 16384; // with red zones around variables
constexpr std::uintptr_t a_level = 2048;
#else
constexpr int many = 1'000'000;
constexpr std::uintptr_t allowed = 4096;
constexpr std::uintptr_t a_level = 1024;
#endif

std::uintptr_t lowest;
std::uintptr_t highest;

[[gnu::noinline]] void look_at_stack() {
    // not a local's address: AddressSanitizer may keep locals elsewhere
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest = std::min(lowest, here);
    highest = std::max(highest, here);
}

weft::task<int> at_once(int v) {
    look_at_stack();
    co_return v;
}
weft::task<int> two_deep(int v) {
    auto r = co_await at_once(v);
    co_return *r;
}
weft::task<int> later(int v) {
    look_at_stack();
    auto back = co_await weft::yield();
    (void)back;
    look_at_stack();
    co_return v;
}
weft::task<> fails(bool late) {
    look_at_stack();
    if (late) {
        auto back = co_await weft::yield();
        (void)back;
    }
    look_at_stack();
    co_await weft::fail(weft::errc::busy);
}

weft::task<> immediate(weft::loop&) {
    for (int i = 0; i < many; ++i) {
        auto r = co_await at_once(i);
        (void)r;
    }
}
weft::task<> immediate_nested(weft::loop&) {
    for (int i = 0; i < many; ++i) {
        auto r = co_await two_deep(i);
        (void)r;
    }
}
weft::task<> suspending(weft::loop&) {
    for (int i = 0; i < many; ++i) {
        auto r = co_await later(i);
        (void)r;
    }
}
weft::task<> alternating(weft::loop&) {
    for (int i = 0; i < many / 2; ++i) {
        auto a = co_await at_once(i);
        auto b = co_await later(i);
        (void)a, (void)b;
    }
}
weft::task<> failing(weft::loop&) {
    for (int i = 0; i < many; ++i) {
        auto r = co_await fails(i % 2 == 0);
        (void)r;
    }
}
weft::task<> spawning(weft::loop& home) {
    weft::task_group group{home};
    for (int i = 0; i < many / 4; ++i) {
        (void)group.spawn(at_once(i));
        (void)group.spawn(later(i));
        auto joined = co_await group.join();
        (void)joined;
    }
}
weft::task<> joining(weft::loop&) {
    for (int i = 0; i < many / 8; ++i) {
        auto all = co_await weft::when_all(at_once(i), later(i));
        auto any = co_await weft::when_any(at_once(i), later(i));
        auto limited = co_await weft::timeout(later(i), std::chrono::seconds(1));
        (void)all, (void)any, (void)limited;
    }
}
weft::task<> sends(weft::channel<int, 1>& c) {
    for (int i = 0; i < many / 4; ++i) {
        look_at_stack();
        auto sent = co_await c.send(i);
        (void)sent;
    }
    c.close();
}
weft::task<> receives(weft::channel<int, 1>& c) {
    for (;;) {
        auto got = co_await c.receive();
        look_at_stack();
        if (!got) {
            co_return;
        }
    }
}
weft::task<> ping_pong(weft::loop&) {
    weft::channel<int, 1> c;
    auto both = co_await weft::when_all(sends(c), receives(c));
    (void)both;
}
weft::task<> contends(weft::mutex& m, bool wait) {
    for (int i = 0; i < many / 4; ++i) {
        auto held = co_await m.lock();
        look_at_stack();
        if (wait) {
            auto back = co_await weft::yield();
            (void)back;
        }
    }
}
weft::task<> locking(weft::loop&) {
    weft::mutex m;
    auto both = co_await weft::when_all(contends(m, true), contends(m, false));
    (void)both;
}

/// Recursion takes stack as a function's would: so many bytes a level, on the way down, and back.
weft::task<int> recurse(int left) {
    look_at_stack();
    if (left == 0) {
        auto back = co_await weft::yield();
        (void)back;
        co_return 0;
    }
    auto below = co_await recurse(left - 1);
    look_at_stack();
    co_return *below + 1;
}
constexpr int levels = 1000;
weft::task<> recursing(weft::loop&) {
    auto depth = co_await recurse(levels);
    (void)depth;
}

struct row {
    const char* name;
    weft::task<> (*run)(weft::loop&);
    std::uintptr_t bytes;
};
constexpr row table[] = {
    {"children that finish at once", immediate, allowed},
    {"children of children that finish at once", immediate_nested, allowed},
    {"children that suspend", suspending, allowed},
    {"children of both kinds in turn", alternating, allowed},
    {"children that fail", failing, allowed},
    {"children spawned and joined", spawning, allowed},
    {"when_all, when_any, timeout", joining, allowed},
    {"a channel between two tasks", ping_pong, allowed},
    {"a mutex between two tasks", locking, allowed},
    {"recursion, a thousand levels", recursing, levels* a_level},
};

} // namespace

int main() {
    int failed = 0;
    for (const row& r : table) {
        weft::virtual_driver driver;
        weft::loop home{driver};
        lowest = UINTPTR_MAX;
        highest = 0;
        const bool ended = weft::sync_wait(home, r.run(home)).has_value();
        const std::uintptr_t used = highest - lowest;
        const bool good = ended && used <= r.bytes;
        std::printf(
            "%s: %s: %llu bytes of stack\n", good ? "ok" : "FAILED", r.name,
            static_cast<unsigned long long>(used));
        failed += !good;
    }
    return failed == 0 ? 0 : 1;
}
