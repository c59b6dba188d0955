// Steady state allocates nothing: malloc itself is counted, in a program of its own. Sanitizers
// bring a malloc of their own, and this file has nothing to say there.
#include "fixture.hpp"

#include <cstdlib>

namespace {
bool counting = false;
std::size_t allocations = 0;
[[maybe_unused]] void count() {
    if (counting) {
        ++allocations;
    }
}
} // namespace

#if defined(__GLIBC__) && !defined(WEFT_ADDRESS_SANITIZER) && !defined(__SANITIZE_THREAD__)
#define WEFT_COUNTS_MALLOC 1
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) {
    count();
    return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
    count();
    return __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) {
    count();
    return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    count();
    return __libc_memalign(alignment, size);
}
}
#endif

using namespace test;

namespace {

constexpr int rounds = 1000;

weft::task<int> one(int v) {
    co_return v;
}
weft::task<int> one_later(int v) {
    auto back = co_await weft::yield();
    (void)back;
    co_return v;
}

weft::task<> await_many(weft::loop&) {
    for (int i = 0; i < rounds; ++i) {
        auto now = co_await one(i);
        auto later = co_await one_later(i);
        (void)now, (void)later;
    }
}
weft::task<> spawn_many(weft::loop& home) {
    weft::task_group group{home};
    for (int i = 0; i < rounds; ++i) {
        (void)group.spawn(one(i));
        (void)group.spawn(one_later(i));
        auto joined = co_await group.join();
        (void)joined;
    }
}
weft::task<> sleep_many(weft::loop&) {
    for (int i = 0; i < rounds; ++i) {
        auto slept = co_await weft::sleep_for(1us);
        (void)slept;
    }
}
weft::task<> locks(weft::mutex& m) {
    for (int i = 0; i < rounds; ++i) {
        auto held = co_await m.lock();
        auto back = co_await weft::yield();
        (void)back;
    }
}
weft::task<> lock_many(weft::loop&) {
    weft::mutex m;
    auto both = co_await weft::when_all(locks(m), locks(m));
    (void)both;
}
weft::task<> sends(weft::channel<int, 4>& c) {
    for (int i = 0; i < rounds; ++i) {
        auto sent = co_await c.send(i);
        (void)sent;
    }
    c.close();
}
weft::task<> receives(weft::channel<int, 4>& c) {
    for (;;) {
        auto got = co_await c.receive();
        if (!got) {
            co_return;
        }
    }
}
weft::task<> send_many(weft::loop&) {
    weft::channel<int, 4> c;
    auto both = co_await weft::when_all(sends(c), receives(c));
    (void)both;
}
weft::task<> time_out_many(weft::loop&) {
    weft::event never_set;
    for (int i = 0; i < rounds; ++i) {
        auto late = co_await weft::timeout(never_set.wait(), 1us);
        auto first = co_await weft::when_any(one_later(1), never_set.wait());
        (void)late, (void)first;
    }
}

struct row {
    const char* name;
    weft::task<> (*run)(weft::loop&);
};
constexpr row table[] = {
    {"await", await_many}, {"spawn and join", spawn_many}, {"timers", sleep_many},
    {"mutex", lock_many},  {"channel", send_many},         {"timeout and when_any", time_out_many},
};

} // namespace

TEST_CASE("steady state allocates nothing") {
    for (const row& r : table) {
        CAPTURE(std::string(r.name));
        runtime rt;
        (void)weft::sync_wait(rt.home, r.run(rt.home)); // warms the pool
        allocations = 0;
        counting = true;
        const bool ended = weft::sync_wait(rt.home, r.run(rt.home)).has_value();
        counting = false;
        CHECK(ended);
        CHECK(allocations == 0);
    }
}

#if defined(WEFT_COUNTS_MALLOC)
TEST_CASE("the counter counts") {
    counting = true;
    allocations = 0;
    void* volatile block = std::malloc(10);
    counting = false;
    std::free(block);
    CHECK(allocations == 1);
}

TEST_CASE("100,000 timers are scheduled, fired and cancelled without an allocation") {
    weft::timer_heap heap;
    std::vector<weft::timer> timers(100'000, weft::timer([](weft::timer&) {}));
    counting = true;
    allocations = 0;
    for (std::size_t i = 0; i < timers.size(); ++i) {
        heap.schedule(timers[i], weft::time_point(weft::duration(i * 7919 % 100'003)));
    }
    for (std::size_t i = 0; i < timers.size(); i += 2) {
        heap.cancel(timers[i]);
    }
    heap.fire_due(weft::never);
    counting = false;
    CHECK(heap.empty());
    CHECK(allocations == 0);
}
#endif
