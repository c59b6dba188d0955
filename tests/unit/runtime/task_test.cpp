// task<T>: lazy, move-only, awaited once; its failure is a value.
#include "fixture.hpp"

#include <cstdint>
#include <memory>
#include <string>

using namespace test;

namespace {

weft::task<int> value(int v) {
    co_return v;
}
weft::task<> nothing() {
    co_return;
}
weft::task<> mark(bool& ran) {
    ran = true;
    co_return;
}
weft::task<int> fails(errc e) {
    co_return weft::fail(e);
}
weft::task<> ends_with(errc e, bool& went_on) {
    probe local;
    co_await weft::fail(e);
    went_on = true;
}
weft::task<> later_ends_with(errc e) {
    probe local;
    auto yielded = co_await weft::yield();
    (void)yielded;
    co_await weft::fail(e);
}
weft::task<int> returns_result(bool good) {
    weft::result<int> r = weft::fail(errc::not_connected);
    if (good) {
        r = 7;
    }
    co_return r;
}
weft::task<std::unique_ptr<int>> move_only() {
    co_return std::make_unique<int>(5);
}
weft::task<std::string> after_yield(std::string text) {
    auto back = co_await weft::yield();
    (void)back;
    co_return text + "!";
}

template <class T>
weft::task<> await_into(weft::task<T> work, weft::result<T>& out) {
    auto got = co_await std::move(work);
    out = std::move(got);
}

weft::task<int> depth(int left) {
    if (left == 0) {
        auto back = co_await weft::yield();
        (void)back;
        co_return 0;
    }
    auto below = co_await depth(left - 1);
    co_return *below + 1;
}

struct alignas(weft::frame_pool::granule) aligned_buffer {
    std::byte bytes[weft::frame_pool::granule];
};
weft::task<std::uintptr_t> address_of_aligned() {
    aligned_buffer local{};
    auto back = co_await weft::yield();
    (void)back;
    co_return reinterpret_cast<std::uintptr_t>(&local);
}

weft::task<> order_of_destruction(std::string& log) {
    struct local {
        std::string* log;
        char name;
        ~local() { *log += name; }
    };
    local a{&log, 'a'};
    auto back = co_await weft::yield();
    local b{&log, 'b'};
    auto again = co_await weft::yield();
    local c{&log, 'c'};
    auto last = co_await weft::yield();
    (void)back, (void)again, (void)last;
}

} // namespace

TEST_CASE("a task does not begin before it is awaited") {
    runtime rt;
    bool ran = false;
    {
        weft::task<> lazy = mark(ran);
        CHECK(lazy.valid());
    }
    CHECK_FALSE(ran);
    CHECK(weft::sync_wait(rt.home, mark(ran)).has_value());
    CHECK(ran);
}

TEST_CASE("a task gives its value, its error, or a result as it is") {
    runtime rt;
    CHECK(weft::sync_wait(rt.home, value(42)) == 42);
    CHECK(weft::sync_wait(rt.home, nothing()).has_value());
    CHECK(error_of(weft::sync_wait(rt.home, fails(errc::io_error))) == errc::io_error);
    CHECK(weft::sync_wait(rt.home, returns_result(true)) == 7);
    CHECK(error_of(weft::sync_wait(rt.home, returns_result(false))) == errc::not_connected);
    auto owned = weft::sync_wait(rt.home, move_only());
    REQUIRE(owned.has_value());
    CHECK(**owned == 5);
}

TEST_CASE("co_await fail(e) ends a task where it stands; its locals go with it") {
    runtime rt;
    bool went_on = false;
    CHECK(error_of(weft::sync_wait(rt.home, ends_with(errc::busy, went_on))) == errc::busy);
    CHECK_FALSE(went_on);
    CHECK(error_of(weft::sync_wait(rt.home, later_ends_with(errc::busy))) == errc::busy);
    weft::result<> out;
    CHECK(weft::sync_wait(rt.home, await_into(ends_with(errc::busy, went_on), out)).has_value());
    CHECK(error_of(out) == errc::busy);
    CHECK(weft::sync_wait(rt.home, await_into(later_ends_with(errc::io_error), out)).has_value());
    CHECK(error_of(out) == errc::io_error);
    CHECK(probe::live == 0);
}

TEST_CASE("a child that suspends resumes its parent with its value") {
    runtime rt;
    weft::result<std::string> out;
    CHECK(weft::sync_wait(rt.home, await_into(after_yield("hello"), out)).has_value());
    CHECK(*out == "hello!");
    CHECK(weft::sync_wait(rt.home, depth(1000)) == 1000);
}

TEST_CASE("a moved-from task is invalid and awaits as no_memory") {
    runtime rt;
    weft::task<int> a = value(1);
    weft::task<int> b = std::move(a);
    CHECK_FALSE(a.valid()); // NOLINT: that is the point
    b = value(2);
    CHECK(weft::sync_wait(rt.home, std::move(b)) == 2);
    CHECK(error_of(weft::sync_wait(rt.home, std::move(a))) == errc::no_memory);
}

TEST_CASE("what a frame holds is aligned to the pool's granule") {
    runtime rt;
    for (int i = 0; i < 10; ++i) {
        auto address = weft::sync_wait(rt.home, address_of_aligned());
        CHECK(*address % alignof(aligned_buffer) == 0);
    }
}

TEST_CASE("destroying a suspended task runs the destructors of what it had "
          "reached, in order") {
    runtime rt;
    for (const char* expected : {"a", "ba", "cba"}) {
        std::string log;
        {
            weft::task_group group{rt.home};
            CHECK(group.spawn(order_of_destruction(log)).has_value());
            struct stopper : weft::waiter {
                explicit stopper(weft::loop& l) : waiter(&stop), home(&l) {}
                static void stop(weft::waiter&) {}
                weft::loop* home;
            };
            // each poll runs at most 64 nodes: fill the turn so that the task advances one step
            std::vector<std::unique_ptr<stopper>> filler;
            for (const char* step = expected; step[1] != 0; ++step) {
                filler.clear();
                for (int i = 0; i < weft::loop::ready_per_turn - 1; ++i) {
                    filler.push_back(std::make_unique<stopper>(rt.home));
                    rt.home.make_ready(*filler.back());
                }
                rt.turn();
            }
            CHECK(log.empty());
        }
        CHECK(log == expected);
    }
}
