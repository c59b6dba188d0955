// Destroying or cancelling a task at each of its suspension points: a table over every awaiter.
//
// Three copies of a row run beside a helper that lets them go on. A killer looks at them after
// every pass of the ready queue and at every sleep of the loop; at its Nth look it destroys, or
// cancels, all. N counts up until a run ends by itself.
#include "fixture.hpp"

#include <optional>
#include <vector>

using namespace test;

namespace {

struct stage;
using row_function = weft::task<> (*)(stage&);

/// Virtual time, and a look at every sleep.
class watched_driver : public weft::driver {
  public:
    weft::time_point now() noexcept override { return clock_.now(); }
    bool wait(weft::time_point deadline) noexcept override {
        if (deadline != weft::at_once && deadline != weft::never) {
            slept(*this);
        }
        return clock_.wait(deadline);
    }
    void wake() noexcept override {}
    void (*slept)(watched_driver&) = nullptr;

  private:
    weft::virtual_driver clock_;
};

struct stage : watched_driver {
    weft::loop home{*this};
    weft::event event;
    weft::mutex mutex;
    weft::semaphore semaphore{1};
    weft::latch latch{3};
    weft::channel<int, 1> channel;
    int sent = 0;
    int received = 0;
    std::optional<weft::task_group> group;

    struct killer : weft::waiter {
        explicit killer(stage& s) : waiter(&look), on(&s) {}
        static void look(weft::waiter& node) {
            auto& self = static_cast<killer&>(node);
            if (self.left-- == 0) {
                self.strike(*self.on);
                self.struck = true;
            } else if (--self.looks > 0) {
                self.on->home.make_ready(self);
            }
        }
        stage* on;
        int left = 0;
        int looks = 0;
        bool struck = false;
        void (*strike)(stage&) = nullptr;
    } killing{*this};

    stage() {
        slept = [](watched_driver& d) {
            static_cast<stage&>(d).look_again();
        };
        group.emplace(home);
    }
    ~stage() { killing.unlink(); }
    void look_again() {
        if (!killing.struck) {
            killing.looks = 8;
            home.make_ready(killing);
        }
    }
};

// --- the rows: every awaiter
// --------------------------------------------------------------------

weft::task<> yields(stage&) {
    probe local;
    auto a = co_await weft::yield();
    auto b = co_await weft::schedule();
    (void)a, (void)b;
}
weft::task<> sleeps(stage& s) {
    probe local;
    auto a = co_await weft::sleep_for(1ms);
    auto b = co_await weft::sleep_until(s.home.now() + 1ms);
    (void)a, (void)b;
}
weft::task<> waits_for_event(stage& s) {
    probe local;
    auto a = co_await s.event.wait();
    (void)a;
}
weft::task<> locks(stage& s) {
    probe local;
    auto held = co_await s.mutex.lock();
    auto inside = co_await weft::yield();
    (void)inside;
}
weft::task<> acquires(stage& s) {
    probe local;
    auto taken = co_await s.semaphore.acquire();
    if (taken) {
        struct giver {
            weft::semaphore* to;
            ~giver() { to->release(); }
        } give_back{&s.semaphore};
        auto inside = co_await weft::sleep_for(1ms);
        (void)inside;
    }
}
weft::task<> waits_for_latch(stage& s) {
    probe local;
    auto open = co_await s.latch.wait();
    (void)open;
}
weft::task<> sends(stage& s) {
    probe local;
    for (int i = 0; i < 3; ++i) {
        auto sent = co_await s.channel.send(i);
        s.sent += sent.has_value();
    }
}
weft::task<> receives(stage& s) {
    probe local;
    for (int i = 0; i < 3; ++i) {
        auto got = co_await s.channel.receive();
        s.received += got.has_value();
    }
}
weft::task<> sends_and_receives(stage& s) {
    auto both = co_await weft::when_all(sends(s), receives(s));
    (void)both;
}
weft::task<> when_all_of_many(stage& s) {
    probe local;
    std::vector<weft::task<>> work;
    work.push_back(yields(s));
    work.push_back(sleeps(s));
    work.push_back(locks(s));
    auto all = co_await weft::when_all(std::move(work));
    (void)all;
}
weft::task<> when_any_of_two(stage& s) {
    probe local;
    auto won = co_await weft::when_any(sleeps(s), s.event.wait(), s.mutex.lock());
    (void)won;
}
weft::task<> when_any_of_many(stage& s) {
    probe local;
    std::vector<weft::task<>> work;
    work.push_back(sleeps(s));
    work.push_back(waits_for_event(s));
    auto won = co_await weft::when_any(std::move(work));
    (void)won;
}
weft::task<> times_out(stage& s) {
    probe local;
    auto late = co_await weft::timeout(waits_for_event(s), 1ms);
    auto in_time = co_await weft::timeout(sleeps(s), 1s);
    (void)late, (void)in_time;
}
weft::task<> shields(stage& s) {
    probe local;
    auto bye = co_await weft::shield(sleeps(s), 1s);
    (void)bye;
}
weft::task<> confines(stage& s) {
    probe local;
    weft::scope inner{s.home};
    auto done = co_await weft::within(inner, sleeps(s));
    (void)done;
}
weft::task<> joins(stage& s) {
    probe local;
    weft::task_group children{s.home};
    auto a = children.spawn(sleeps(s));
    auto b = children.spawn(locks(s));
    auto joined = co_await children.join();
    (void)a, (void)b, (void)joined;
}
weft::task<int> three_deep(stage& s, int left) {
    probe local;
    if (left != 0) {
        auto below = co_await three_deep(s, left - 1);
        co_return below ? *below : 0;
    }
    auto a = co_await weft::sleep_for(1ms);
    auto b = co_await weft::yield();
    (void)a, (void)b;
    co_return 1;
}
weft::task<> nests(stage& s) {
    auto deep = co_await three_deep(s, 3);
    (void)deep;
}
weft::task<> everything(stage& s) {
    probe local;
    auto all = co_await weft::when_all(
        weft::timeout(weft::when_any(locks(s), acquires(s)), 5ms), joins(s),
        weft::shield(when_any_of_two(s), 3ms), sends_and_receives(s));
    (void)all;
}

weft::task<> helper(stage& s) {
    for (int i = 0; i < 3; ++i) {
        auto slept = co_await weft::sleep_for(2ms);
        (void)slept;
        s.latch.count_down();
        s.event.set();
    }
}

struct row {
    const char* name;
    row_function run;
};
constexpr row table[] = {
    {"yield", yields},
    {"sleep", sleeps},
    {"event", waits_for_event},
    {"mutex", locks},
    {"semaphore", acquires},
    {"latch", waits_for_latch},
    {"channel send", sends},
    {"channel receive", receives},
    {"channel both", sends_and_receives},
    {"when_all of many", when_all_of_many},
    {"when_any", when_any_of_two},
    {"when_any of many", when_any_of_many},
    {"timeout", times_out},
    {"shield", shields},
    {"within", confines},
    {"task_group join", joins},
    {"nested tasks", nests},
    {"everything at once", everything},
};

/// Runs a row until the strike at look `point`, and to its end. False if it ended before that.
bool run(stage& s, const row& r, int point, void (*strike)(stage&)) {
    s.killing.left = point;
    s.killing.strike = strike;
    for (int copy = 0; copy < 3; ++copy) {
        (void)s.group->spawn(r.run(s));
    }
    (void)s.group->spawn(helper(s));
    s.look_again();
    while (s.home.step(weft::never).has_value()) {
    }
    return s.killing.struck;
}

} // namespace

TEST_CASE("destroying a task at each of its suspension points leaks nothing "
          "and touches nothing") {
    for (const row& r : table) {
        CAPTURE(r.name);
        int points = 0;
        for (bool struck = true; struck; ++points) {
            CAPTURE(points);
            {
                stage s;
                struck = run(s, r, points, [](stage& on) { on.group.reset(); });
                if (struck) {
                    CHECK(probe::live == 0);
                    CHECK_FALSE(s.mutex.locked());
                    CHECK(s.semaphore.available() == 1);
                    CHECK(static_cast<int>(s.channel.size()) == s.sent - s.received);
                }
            }
            CHECK(probe::live == 0);
            REQUIRE(weft::frame_pool::in_use() == 0);
            REQUIRE(points < 1000);
        }
        CHECK(points > 1);
    }
}

TEST_CASE("cancelling a task at each of its suspension points ends it and "
          "loses nothing") {
    for (const row& r : table) {
        CAPTURE(r.name);
        int points = 0;
        for (bool struck = true; struck; ++points) {
            CAPTURE(points);
            {
                stage s;
                struck = run(s, r, points, [](stage& on) { on.group->cancel(); });
                if (struck) {
                    CHECK(s.group->size() == 0);
                    CHECK(probe::live == 0);
                    CHECK(s.home.timers().empty());
                    CHECK_FALSE(s.mutex.locked());
                    CHECK(s.semaphore.available() == 1);
                    CHECK(static_cast<int>(s.channel.size()) == s.sent - s.received);
                }
            }
            REQUIRE(weft::frame_pool::in_use() == 0);
            REQUIRE(points < 1000);
        }
    }
}

TEST_CASE("tasks may destroy each other while both are in the ready queue") {
    runtime rt;
    std::optional<weft::task_group> first, second;
    first.emplace(rt.home);
    second.emplace(rt.home);
    struct destroyer {
        static weft::task<> of(std::optional<weft::task_group>& victim) {
            probe local;
            auto back = co_await weft::yield();
            (void)back;
            victim.reset();
        }
    };
    CHECK(first->spawn(destroyer::of(second)).has_value());
    CHECK(second->spawn(destroyer::of(first)).has_value());
    rt.settle();
    CHECK_FALSE(second.has_value());
    CHECK(first->size() == 0);
    CHECK(probe::live == 0);
}
