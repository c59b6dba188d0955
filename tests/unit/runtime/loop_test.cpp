// The loop: bounded turns, run and its kin, the virtual clock, post from the same thread.
#include "fixture.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace test;

namespace {

struct counting : weft::waiter {
    counting(int& n, std::string* order = nullptr, char letter = 0)
        : waiter(&count), runs(&n), log(order), name(letter) {}
    static void count(weft::waiter& node) {
        auto& self = static_cast<counting&>(node);
        ++*self.runs;
        if (self.log != nullptr) {
            *self.log += self.name;
        }
    }
    int* runs;
    std::string* log;
    char name;
};

weft::task<> yield_for_ever(int& rounds) {
    for (;;) {
        ++rounds;
        auto back = co_await weft::yield();
        if (!back) {
            co_return;
        }
    }
}
weft::task<> sync_wait_inside(weft::loop& home, errc& out, errc& poll, errc& run) {
    struct child {
        static weft::task<int> one() { co_return 1; }
    };
    auto r = weft::sync_wait(home, child::one());
    out = error_of(r);
    poll = error_of(home.poll());
    run = error_of(home.run());
    co_return;
}
weft::task<> stop_after(weft::loop& home, weft::duration time) {
    auto slept = co_await weft::sleep_for(time);
    (void)slept;
    home.stop();
}
weft::task<> wait_for_ever(weft::event& e) {
    auto r = co_await e.wait();
    (void)r;
}
weft::task<> sleep_a_little(weft::duration time) {
    auto slept = co_await weft::sleep_for(time);
    (void)slept;
}

/// A clock that the test sets, as a real one that went on outside the loop.
struct set_driver : weft::driver {
    weft::time_point time{weft::duration(1s)};
    int reads = 0;
    weft::time_point deadline{};
    weft::time_point now() noexcept override {
        ++reads;
        return time;
    }
    bool wait(weft::time_point until) noexcept override {
        deadline = until;
        return until != weft::never;
    }
    void wake() noexcept override { ++wakes; }
    int wakes = 0;
};

} // namespace

TEST_CASE("a turn runs at most 64 ready nodes, in order, one at a time") {
    runtime rt;
    int runs = 0;
    std::vector<std::unique_ptr<counting>> nodes;
    for (int i = 0; i < 200; ++i) {
        nodes.push_back(std::make_unique<counting>(runs));
        rt.home.make_ready(*nodes.back());
    }
    for (int expected : {64, 128, 192, 200, 200}) {
        rt.turn();
        CHECK(runs == expected);
    }
}

TEST_CASE("one that is always ready does not keep timers and others from running") {
    runtime rt;
    int rounds = 0;
    int other = 0;
    weft::task_group group{rt.home};
    (void)group.spawn(yield_for_ever(rounds));
    (void)group.spawn(yield_for_ever(other));
    rt.turn(10);
    CHECK(rounds == other);
    CHECK(rounds == 10 * weft::loop::ready_per_turn / 2 + 1);
    group.cancel();
    rt.settle();
}

TEST_CASE("make_ready again moves a node behind the others") {
    runtime rt;
    int runs = 0;
    std::string log;
    counting a(runs, &log, 'a');
    counting b(runs, &log, 'b');
    rt.home.make_ready(a);
    rt.home.make_ready(b);
    rt.home.make_ready(a);
    rt.turn();
    CHECK(log == "ba");
}

TEST_CASE("run_until: turns until the deadline, none if it has passed; run_for from now") {
    runtime rt;
    weft::task_group group{rt.home};
    int rounds = 0;
    (void)group.spawn(sleep_a_little(1h));
    const auto start = rt.home.now();
    CHECK(rt.home.run_until(start + 5ms).has_value());
    CHECK(rt.since(start) == 5ms);
    CHECK(rt.home.run_for(5ms).has_value());
    CHECK(rt.since(start) == 10ms);
    (void)group.spawn(yield_for_ever(rounds));
    rounds = 0;
    CHECK(rt.home.run_until(start).has_value());
    CHECK(rounds == 0);
    group.cancel();
    rt.settle();
}

TEST_CASE("stop ends run after its turn; a stop before run ends it at once, and only it") {
    runtime rt;
    weft::task_group group{rt.home};
    (void)group.spawn(stop_after(rt.home, 3ms));
    (void)group.spawn(sleep_a_little(1h));
    const auto start = rt.home.now();
    CHECK(rt.home.run().has_value());
    CHECK(rt.since(start) == 3ms);
    rt.home.stop();
    CHECK(rt.home.run_for(1s).has_value());
    CHECK(rt.since(start) == 3ms);
    CHECK(rt.home.run_for(1s).has_value());
    CHECK(rt.since(start) == 1s + 3ms);
}

TEST_CASE("poll never blocks and never moves a virtual clock") {
    runtime rt;
    weft::task_group group{rt.home};
    (void)group.spawn(sleep_a_little(1ms));
    const auto start = rt.home.now();
    rt.turn(100);
    CHECK(rt.since(start) == 0ms);
    CHECK(group.size() == 1);
}

TEST_CASE("with nothing left that could happen, run and sync_wait say would_deadlock") {
    runtime rt;
    CHECK(error_of(rt.home.run()) == errc::would_deadlock);
    weft::event never_set;
    CHECK(error_of(weft::sync_wait(rt.home, wait_for_ever(never_set))) == errc::would_deadlock);
    CHECK(weft::frame_pool::in_use() == 0); // the task was destroyed
    weft::task_group group{rt.home};
    (void)group.spawn(sleep_a_little(1ms));
    CHECK(error_of(weft::sync_wait(rt.home, wait_for_ever(never_set))) == errc::would_deadlock);
    CHECK(group.size() == 0); // after all others had run
}

TEST_CASE("blocking calls inside a coroutine of the same loop fail with would_deadlock") {
    runtime rt;
    errc inside = errc::ok;
    errc poll = errc::ok;
    errc run = errc::ok;
    CHECK(weft::sync_wait(rt.home, sync_wait_inside(rt.home, inside, poll, run)).has_value());
    CHECK(inside == errc::would_deadlock);
    CHECK(poll == errc::would_deadlock);
    CHECK(run == errc::would_deadlock);
    CHECK_FALSE(rt.home.running());
}

TEST_CASE("now is read once a turn, and afresh outside of one") {
    set_driver clock;
    weft::loop home{clock};
    const auto before = home.now();
    clock.time += 5s; // the program was busy elsewhere
    CHECK(home.now() == before + 5s);
    struct asks : weft::waiter {
        explicit asks(weft::loop& l) : waiter(&ask), home(&l) {}
        static void ask(weft::waiter& node) {
            auto& self = static_cast<asks&>(node);
            for (int i = 0; i < 10; ++i) {
                self.told = self.home->now();
            }
        }
        weft::loop* home;
        weft::time_point told{};
    } node(home);
    home.make_ready(node);
    const int reads = clock.reads;
    CHECK(home.poll().has_value());
    CHECK(clock.reads == reads + 1);
    CHECK(node.told == clock.time);
}

TEST_CASE("a sleep counts from when it is awaited, not from when its turn began") {
    set_driver clock;
    weft::loop home{clock};
    weft::task_group group{home};
    struct late {
        static weft::task<> sleeper(set_driver& c, weft::loop& l) {
            const auto turn = l.now();
            (void)turn;
            c.time += 50ms; // works, and then sleeps
            auto slept = co_await weft::sleep_for(10ms);
            (void)slept;
        }
    };
    struct root {
        static weft::task<> in_turn(set_driver& c, weft::loop& l, weft::task_group& g) {
            (void)g.spawn(late::sleeper(c, l));
            co_return;
        }
    };
    CHECK(weft::sync_wait(home, root::in_turn(clock, home, group)).has_value());
    CHECK(home.poll().has_value());
    CHECK(group.size() == 1);
    clock.time += 10ms - 1ns;
    CHECK(home.poll().has_value());
    CHECK(group.size() == 1); // never early
    clock.time += 1ns;
    CHECK(home.poll().has_value());
    CHECK(group.size() == 0);
}

TEST_CASE("post: idempotent while queued, in order, and again from its own run") {
    set_driver clock;
    weft::loop home{clock};
    static std::string log;
    static weft::loop* to;
    log.clear();
    to = &home;
    struct letter : weft::posted {
        letter(char c, int again) : posted(&arrive), name(c), more(again) {}
        static void arrive(weft::posted& p) {
            auto& self = static_cast<letter&>(p);
            log += self.name;
            if (self.more-- > 0) {
                to->post(self);
            }
        }
        char name;
        int more;
    } a('a', 2), b('b', 0);
    home.post(a);
    home.post(b);
    home.post(a);
    CHECK(log.empty());
    CHECK(clock.wakes == 1); // one for the chain
    CHECK(home.poll().has_value());
    CHECK(log == "ab");
    CHECK(home.poll().has_value());
    CHECK(home.poll().has_value());
    CHECK(home.poll().has_value());
    CHECK(log == "abaa");
}

TEST_CASE("post: something posted is something that can happen") {
    runtime rt;
    struct setter : weft::posted {
        explicit setter(weft::event& e) : posted(&set), what(&e) {}
        static void set(weft::posted& p) { static_cast<setter&>(p).what->set(); }
        weft::event* what;
    };
    weft::event e;
    setter node(e);
    rt.home.post(node);
    CHECK(weft::sync_wait(rt.home, wait_for_ever(e)).has_value());
}

TEST_CASE("a loop destroyed before its timers leaves them not pending") {
    weft::virtual_driver driver;
    weft::timer timer([](weft::timer&) {});
    weft::timer other([](weft::timer&) {});
    {
        weft::loop home{driver};
        home.timers().schedule(timer, home.now() + 1s);
        home.timers().schedule(other, home.now() + 2s);
    }
    CHECK_FALSE(timer.pending());
    CHECK_FALSE(other.pending());
}
