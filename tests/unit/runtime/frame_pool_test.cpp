// Frame memory: exhaustion is a value at every level, and passes.
#include "fixture.hpp"

#include <weft/frame_arena.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

using namespace test;

namespace {

/// No more frames than there are now, plus `more` bytes; lifted at the end of the scope.
struct limited {
    explicit limited(std::size_t more) {
        weft::frame_pool::trim();
        weft::frame_pool::limit(weft::frame_pool::reserved() + more);
        if (more == 0) {
            weft::frame_pool::limit(std::max<std::size_t>(weft::frame_pool::reserved(), 1));
        }
    }
    ~limited() { weft::frame_pool::limit(0); }
};

weft::task<int> child() {
    co_return 1;
}
weft::task<int> waiting_child() {
    auto back = co_await weft::yield();
    (void)back;
    co_return 2;
}
weft::task<> every_level(errc (&out)[6], weft::loop& home) {
    weft::task_group group{home};
    weft::event e{true};
    limited no_more(0);
    auto awaited = co_await child();
    out[0] = error_of(awaited);
    out[1] = error_of(group.spawn(waiting_child()));
    auto in_time = co_await weft::timeout(e.wait(), 1s);
    out[2] = error_of(in_time);
    auto all = co_await weft::when_all(child(), e.wait());
    out[3] = error_of(std::get<0>(all));
    out[4] = error_of(std::get<1>(all));
    auto any = co_await weft::when_any(e.wait(), child());
    out[5] = error_of(std::get<0>(any.results));
}
weft::task<> afterwards(errc& out) {
    auto r = co_await weft::timeout(waiting_child(), 1s);
    out = error_of(r);
}
weft::task<> holds_frame(weft::event& e) {
    auto r = co_await e.wait();
    (void)r;
}
/// The compiler takes it that what is at `memory` is read and written here: clang leaves an array
/// that nobody looks at after the wait out of the frame.
void look_at(void* memory) {
    asm volatile("" : : "r"(memory) : "memory");
}
template <std::size_t N>
weft::task<> holds_bytes(weft::event& e) {
    std::array<std::byte, N> local;
    look_at(&local);
    auto r = co_await e.wait();
    (void)r;
    look_at(&local);
}

struct arena {
    explicit arena(std::size_t size, std::size_t offset = 0) : memory(size + offset) {
        weft::frame_pool::use_arena(std::span(memory).subspan(offset));
    }
    ~arena() { weft::frame_pool::use_arena({}); }
    std::vector<std::byte> memory;
};

/// Takes and gives back blocks of random sizes, the same ones each time. How many found no room.
int run_in_arena(std::size_t bytes, std::size_t& high_water) {
    arena memory(bytes);
    std::mt19937 random(7);
    std::vector<std::pair<void*, std::size_t>> live;
    int refused = 0;
    for (int step = 0; step < 3000; ++step) {
        const std::size_t size = 1 + random() % (random() % 16 == 0 ? 5000 : 500);
        const bool gives_back = random() % 2 == 0;
        const std::size_t which = random();
        if (void* at = weft::frame_pool::allocate(size)) {
            live.emplace_back(at, size);
        } else {
            ++refused;
        }
        if (live.size() > 40 || (gives_back && !live.empty())) {
            auto& chosen = live[which % live.size()];
            weft::frame_pool::release(chosen.first, chosen.second);
            chosen = live.back();
            live.pop_back();
        }
    }
    for (const auto& each : live) {
        weft::frame_pool::release(each.first, each.second);
    }
    high_water = weft::frame_pool::high_water();
    return refused;
}

} // namespace

TEST_CASE(
    "without memory for a frame co_await, spawn, timeout, when_all and when_any say no_memory") {
    runtime rt;
    errc out[6] = {};
    CHECK(weft::sync_wait(rt.home, every_level(out, rt.home)).has_value());
    for (errc each : out) {
        CHECK(each == errc::no_memory);
    }
    errc later = errc::io_error;
    CHECK(weft::sync_wait(rt.home, afterwards(later)).has_value());
    CHECK(later == errc::ok);
    CHECK(weft::frame_pool::in_use() == 0);
}

TEST_CASE("the limit counts bytes, and what was freed can be used again, by other sizes too") {
    runtime rt;
    weft::event e;
    int spawned = 0;
    {
        limited some(16 * 1024);
        weft::task_group group{rt.home};
        while (group.spawn(holds_frame(e)).has_value()) {
            ++spawned;
        }
        CHECK(spawned > 10);
        CHECK(spawned < 200);
        CHECK(group.size() == static_cast<std::size_t>(spawned));
        e.set();
        rt.settle();
        e.reset();
        CHECK(group.size() == 0);
        int again = 0;
        while (group.spawn(holds_bytes<1000>(e)).has_value()) {
            ++again;
        }
        CHECK(again >= 8);
        group.cancel();
        rt.settle();
    }
    CHECK(weft::frame_pool::in_use() == 0);
}

TEST_CASE("an arena: frames come from it, exhaustion is a value, all of it can be had again") {
    runtime rt;
    weft::event e;
    arena memory(32 * 1024, 3); // aligned to nothing
    for (int round = 0; round < 3; ++round) {
        int small = 0;
        int large = 0;
        {
            weft::task_group group{rt.home};
            while (group.spawn(holds_frame(e)).has_value()) {
                ++small;
            }
        }
        {
            weft::task_group group{rt.home};
            while (group.spawn(holds_bytes<6000>(e)).has_value()) { // beyond every size class
                ++large;
            }
        }
        CHECK(small > 80);
        CHECK(large == 5);
        CHECK(weft::frame_pool::in_use() == 0);
    }
}

TEST_CASE("an arena: random sizes in random order, aligned, disjoint, and whole at the end") {
    arena memory(64 * 1024, 1);
    std::mt19937 random(3);
    struct piece {
        unsigned char* at;
        std::size_t size;
        unsigned char mark;
    };
    std::vector<piece> live;
    const auto give_back = [&](std::size_t i) {
        const piece p = live[i];
        CHECK(std::all_of(p.at, p.at + p.size, [&](unsigned char c) { return c == p.mark; }));
        weft::frame_pool::release(p.at, p.size);
        live[i] = live.back();
        live.pop_back();
    };
    for (int step = 0; step < 20'000; ++step) {
        const std::size_t size = 1 + random() % (random() % 8 == 0 ? 9000 : 600);
        if (auto* at = static_cast<unsigned char*>(weft::frame_pool::allocate(size))) {
            REQUIRE(reinterpret_cast<std::uintptr_t>(at) % weft::frame_pool::granule == 0);
            const auto mark = static_cast<unsigned char>(step);
            std::fill(at, at + size, mark);
            live.push_back({at, size, mark});
        } else {
            REQUIRE_FALSE(live.empty());
        }
        if (!live.empty() && random() % 2 == 0) {
            give_back(random() % live.size());
        }
    }
    while (!live.empty()) {
        give_back(0);
    }
    CHECK(weft::frame_pool::in_use() == 0);
    void* everything = weft::frame_pool::allocate(64 * 1024 - 64);
    CHECK(everything != nullptr);
    weft::frame_pool::release(everything, 64 * 1024 - 64);
}

TEST_CASE("high water: an arena of so many bytes serves the same program; one too small counts") {
    const std::size_t before = weft::frame_pool::refused();
    std::size_t enough = 0;
    CHECK(run_in_arena(1 << 20, enough) == 0);
    CHECK(enough > 10'000);
    CHECK(enough < 1'000'000);
    std::size_t needed = 0;
    CHECK(run_in_arena(enough, needed) == 0);
    CHECK(needed == enough);
    CHECK(weft::frame_pool::refused() == before);
    const int refused = run_in_arena(10'000, needed);
    CHECK(refused > 0);
    CHECK(weft::frame_pool::refused() == before + static_cast<std::size_t>(refused));
}

TEST_CASE("high water begins anew where it is told to: at what is taken now") {
    static constinit weft::frame_arena<4096> memory;
    memory.use();
    using weft::frame_pool;
    CHECK(frame_pool::arena_size() == 4096);
    CHECK(frame_pool::high_water() == 0);
    constexpr std::size_t size = 10 * frame_pool::granule - 8; // 8: what a host adds
    constexpr std::size_t taken = 10 * frame_pool::granule;
    void* a = frame_pool::allocate(size);
    void* b = frame_pool::allocate(size);
    CHECK(frame_pool::high_water() == 2 * taken);
    frame_pool::release(b, size);
    CHECK(frame_pool::high_water() == 2 * taken);
    frame_pool::reset_high_water();
    CHECK(frame_pool::high_water() == taken);
    frame_pool::release(a, size);
    frame_pool::reset_high_water();
    CHECK(frame_pool::high_water() == 0);
    CHECK(frame_pool::reserved() == 0);
    frame_pool::use_arena({});
    CHECK(frame_pool::arena_size() == 0);
}

TEST_CASE("a frame may be freed by another thread; a thread that ends gives its blocks back") {
    struct on {
        static weft::task<int> child() { co_return 5; }
    };
    for (int i = 0; i < 10; ++i) {
        weft::task<int> made_there;
        std::thread maker([&] { made_there = on::child(); });
        maker.join();
        int got = 0;
        std::size_t reserved = 1;
        std::thread runner([&] {
            runtime rt;
            auto r = weft::sync_wait(rt.home, std::move(made_there));
            got = r.value_or(0);
            weft::frame_pool::trim();
            reserved = weft::frame_pool::reserved();
        });
        runner.join();
        CHECK(got == 5);
        CHECK(reserved == 0);
    }
}
