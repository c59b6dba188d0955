// when_all, when_any, timeout, within, task_group: who is waited for, and what is told.
#include "fixture.hpp"

#include <optional>
#include <string>
#include <vector>

using namespace test;

namespace {

weft::task<int> after(weft::duration time, int value) {
    auto slept = co_await weft::sleep_for(time);
    if (!slept) {
        co_return weft::fail(slept.error());
    }
    co_return value;
}
weft::task<int> now(int value) {
    co_return value;
}
weft::task<int> stubborn(weft::duration time, int value) {
    auto cut = co_await weft::sleep_for(time);
    (void)cut;
    co_return value; // cancelled or not, it has something to hand over
}
weft::task<> gives_up_quietly(weft::event& e) {
    auto r = co_await e.wait();
    (void)r;
}
weft::task<> joins_quietly(weft::event& e) {
    auto both = co_await weft::when_all(e.wait(), e.wait());
    (void)both;
}
weft::task<weft::transfer> moves_until_canceled() {
    auto slept = co_await weft::sleep_for(1h);
    co_return weft::transfer{3, error_of(slept)};
}

weft::task<> all_of_three(std::string& log) {
    auto all = co_await weft::when_all(after(3ms, 1), now(2), after(1ms, 3));
    log = std::to_string(*std::get<0>(all)) + std::to_string(*std::get<1>(all)) +
          std::to_string(*std::get<2>(all));
}
weft::task<> all_of_none(bool& done) {
    auto all = co_await weft::when_all();
    auto many = co_await weft::when_all(std::vector<weft::task<int>>{});
    done = std::tuple_size_v<decltype(all)> == 0 && many.empty();
}
weft::task<> all_of_vector(std::vector<int>& out) {
    std::vector<weft::task<int>> work;
    for (int i = 0; i < 5; ++i) {
        work.push_back(after(std::chrono::milliseconds(5 - i), i));
    }
    auto all = co_await weft::when_all(std::move(work));
    for (auto& each : all) {
        out.push_back(*each);
    }
}
weft::task<> any(weft::task<int> a, weft::task<int> b, std::string& log) {
    auto won = co_await weft::when_any(std::move(a), std::move(b));
    auto& [first, second] = won.results;
    log = std::to_string(won.index);
    log += first ? std::to_string(*first) : "-";
    log += second ? std::to_string(*second) : "-";
}
weft::task<> any_of_vector(std::string& log) {
    std::vector<weft::task<int>> work;
    work.push_back(after(2ms, 1));
    work.push_back(after(1ms, 2));
    work.push_back(stubborn(3ms, 3));
    auto won = co_await weft::when_any(std::move(work));
    log = std::to_string(won.index);
    for (auto& each : won.results) {
        log += each ? std::to_string(*each) : "-";
    }
}
template <class A>
weft::task<> limited(A work, weft::duration limit, errc& out) {
    auto r = co_await weft::timeout(std::move(work), limit);
    out = error_of(r);
}
weft::task<> limited_value(weft::task<int> work, weft::duration limit, weft::result<int>& out) {
    auto r = co_await weft::timeout(std::move(work), limit);
    out = r;
}
weft::task<> limited_any(weft::event& e, weft::duration limit, errc& out) {
    auto r = co_await weft::timeout(weft::when_any(e.wait(), e.wait()), limit);
    out = error_of(r);
}
weft::task<> limited_transfer(weft::transfer& out) {
    auto r = co_await weft::timeout(moves_until_canceled(), 1ms);
    out = r;
}
weft::task<> moves_beside(weft::event& e, weft::transfer& out, errc& all) {
    auto both = co_await weft::timeout(weft::when_any(moves_until_canceled(), e.wait()), 1ms);
    all = error_of(both);
    out = both ? std::get<0>(both->results) : weft::transfer();
}
weft::task<weft::transfer> moves_nothing() {
    co_return weft::fail(errc::no_memory);
}
weft::task<> transfers_fail(weft::transfer& out) {
    auto moved = co_await moves_nothing();
    out = moved;
}
weft::task<> twice_within(weft::scope& in, std::string& log) {
    auto a = co_await weft::within(in, now(1));
    auto b = co_await weft::within(in, after(1ms, 2));
    log += a ? 'a' : '!';
    log += b ? 'b' : '!';
    in.cancel();
    auto c = co_await weft::within(in, after(1ms, 3));
    log += c ? 'c' : '!';
}
weft::task<> within_in_order(weft::scope& in, errc& out) {
    auto r = co_await weft::within(in, weft::sleep_for(1h));
    out = error_of(r);
}
weft::task<> cancel_from_inside(weft::scope& outer, std::string& log) {
    struct child {
        static weft::task<int> cancels(weft::scope& whose, int value) {
            whose.cancel();
            co_return value;
        }
    };
    auto all = co_await weft::when_all(child::cancels(outer, 1), after(1ms, 2));
    log += std::get<0>(all) ? '1' : '!';
    log += std::get<1>(all) ? '2' : '!';
}
weft::task<> in_scope(weft::scope& in, weft::task<> work) {
    auto done = co_await weft::within(in, std::move(work));
    (void)done;
}
weft::task<> join(weft::task_group& group, std::optional<errc>& out) {
    auto r = co_await group.join();
    out = error_of(r);
}
weft::task<> spawns_into(weft::task_group& group, int left, int& ran) {
    ++ran;
    if (left != 0) {
        (void)group.spawn(spawns_into(group, left - 1, ran));
    }
    auto back = co_await weft::yield();
    (void)back;
}
weft::task<> long_sleep() {
    auto slept = co_await weft::sleep_for(1h);
    (void)slept;
}
weft::task<> cancels_own(weft::task_group& group, errc& inside, errc& spawned) {
    group.cancel();
    spawned = error_of(group.spawn(long_sleep()));
    auto back = co_await weft::yield();
    inside = error_of(back);
}
} // namespace

TEST_CASE("when_all runs in order, in place, waits for all and gives every result in its place") {
    runtime rt;
    std::string log;
    weft::task_group group{rt.home};
    const auto start = rt.home.now();
    (void)group.spawn(all_of_three(log));
    rt.settle();
    CHECK(log == "123");
    CHECK(rt.since(start) == 3ms);
    bool done = false;
    (void)group.spawn(all_of_none(done));
    CHECK(done);
    std::vector<int> out;
    (void)group.spawn(all_of_vector(out));
    rt.settle();
    CHECK(out == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE(
    "when_any goes on with the first; losers are cancelled, waited for, and keep what they had") {
    runtime rt;
    std::string log;
    weft::task_group group{rt.home};
    const auto start = rt.home.now();
    (void)group.spawn(any(after(1h, 1), after(1ms, 2), log));
    rt.settle();
    CHECK(log == "1-2");
    CHECK(rt.since(start) == 1ms);
    (void)group.spawn(any(after(1ms, 1), stubborn(1h, 2), log));
    rt.settle();
    CHECK(log == "012");
    (void)group.spawn(any(now(1), now(2), log)); // once one has ended the rest need not begin
    CHECK(log == "01-");
    (void)group.spawn(any_of_vector(log));
    rt.settle();
    CHECK(log == "1-23");
    CHECK(rt.home.timers().empty());
}

TEST_CASE("cancelling a join from inside a child that it is starting reaches the others") {
    runtime rt;
    std::string log;
    weft::scope outer{rt.home};
    weft::task_group group{rt.home};
    const auto start = rt.home.now();
    (void)group.spawn(in_scope(outer, cancel_from_inside(outer, log)));
    rt.settle();
    CHECK(log == "1!");
    CHECK(rt.since(start) == 0ms);
    CHECK(group.size() == 0);
}

TEST_CASE("timeout: timed_out if that ended it, the value if there is one, errors as they are") {
    runtime rt;
    weft::event e;
    errc out = errc::io_error;
    weft::result<int> value = 0;
    weft::task_group group{rt.home};
    const auto start = rt.home.now();
    (void)group.spawn(limited(after(1h, 1), 2ms, out));
    rt.settle();
    CHECK(out == errc::timed_out);
    CHECK(rt.since(start) == 2ms);
    (void)group.spawn(limited_value(now(1), 0ms, value)); // what is there is taken
    CHECK(value == 1);
    (void)group.spawn(limited_value(after(1ms, 2), 1s, value));
    rt.settle();
    CHECK(value == 2);
    (void)group.spawn(limited_value(stubborn(1h, 3), 1ms, value));
    rt.settle();
    CHECK(value == 3);
    (void)group.spawn(limited(weft::sleep_for(1h), 1ms, out));
    rt.settle();
    CHECK(out == errc::timed_out);
    CHECK(rt.home.timers().empty());
}

TEST_CASE("timeout: a task<> that returns quietly after it was cut short counts as timed out") {
    runtime rt;
    weft::event e;
    errc direct = errc::ok;
    errc nested = errc::ok;
    errc any_of = errc::ok;
    weft::transfer moved;
    weft::task_group group{rt.home};
    (void)group.spawn(limited(gives_up_quietly(e), 1ms, direct));
    (void)group.spawn(limited(joins_quietly(e), 1ms, nested));
    (void)group.spawn(limited_any(e, 1ms, any_of));
    (void)group.spawn(limited_transfer(moved));
    rt.settle();
    CHECK(direct == errc::timed_out);
    CHECK(nested == errc::timed_out);
    CHECK(any_of == errc::timed_out);
    CHECK(moved.error() == errc::timed_out);
    CHECK(moved.count == 3);
}

TEST_CASE("a transfer tells its own error through whatever waits for it") {
    runtime rt;
    weft::event e;
    weft::transfer cut;
    weft::transfer failed;
    errc all = errc::ok;
    weft::task_group group{rt.home};
    (void)group.spawn(moves_beside(e, cut, all));
    (void)group.spawn(transfers_fail(failed));
    rt.settle();
    CHECK(all == errc::ok); // bytes have moved: when_any() has something to hand over
    CHECK(cut.error() == errc::canceled);
    CHECK(cut.count == 3);
    CHECK(failed.error() == errc::no_memory);
    CHECK(failed.count == 0);
    CHECK_FALSE(failed.has_value());
    CHECK_FALSE(failed);
}

TEST_CASE("timeout: cancelled from outside it says canceled") {
    runtime rt;
    errc out = errc::ok;
    weft::task_group group{rt.home};
    (void)group.spawn(limited(after(1h, 1), 1h, out));
    group.cancel();
    rt.settle();
    CHECK(out == errc::canceled);
    CHECK(rt.home.timers().empty());
}

TEST_CASE("within: a scope serves one chain after another; cancelled it stays so") {
    runtime rt;
    std::string log;
    weft::scope in{rt.home};
    weft::task_group group{rt.home};
    (void)group.spawn(twice_within(in, log));
    rt.settle();
    CHECK(log == "ab!");
}

TEST_CASE("within: cancelling the parent cancels the scope too") {
    runtime rt;
    errc out = errc::ok;
    weft::scope in{rt.home};
    weft::task_group group{rt.home};
    (void)group.spawn(within_in_order(in, out));
    group.cancel();
    rt.turn();
    CHECK(out == errc::canceled);
    CHECK(in.canceled());
}

TEST_CASE("task_group: join completes when no child is left, children of children included") {
    runtime rt;
    weft::task_group group{rt.home};
    weft::task_group outer{rt.home};
    std::optional<errc> joined;
    int ran = 0;
    (void)group.spawn(spawns_into(group, 5, ran));
    CHECK(group.size() == 6);
    (void)outer.spawn(join(group, joined));
    CHECK_FALSE(joined.has_value());
    rt.settle();
    CHECK(ran == 6);
    CHECK(group.size() == 0);
    CHECK(joined == errc::ok);
    (void)outer.spawn(join(group, joined)); // again, with nobody left
    CHECK(joined == errc::ok);
    CHECK(group.spawn(spawns_into(group, 0, ran)).has_value()); // it may be used again
    rt.settle();
}

TEST_CASE("task_group: one joins at a time, a second is told already") {
    runtime rt;
    weft::task_group group{rt.home};
    weft::task_group outer{rt.home};
    std::optional<errc> first;
    std::optional<errc> second;
    (void)group.spawn(after(1ms, 1));
    (void)outer.spawn(join(group, first));
    (void)outer.spawn(join(group, second));
    CHECK(second == errc::already);
    rt.settle();
    CHECK(first == errc::ok);
}

TEST_CASE("task_group: cancelling the parent of a join cancels the children and waits for them") {
    runtime rt;
    weft::task_group group{rt.home};
    std::optional<errc> joined;
    {
        weft::task_group outer{rt.home};
        (void)group.spawn(long_sleep());
        (void)outer.spawn(join(group, joined));
        outer.cancel();
        rt.turn();
        CHECK(joined == errc::canceled);
        CHECK(group.size() == 0);
    }
}

TEST_CASE("task_group: a child may cancel its own group; its next wait ends at once") {
    runtime rt;
    weft::task_group group{rt.home};
    errc inside = errc::ok;
    errc spawned = errc::ok;
    (void)group.spawn(cancels_own(group, inside, spawned));
    CHECK(inside == errc::canceled);
    CHECK(spawned == errc::canceled);
}
