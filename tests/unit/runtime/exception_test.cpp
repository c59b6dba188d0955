// An exception that leaves a task reaches whoever awaits it. Without exceptions this file is empty.
#include "fixture.hpp"

#if defined(__cpp_exceptions)

#include <stdexcept>
#include <string>
#include <vector>

using namespace test;

namespace {

using failure_of_test = std::runtime_error;

weft::task<int> throws_at_once() {
    probe local;
    throw failure_of_test("at once");
    co_return 1;
}
weft::task<> throws_later(weft::duration time) {
    probe local;
    auto slept = co_await weft::sleep_for(time);
    (void)slept;
    throw failure_of_test("later");
}
weft::task<> sleeps(weft::duration time, errc& out) {
    probe local;
    auto slept = co_await weft::sleep_for(time);
    out = error_of(slept);
}
weft::task<> passes_through() {
    auto value = co_await throws_at_once();
    (void)value;
}
weft::task<> catches(std::string& log) {
    try {
        auto value = co_await throws_at_once();
        (void)value;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
    try {
        auto late = co_await throws_later(1ms);
        (void)late;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
}
template <class A>
weft::task<> message_of(A awaiter, std::string& log) {
    try {
        auto r = co_await awaiter;
        (void)r;
        log += "nothing";
    } catch (const failure_of_test& e) {
        log += e.what();
    }
}
weft::task<> all(errc& other, std::string& log) {
    try {
        auto r = co_await weft::when_all(throws_later(1ms), sleeps(5ms, other));
        (void)r;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
}
weft::task<> any(errc& other, std::string& log) {
    try {
        auto r = co_await weft::when_any(throws_later(1ms), sleeps(1h, other));
        (void)r;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
}
weft::task<> timed(std::string& log) {
    try {
        auto r = co_await weft::timeout(throws_later(1ms), 1h);
        (void)r;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
    try {
        auto r = co_await weft::shield(throws_later(1h), 1ms);
        (void)r;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
}
weft::task<> group_join(weft::loop& home, errc& other, errc& later, std::string& log) {
    weft::task_group group{home};
    auto a = group.spawn(sleeps(1h, other));
    auto b = group.spawn(throws_later(1ms));
    (void)a, (void)b;
    try {
        auto joined = co_await group.join();
        (void)joined;
    } catch (const failure_of_test& e) {
        log += e.what();
    }
    later = error_of(group.spawn(throws_later(1ms)));
}

struct throws_when_destroyed {
    ~throws_when_destroyed() noexcept(false) { throw failure_of_test("destructor"); }
};
weft::task<std::string> value_then_throw() {
    throws_when_destroyed local;
    co_return std::string(100, 'x');
}

} // namespace

TEST_CASE("an exception reaches the awaiter, through as many tasks as there are, and sync_wait") {
    runtime rt;
    std::string log;
    CHECK(weft::sync_wait(rt.home, catches(log)).has_value());
    CHECK(log == "at oncelater");
    CHECK_THROWS_AS((void)weft::sync_wait(rt.home, passes_through()), failure_of_test);
    CHECK(weft::sync_wait(rt.home, message_of(passes_through(), log)).has_value());
    CHECK(log == "at oncelaterat once");
    CHECK(probe::live == 0);
    CHECK(weft::frame_pool::in_use() == 0);
}

TEST_CASE("when_all waits for the others, then rethrows") {
    runtime rt;
    std::string log;
    errc other = errc::io_error;
    CHECK(weft::sync_wait(rt.home, all(other, log)).has_value());
    CHECK(log == "later");
    CHECK(other == errc::ok);
}

TEST_CASE(
    "when_any: a throw is an end like any other; the losers are cancelled, then it is rethrown") {
    runtime rt;
    std::string log;
    errc other = errc::io_error;
    CHECK(weft::sync_wait(rt.home, any(other, log)).has_value());
    CHECK(log == "later");
    CHECK(other == errc::canceled);
}

TEST_CASE("timeout and shield rethrow, and leave no timer") {
    runtime rt;
    std::string log;
    CHECK(weft::sync_wait(rt.home, timed(log)).has_value());
    CHECK(log == "laterlater");
    CHECK(rt.home.timers().empty());
}

TEST_CASE("task_group: a throw cancels the group, join waits and rethrows once") {
    runtime rt;
    std::string log;
    errc other = errc::io_error;
    errc later = errc::ok;
    CHECK(weft::sync_wait(rt.home, group_join(rt.home, other, later, log)).has_value());
    CHECK(log == "later");
    CHECK(other == errc::canceled);
    CHECK(later == errc::canceled);
    CHECK(probe::live == 0);
}

TEST_CASE("a destructor that throws after co_return replaces the value, and leaks nothing") {
    runtime rt;
    std::string log;
    CHECK(weft::sync_wait(rt.home, message_of(value_then_throw(), log)).has_value());
    CHECK(log == "destructor");
}

#endif
