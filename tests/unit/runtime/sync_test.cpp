// event, mutex, semaphore, latch, channel: who is let through, in which order, and who is not.
#include "fixture.hpp"

#include <memory>
#include <optional>
#include <string>

using namespace test;

namespace {

weft::task<> wait_for(weft::event& e, std::string& log, char name) {
    auto r = co_await e.wait();
    log += r ? name : '!';
}
weft::task<> hold(weft::mutex& m, std::string& log, char name, int turns = 1) {
    auto held = co_await m.lock();
    log += held ? name : '!';
    for (int i = 0; i < turns && held; ++i) {
        auto back = co_await weft::yield();
        (void)back;
    }
}
weft::task<> hold_for_ever(weft::mutex& m, weft::event& stop, int& rounds) {
    while (!stop.is_set()) {
        auto held = co_await m.lock();
        ++rounds;
        auto back = co_await weft::yield();
        (void)back;
    }
}
weft::task<> lock_then_set(weft::mutex& m, weft::event& done) {
    auto held = co_await m.lock();
    done.set();
}
weft::task<> acquire(weft::semaphore& s, std::string& log, char name) {
    auto r = co_await s.acquire();
    log += r ? name : '!';
}
weft::task<> receive(weft::channel<int, 2>& c, std::string& log, char name) {
    auto got = co_await c.receive();
    log += name;
    log += got ? static_cast<char>('0' + *got) : got.error() == errc::end_of_stream ? '.' : '!';
}
weft::task<> send(weft::channel<int, 2>& c, std::string& log, int v) {
    auto sent = co_await c.send(v);
    log += sent ? static_cast<char>('0' + v) : sent.error() == errc::broken_pipe ? 'x' : '!';
}
weft::task<> any_of_two(weft::channel<int, 2>& c, std::string& log) {
    auto won = co_await weft::when_any(c.receive(), c.receive());
    auto& [a, b] = won.results;
    log += static_cast<char>('0' + won.index);
    log += a ? static_cast<char>('0' + *a) : '-';
    log += b ? static_cast<char>('0' + *b) : '-';
}
weft::task<> move_only(weft::channel<std::unique_ptr<int>, 1>& c, int& out) {
    auto sent = co_await c.send(std::make_unique<int>(9));
    auto got = co_await c.receive();
    out = sent && got ? **got : 0;
}
weft::task<> ended(weft::task<errc> wait, errc& out) {
    auto r = co_await std::move(wait);
    out = *r;
}
weft::task<errc> error_of_wait(weft::event& e) {
    auto r = co_await e.wait();
    co_return error_of(r);
}
weft::task<errc> error_of_lock(weft::mutex& m) {
    auto r = co_await m.lock();
    co_return error_of(r);
}
weft::task<errc> error_of_acquire(weft::semaphore& s) {
    auto r = co_await s.acquire();
    co_return error_of(r);
}
weft::task<errc> error_of_receive(weft::channel<int, 2>& c) {
    auto r = co_await c.receive();
    co_return error_of(r);
}

} // namespace

TEST_CASE("event: set releases all who wait, even if reset follows at once; later ones wait") {
    runtime rt;
    weft::event e;
    std::string log;
    weft::task_group group{rt.home};
    (void)group.spawn(wait_for(e, log, 'a'));
    (void)group.spawn(wait_for(e, log, 'b'));
    e.set();
    CHECK(log.empty()); // set resumes nobody itself
    e.reset();
    (void)group.spawn(wait_for(e, log, 'c'));
    rt.turn();
    CHECK(log == "ab");
    e.set();
    (void)group.spawn(wait_for(e, log, 'd')); // set: it does not wait
    rt.turn();
    CHECK(log == "abdc");
}

TEST_CASE("latch: opens at zero, stays open, counts no further") {
    runtime rt;
    weft::latch l{2};
    std::string log;
    weft::task_group group{rt.home};
    struct on {
        static weft::task<> wait(weft::latch& of, std::string& to) {
            auto r = co_await of.wait();
            to += r ? 'o' : '!';
        }
    };
    (void)group.spawn(on::wait(l, log));
    l.count_down();
    rt.turn();
    CHECK(log.empty());
    l.count_down(5);
    CHECK(l.remaining() == 0);
    rt.turn();
    (void)group.spawn(on::wait(l, log));
    CHECK(log == "oo");
}

TEST_CASE("mutex: first come first served, one at a time; the guard unlocks") {
    runtime rt;
    weft::mutex m;
    std::string log;
    weft::task_group group{rt.home};
    for (char name : {'a', 'b', 'c', 'd'}) {
        (void)group.spawn(hold(m, log, name));
    }
    CHECK(log == "a");
    CHECK(m.locked());
    rt.settle();
    CHECK(log == "abcd");
    CHECK_FALSE(m.locked());
}

TEST_CASE("mutex: one that locks it again and again, holding it across waits, starves nobody") {
    runtime rt;
    weft::mutex m;
    weft::event stop;
    int rounds = 0;
    weft::task_group group{rt.home};
    (void)group.spawn(hold_for_ever(m, stop, rounds));
    (void)group.spawn(lock_then_set(m, stop));
    rt.turn(3);
    CHECK(stop.is_set());
    CHECK(rounds == 2); // the second when the other was done
}

TEST_CASE("mutex: a newcomer does not overtake the one that was called, nor does try_lock") {
    runtime rt;
    weft::mutex m;
    std::string log;
    weft::task_group group{rt.home};
    CHECK(m.try_lock());
    (void)group.spawn(hold(m, log, 'a'));
    m.unlock();
    CHECK_FALSE(m.try_lock());
    (void)group.spawn(hold(m, log, 'b'));
    CHECK(log.empty());
    rt.settle();
    CHECK(log == "ab");
}

TEST_CASE("semaphore: units go to waiters in order; none is lost or made up") {
    runtime rt;
    weft::semaphore s{1};
    std::string log;
    weft::task_group group{rt.home};
    for (char name : {'a', 'b', 'c', 'd'}) {
        (void)group.spawn(acquire(s, log, name));
    }
    CHECK(log == "a");
    s.release(2);
    CHECK_FALSE(s.try_acquire()); // others are before us
    (void)group.spawn(acquire(s, log, 'e'));
    rt.turn();
    CHECK(log == "abc");
    s.release(3);
    rt.turn();
    CHECK(log == "abcde");
    CHECK(s.available() == 1);
}

TEST_CASE("channel: values keep their order, senders and receivers theirs") {
    runtime rt;
    weft::channel<int, 2> c;
    std::string log;
    weft::task_group group{rt.home};
    for (int v = 1; v <= 4; ++v) {
        (void)group.spawn(send(c, log, v));
    }
    CHECK(log == "12");
    for (char name : {'a', 'b', 'c', 'd', 'e'}) {
        (void)group.spawn(receive(c, log, name));
    }
    rt.settle();
    std::string received;
    for (std::size_t i = 0; i + 1 < log.size(); ++i) {
        if (log[i] >= 'a' && log[i] <= 'e') {
            received += log.substr(i, 2);
        }
    }
    CHECK(received == "a1b2c3d4");
    c.close();
    rt.settle();
    CHECK(log.substr(log.size() - 2) == "e.");
}

TEST_CASE("channel: close lets receivers empty it and turns senders away, waiting ones too") {
    runtime rt;
    weft::channel<int, 2> c;
    std::string log;
    weft::task_group group{rt.home};
    for (int v = 1; v <= 4; ++v) {
        (void)group.spawn(send(c, log, v));
    }
    c.close();
    rt.settle();
    CHECK(log == "12xx");
    (void)group.spawn(send(c, log, 5));
    for (char name : {'a', 'b', 'c'}) {
        (void)group.spawn(receive(c, log, name));
    }
    CHECK(log == "12xxxa1b2c.");
}

TEST_CASE("channel: when_any of two receives loses no value") {
    runtime rt;
    weft::channel<int, 2> c;
    std::string log;
    weft::task_group group{rt.home};
    (void)group.spawn(any_of_two(c, log));
    int v = 1;
    CHECK(c.try_send(v));
    v = 2;
    CHECK(c.try_send(v));
    rt.settle();
    // the second may have had its value before it was cancelled, or it is still in the channel
    const bool both = log == "012";
    CHECK((both || (log == "01-" && c.size() == 1)));
    log.clear();
    v = 3;
    if (both) {
        CHECK(c.try_send(v));
    }
    (void)group.spawn(any_of_two(c, log));
    rt.settle();
    CHECK(log == (both ? "03-" : "02-"));
    CHECK(c.size() == 0);
}

TEST_CASE("channel: values that only move, and those left over, are destroyed once") {
    runtime rt;
    int out = 0;
    {
        weft::channel<std::unique_ptr<int>, 1> c;
        weft::task_group group{rt.home};
        (void)group.spawn(move_only(c, out));
        rt.settle();
        auto left = std::make_unique<int>(1);
        CHECK(c.try_send(left));
        auto refused = std::make_unique<int>(2);
        CHECK_FALSE(c.try_send(refused));
        CHECK(refused != nullptr); // only what was sent is moved from
    }
    CHECK(out == 9);
}

TEST_CASE("a primitive destroyed under its waiters completes them with bad_handle") {
    runtime rt;
    errc out[5] = {};
    weft::task_group group{rt.home};
    {
        weft::event e;
        weft::mutex m;
        weft::semaphore s{0};
        weft::channel<int, 2> c;
        CHECK(m.try_lock());
        (void)group.spawn(ended(error_of_wait(e), out[0]));
        (void)group.spawn(ended(error_of_lock(m), out[1]));
        (void)group.spawn(ended(error_of_acquire(s), out[2]));
        (void)group.spawn(ended(error_of_acquire(s), out[3]));
        (void)group.spawn(ended(error_of_receive(c), out[4]));
        s.release(); // called, and in the ready queue, when the semaphore goes
    }
    rt.turn();
    for (errc each : out) {
        CHECK(each == errc::bad_handle);
    }
}

TEST_CASE("after 32 completions in a row an operation goes through the queue") {
    struct spinner {
        static weft::task<> on(weft::semaphore& s, int& done) {
            for (;;) {
                auto r = co_await s.acquire();
                if (!r) {
                    co_return;
                }
                ++done;
            }
        }
    };
    runtime rt;
    weft::semaphore s{1000};
    int done = 0;
    weft::task_group group{rt.home};
    (void)group.spawn(spinner::on(s, done));
    CHECK(done == weft::scope::immediate_completions);
    int other = 0;
    (void)group.spawn(spinner::on(s, other));
    CHECK(other == weft::scope::immediate_completions);
    rt.turn();
    CHECK(done + other == 1000); // 64 passes of 33
    CHECK(done - other <= weft::scope::immediate_completions + 1);
    CHECK(other - done <= weft::scope::immediate_completions + 1);
}
