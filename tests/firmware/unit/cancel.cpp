// Cancelling: what is waited for ends at once, and everything is given back.
#include "tests.hpp"

#include <weft/channel.hpp>
#include <weft/event.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_any.hpp>

#include <chrono>
#include <optional>
#include <tuple>

namespace {

using namespace std::chrono_literals;
using check::error_of;
using weft::errc;

weft::task<int> slow(int value) {
    const check::probe local;
    auto slept = co_await weft::sleep_for(1h);
    if (!slept) {
        co_await weft::fail(slept.error());
    }
    co_return value;
}
weft::task<int> quick(int value) {
    auto slept = co_await weft::sleep_for(100us);
    (void)slept;
    co_return value;
}

weft::task<> limits(int& good) {
    auto late = co_await weft::timeout(slow(1), 2ms);
    good += error_of(late) == errc::timed_out;
    auto in_time = co_await weft::timeout(quick(2), 1h);
    good += in_time.value_or(0) == 2;
    weft::event never_set;
    auto waited = co_await weft::timeout(never_set.wait(), 1ms);
    good += error_of(waited) == errc::timed_out;
}
void timeouts() {
    check::runtime rt;
    int good = 0;
    CHECK(weft::sync_wait(rt.home, limits(good)).has_value());
    CHECK_EQUAL(good, 3);
    CHECK(rt.home.timers().empty());
}

weft::task<> races(int& good) {
    auto won = co_await weft::when_any(slow(1), quick(2), slow(3));
    good += won.index == 1;
    good += error_of(std::get<0>(won.results)) == errc::canceled;
    good += std::get<1>(won.results).value_or(0) == 2;
    good += error_of(std::get<2>(won.results)) == errc::canceled;
    good += check::probe::live == 2; // losers have ended; their frames go with the results
}
void losers_end() {
    check::runtime rt;
    int good = 0;
    CHECK(weft::sync_wait(rt.home, races(good)).has_value());
    CHECK(good >= 4);
    CHECK(rt.home.timers().empty());
}

weft::task<> in_scope(weft::scope& work, errc& outcome) {
    auto r = co_await weft::within(work, slow(1));
    outcome = error_of(r);
}
void scope_is_canceled() {
    check::runtime rt;
    weft::scope work{rt.home};
    errc outcome = errc::ok;
    weft::task_group group{rt.home};
    CHECK(group.spawn(in_scope(work, outcome)).has_value());
    rt.turn();
    CHECK(outcome == errc::ok);
    work.cancel();
    CHECK(outcome == errc::ok); // cancel() resumes nobody itself
    rt.turn();
    CHECK(outcome == errc::canceled);
    CHECK_EQUAL(group.size(), 0);
}
void canceled_before_it_begins() {
    check::runtime rt;
    weft::scope work{rt.home};
    work.cancel();
    errc outcome = errc::ok;
    CHECK(weft::sync_wait(rt.home, in_scope(work, outcome)).has_value());
    CHECK(outcome == errc::canceled);
}

weft::task<> say_goodbye(int& good) {
    auto first = co_await weft::sleep_for(1h);
    good += error_of(first) == errc::canceled;
    auto again = co_await weft::sleep_for(1h); // sticky
    good += error_of(again) == errc::canceled;
    auto bye = co_await weft::shield(quick(7), 1h);
    good += bye.value_or(0) == 7;
    auto too_long = co_await weft::shield(slow(8), 1ms);
    good += error_of(too_long) == errc::timed_out;
}
weft::task<> cancels_it(weft::loop& home, int& good) {
    weft::task_group group{home};
    CHECK(group.spawn(say_goodbye(good)).has_value());
    group.cancel();
    auto joined = co_await group.join();
    (void)joined;
}
void shielded() {
    check::runtime rt;
    int good = 0;
    CHECK(weft::sync_wait(rt.home, cancels_it(rt.home, good)).has_value());
    CHECK_EQUAL(good, 4);
}

weft::task<> receives(weft::channel<int, 2>& c, int& got) {
    auto value = co_await c.receive();
    got = value.value_or(-1);
}
void value_is_not_lost() {
    check::runtime rt;
    weft::channel<int, 2> c;
    int first = 0;
    int second = 0;
    std::optional<weft::task_group> doomed(std::in_place, rt.home);
    weft::task_group group{rt.home};
    CHECK(doomed->spawn(receives(c, first)).has_value());
    CHECK(group.spawn(receives(c, second)).has_value());
    int value = 5;
    CHECK(c.try_send(value)); // calls the first
    doomed.reset();           // which is destroyed before it runs
    rt.turn(2);
    CHECK_EQUAL(first, 0);
    CHECK_EQUAL(second, 5);
}

weft::task<> nested(weft::event& e) {
    const check::probe local;
    auto inner = co_await weft::timeout(weft::when_any(e.wait(), slow(1)), 1h);
    (void)inner;
}
void destroyed_anywhere() {
    check::runtime rt;
    weft::event e;
    for (int turns = 0; turns < 4; ++turns) {
        e.reset();
        weft::task_group group{rt.home};
        for (int i = 0; i < 3; ++i) {
            CHECK(group.spawn(nested(e)).has_value());
        }
        CHECK_EQUAL(check::probe::live, 6);
        if (turns == 2) {
            e.set();
        }
        rt.turn(turns);
    }
    CHECK_EQUAL(check::probe::live, 0);
    CHECK(rt.home.timers().empty());
}

constexpr check::test tests[] = {
    {"timeout: timed_out, or the value that came in time", &timeouts},
    {"when_any: the losers are cancelled and waited for", &losers_end},
    {"a cancelled scope ends the wait in it", &scope_is_canceled},
    {"cancelled before it begins: it does not wait", &canceled_before_it_begins},
    {"a cancelled task stays so, except in a shield", &shielded},
    {"a value for one that is gone goes to the next", &value_is_not_lost},
    {"tasks destroyed wherever they wait give everything back", &destroyed_anywhere},
};

} // namespace

const std::span<const check::test> cancel_tests = tests;
