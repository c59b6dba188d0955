// Channels, locks and joins, on the processor itself.
#include "tests.hpp"

#include <weft/channel.hpp>
#include <weft/event.hpp>
#include <weft/latch.hpp>
#include <weft/mutex.hpp>
#include <weft/semaphore.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/when_all.hpp>

#include <cstdint>
#include <tuple>

namespace {

using check::error_of;
using weft::errc;

weft::task<> count_up(weft::channel<int, 4>& c, int until) {
    for (int i = 0; i < until; ++i) {
        auto sent = co_await c.send(i);
        CHECK(sent.has_value());
        CHECK(c.size() <= 4);
    }
    c.close();
    auto refused = co_await c.send(0);
    CHECK(error_of(refused) == errc::broken_pipe);
}
weft::task<> expect_all(weft::channel<int, 4>& c, int until, int& received) {
    for (;;) {
        auto got = co_await c.receive();
        if (!got) {
            CHECK(got.error() == errc::end_of_stream);
            break;
        }
        CHECK_EQUAL(*got, received);
        ++received;
        if (received % 3 == 0) {
            auto back = co_await weft::yield();
            (void)back;
        }
    }
    CHECK_EQUAL(received, until);
}
weft::task<> through_channel(int until, int& received) {
    weft::channel<int, 4> c;
    auto both = co_await weft::when_all(count_up(c, until), expect_all(c, until, received));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
}
void channel_in_order() {
    check::runtime rt;
    int received = 0;
    CHECK(weft::sync_wait(rt.home, through_channel(10'000, received)).has_value());
    CHECK_EQUAL(received, 10'000);
}

weft::task<> send_one(weft::channel<int, 1>& c, int value, errc& outcome) {
    auto sent = co_await c.send(value);
    outcome = error_of(sent);
}
void full_channel() {
    check::runtime rt;
    weft::channel<int, 1> c;
    errc first = errc::io_error;
    errc second = errc::io_error;
    errc third = errc::io_error;
    weft::task_group group{rt.home};
    CHECK(group.spawn(send_one(c, 1, first)).has_value());
    CHECK(group.spawn(send_one(c, 2, second)).has_value());
    CHECK(group.spawn(send_one(c, 3, third)).has_value());
    rt.turn(2);
    CHECK(first == errc::ok);
    CHECK(second == errc::io_error);
    CHECK_EQUAL(c.try_receive().value_or(0), 1);
    rt.turn(2);
    CHECK(second == errc::ok);
    CHECK(third == errc::io_error);
    c.close();
    rt.turn(2);
    CHECK(third == errc::broken_pipe);
    CHECK_EQUAL(c.try_receive().value_or(0), 2);
}

struct shared_count {
    weft::mutex lock;
    int inside = 0;
    int rounds = 0;
};
weft::task<> critical(shared_count& s, int times) {
    for (int i = 0; i < times; ++i) {
        auto held = co_await s.lock.lock();
        CHECK(held.has_value());
        CHECK_EQUAL(++s.inside, 1);
        auto back = co_await weft::yield();
        (void)back;
        --s.inside;
        ++s.rounds;
    }
}
void mutex_excludes() {
    check::runtime rt;
    shared_count s;
    {
        weft::task_group group{rt.home};
        for (int i = 0; i < 5; ++i) {
            CHECK(group.spawn(critical(s, 100)).has_value());
        }
        for (int turns = 0; group.size() != 0 && turns < 10'000; ++turns) {
            rt.turn();
        }
        CHECK_EQUAL(group.size(), 0);
    }
    CHECK_EQUAL(s.rounds, 500);
    CHECK(!s.lock.locked());
}

struct pool {
    weft::semaphore places{2};
    int inside = 0;
    int most = 0;
    int rounds = 0;
};
weft::task<> takes_place(pool& p, int times) {
    for (int i = 0; i < times; ++i) {
        auto taken = co_await p.places.acquire();
        CHECK(taken.has_value());
        ++p.inside;
        p.most = p.inside > p.most ? p.inside : p.most;
        auto back = co_await weft::yield();
        (void)back;
        --p.inside;
        ++p.rounds;
        p.places.release();
    }
}
void semaphore_counts() {
    check::runtime rt;
    pool p;
    weft::task_group group{rt.home};
    for (int i = 0; i < 5; ++i) {
        CHECK(group.spawn(takes_place(p, 50)).has_value());
    }
    for (int turns = 0; group.size() != 0 && turns < 10'000; ++turns) {
        rt.turn();
    }
    CHECK_EQUAL(p.rounds, 250);
    CHECK_EQUAL(p.most, 2);
    CHECK_EQUAL(p.places.available(), 2);
}

weft::task<> waits(weft::event& e, int& released) {
    auto set = co_await e.wait();
    CHECK(set.has_value());
    ++released;
}
weft::task<> waits_latch(weft::latch& l, int& released) {
    auto open = co_await l.wait();
    CHECK(open.has_value());
    ++released;
}
void event_and_latch() {
    check::runtime rt;
    weft::event e;
    weft::latch l{3};
    int released = 0;
    weft::task_group group{rt.home};
    for (int i = 0; i < 3; ++i) {
        CHECK(group.spawn(waits(e, released)).has_value());
        CHECK(group.spawn(waits_latch(l, released)).has_value());
    }
    rt.turn(3);
    CHECK_EQUAL(released, 0);
    e.set();
    e.reset(); // whoever waited is released nevertheless
    rt.turn();
    CHECK_EQUAL(released, 3);
    l.count_down(2);
    rt.turn();
    CHECK_EQUAL(released, 3);
    l.count_down();
    rt.turn();
    CHECK_EQUAL(released, 6);
}

weft::task<std::int64_t> wide(std::int64_t value, bool late) {
    if (late) {
        auto back = co_await weft::yield();
        (void)back;
    }
    co_return value;
}
weft::task<> join_wide(std::int64_t& sum) {
    constexpr std::int64_t big = 0x1234'5678'9abc;
    auto all = co_await weft::when_all(wide(big, false), wide(-1, true), wide(1, true));
    sum = *std::get<0>(all) + *std::get<1>(all) + *std::get<2>(all) - big;
}
void joins_values() {
    check::runtime rt;
    std::int64_t sum = -1;
    CHECK(weft::sync_wait(rt.home, join_wide(sum)).has_value());
    CHECK_EQUAL(sum, 0);
}

weft::task<> child(weft::event& e, int& ended) {
    const check::probe local;
    auto set = co_await e.wait();
    (void)set;
    ++ended;
}
weft::task<> parent(weft::loop& home, weft::event& e, int& ended) {
    weft::task_group group{home};
    for (int i = 0; i < 10; ++i) {
        CHECK(group.spawn(child(e, ended)).has_value());
    }
    e.set();
    auto joined = co_await group.join();
    CHECK(joined.has_value());
    CHECK_EQUAL(ended, 10);
}
void group_ends_after_children() {
    check::runtime rt;
    weft::event e;
    int ended = 0;
    CHECK(weft::sync_wait(rt.home, parent(rt.home, e, ended)).has_value());
    CHECK_EQUAL(ended, 10);
}

constexpr check::test tests[] = {
    {"10,000 values go through a channel of 4, in order", &channel_in_order},
    {"a full channel keeps its senders waiting; closing tells them", &full_channel},
    {"a mutex has one holder", &mutex_excludes},
    {"a semaphore of 2 has two holders", &semaphore_counts},
    {"an event releases all who wait, a latch when it is counted down", &event_and_latch},
    {"when_all hands over each result, 64 bits wide", &joins_values},
    {"a task_group ends after its children", &group_ends_after_children},
};

} // namespace

const std::span<const check::test> sync_tests = tests;
