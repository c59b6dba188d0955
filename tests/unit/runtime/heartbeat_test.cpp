// heartbeat: kicks while the loop turns and every pulse is fresh; and not otherwise.
#include <weft/event.hpp>
#include <weft/heartbeat.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task.hpp>
#include <weft/task_group.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using weft::heartbeat;
using weft::pulse;
using weft::task;

namespace {

/// A watchdog that remembers when it was fed.
struct dog {
    static void feed(void* self) {
        auto& fed = *static_cast<dog*>(self);
        fed.at.push_back(fed.home.read_clock() - fed.start);
    }
    weft::virtual_driver clock;
    weft::loop home{clock};
    weft::time_point start = home.now();
    std::vector<weft::duration> at;

    void pass(weft::duration time) { REQUIRE(home.run_for(time)); }
};

/// Each turn of the loop takes a millisecond.
class busy_clock final : public weft::driver {
  public:
    weft::time_point now() noexcept override { return now_; }
    bool wait(weft::time_point) noexcept override {
        now_ += 1ms;
        return true;
    }
    void wake() noexcept override {}

  private:
    weft::time_point now_{};
};

using times = std::vector<weft::duration>;

task<> work(pulse& mine, weft::duration pace, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        auto slept = co_await weft::sleep_for(pace);
        (void)slept;
        mine.beat();
    }
}

/// Never suspends for long, and never lets go.
task<> hog(const bool& enough) {
    while (!enough) {
        auto yielded = co_await weft::yield();
        (void)yielded;
    }
}

} // namespace

TEST_CASE("heartbeat: without a pulse it kicks once a period, for as long as it lives") {
    dog d;
    {
        const heartbeat beating(d.home, 500ms, &dog::feed, &d);
        d.pass(1800ms);
        CHECK(d.at == times{500ms, 1000ms, 1500ms});
        CHECK(beating.kicks() == 3);
        CHECK(beating.withheld() == 0);
    }
    d.pass(2s);
    CHECK(d.at.size() == 3);
}

TEST_CASE("heartbeat: no kick while a pulse is late, and kicks again when it beats") {
    dog d;
    heartbeat beating(d.home, 1s, &dog::feed, &d);
    pulse steady(beating, 1s, "steady");
    pulse slow(beating, 2500ms, "slow");
    weft::task_group tasks(d.home);
    REQUIRE(tasks.spawn(work(steady, 500ms, 20)));
    REQUIRE(tasks.spawn(work(slow, 5s, 1)));
    d.pass(2600ms);
    REQUIRE(beating.late() != nullptr);
    CHECK(std::string(beating.late()->name()) == "slow");
    d.pass(4400ms);
    CHECK(d.at == times{1s, 2s, 5s, 6s, 7s});
    CHECK(beating.withheld() == 2);
    CHECK(beating.late() == nullptr);
    d.pass(500ms); // 7.5 s: the slow one had its only beat at 5 s
    CHECK(beating.late() == nullptr);
    d.pass(1ms);
    CHECK(beating.late() == &slow);
}

TEST_CASE("heartbeat: a pulse is fresh up to its limit, and late beyond") {
    dog d;
    heartbeat beating(d.home, 1s, &dog::feed, &d);
    const pulse exact(beating, 2s);
    d.pass(5s);
    CHECK(d.at == times{1s, 2s});
    CHECK(beating.late() == &exact);
    CHECK(beating.late()->limit() == 2s);
}

TEST_CASE("heartbeat: a pulse at rest is not watched until it beats") {
    dog d;
    heartbeat beating(d.home, 1s, &dog::feed, &d);
    pulse idle(beating, 1s);
    idle.rest();
    d.pass(10s);
    CHECK(d.at.size() == 10);
    idle.beat();
    d.pass(10s);
    CHECK(d.at.size() == 11); // a second later it was still fresh
    CHECK(beating.withheld() == 9);
}

TEST_CASE("heartbeat: a task that ends takes its pulse along") {
    dog d;
    heartbeat beating(d.home, 1s, &dog::feed, &d);
    {
        const pulse gone(beating, 1ms);
        d.pass(3s);
        CHECK(d.at.empty());
    }
    d.pass(2s);
    CHECK(d.at == times{4s, 5s});
}

TEST_CASE("heartbeat: tasks that are always ready delay it by a few turns, not for ever") {
    busy_clock clock;
    weft::loop home(clock);
    const heartbeat beating(home, 1s, [](void*) {});
    bool enough = false;
    weft::task_group tasks(home);
    for (int i = 0; i < 200; ++i) { // more than a turn runs
        REQUIRE(tasks.spawn(hog(enough)));
    }
    for (int turns = 0; turns < 3500; ++turns) {
        REQUIRE(home.poll());
    }
    CHECK(beating.kicks() == 3);
    enough = true;
    for (int turns = 0; turns < 10; ++turns) {
        REQUIRE(home.poll());
    }
    CHECK(tasks.size() == 0);
}

TEST_CASE("heartbeat: destroyed while it waits in the ready queue, it kicks no more") {
    dog d;
    auto* beating = new heartbeat(d.home, 1s, &dog::feed, &d);
    struct breaker : weft::timer {
        explicit breaker(heartbeat*& of) : timer(&fire), victim(&of) {}
        static void fire(timer& self) noexcept {
            delete std::exchange(*static_cast<breaker&>(self).victim, nullptr);
        }
        heartbeat** victim;
    } now(beating);
    d.home.timers().schedule(now, d.start + 1s); // behind the heartbeat's own
    d.pass(5s);
    CHECK(beating == nullptr);
    CHECK(d.at.empty());
}
