// interrupt_event, set by the loop's own thread, by others and by a signal handler. With
// -Db_sanitize=thread it also shows that nothing races.
#include "fixture.hpp"
#include "waking_driver.hpp"

#include <weft/interrupt_event.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

using namespace test;

namespace {

using counted = weft::result<std::uint32_t>;

weft::task<> take(weft::interrupt_event& event, std::vector<counted>& into) {
    auto times = co_await event.wait();
    into.push_back(times);
}
weft::task<> take_for(weft::interrupt_event& event, weft::duration limit, counted& into) {
    into = co_await weft::timeout(event.wait(), limit);
}
weft::task<> take_many(weft::interrupt_event& event, std::uint32_t total, std::uint32_t& sum) {
    while (sum < total) {
        auto times = co_await event.wait();
        if (!times) {
            co_return;
        }
        sum += *times;
    }
}

struct note : weft::posted {
    explicit note(int& into) : posted(&arrive), runs(&into) {}
    static void arrive(weft::posted& p) { ++*static_cast<note&>(p).runs; }
    int* runs;
};

} // namespace

TEST_CASE("set before the wait: it completes at once, with how often; then the event is unset") {
    runtime rt;
    weft::interrupt_event event{rt.home};
    CHECK_FALSE(event.is_set());
    event.set();
    event.set();
    event.set();
    CHECK(event.is_set());
    std::vector<counted> got;
    weft::task_group group{rt.home};
    REQUIRE(group.spawn(take(event, got)).has_value());
    REQUIRE(got.size() == 1);
    CHECK(got[0] == 3U);
    CHECK_FALSE(event.is_set());
    REQUIRE(group.spawn(take(event, got)).has_value());
    rt.turn(3);
    CHECK(got.size() == 1); // waits
    event.set();
    event.set();
    CHECK(got.size() == 1); // set() resumes nobody itself
    rt.settle();
    REQUIRE(got.size() == 2);
    CHECK(got[1] == 2U);
}

TEST_CASE("several wait: each set that the loop sees calls the first in line") {
    runtime rt;
    weft::interrupt_event event{rt.home};
    std::vector<counted> first;
    std::vector<counted> second;
    weft::task_group group{rt.home};
    REQUIRE(group.spawn(take(event, first)).has_value());
    REQUIRE(group.spawn(take(event, second)).has_value());
    event.set();
    event.set();
    rt.settle();
    REQUIRE(first.size() == 1);
    CHECK(first[0] == 2U);
    CHECK(second.empty());
    event.set();
    rt.settle();
    REQUIRE(second.size() == 1);
    CHECK(second[0] == 1U);
}

TEST_CASE("cancelled, it takes nothing: what was set is there for the next") {
    runtime rt;
    weft::interrupt_event event{rt.home};
    counted timed = 0U;
    CHECK(weft::sync_wait(rt.home, take_for(event, 5ms, timed)).has_value());
    CHECK(error_of(timed) == errc::timed_out);
    std::vector<counted> first;
    std::vector<counted> second;
    {
        weft::task_group group{rt.home};
        REQUIRE(group.spawn(take(event, first)).has_value());
        event.set();
        group.cancel(); // comes first
        rt.settle();
        REQUIRE(first.size() == 1);
        CHECK(error_of(first[0]) == errc::canceled);
        CHECK(event.is_set());
    }
    {
        weft::task_group group{rt.home};
        REQUIRE(group.spawn(take(event, second)).has_value());
        REQUIRE(second.size() == 1);
        CHECK(second[0] == 1U);
    }
}

TEST_CASE("one that is destroyed when its turn has come passes it on") {
    runtime rt;
    weft::interrupt_event event{rt.home};
    std::vector<counted> first;
    std::vector<counted> second;
    std::optional<weft::task_group> doomed(std::in_place, rt.home);
    weft::task_group group{rt.home};
    REQUIRE(doomed->spawn(take(event, first)).has_value());
    REQUIRE(group.spawn(take(event, second)).has_value());
    // Posted behind the event's own: runs when the first is called and has not run yet.
    struct destroyer : weft::posted {
        explicit destroyer(std::optional<weft::task_group>& g) : posted(&arrive), group(&g) {}
        static void arrive(weft::posted& p) { static_cast<destroyer&>(p).group->reset(); }
        std::optional<weft::task_group>* group;
    } destroy(doomed);
    event.set();
    rt.home.post(destroy);
    rt.settle();
    CHECK_FALSE(doomed.has_value());
    CHECK(first.empty());
    REQUIRE(second.size() == 1);
    CHECK(second[0] == 1U);
}

TEST_CASE("an event that is destroyed while set: its waiters learn of it, others' posts run") {
    runtime rt;
    int runs = 0;
    note before(runs);
    note after(runs);
    std::optional<weft::interrupt_event> event(std::in_place, rt.home);
    std::vector<counted> got;
    weft::task_group group{rt.home};
    REQUIRE(group.spawn(take(*event, got)).has_value());
    rt.home.post(before);
    event->set();
    rt.home.post(after);
    event.reset();
    rt.settle();
    CHECK(runs == 2);
    REQUIRE(got.size() == 1);
    CHECK(error_of(got[0]) == errc::bad_handle);
}

TEST_CASE("withdraw takes a posted node out, wherever in the queue it is, also during a run") {
    runtime rt;
    int runs = 0;
    note a(runs);
    note b(runs);
    note c(runs);
    struct withdrawer : weft::posted {
        withdrawer(weft::loop& l, weft::posted& w) : posted(&arrive), home(&l), whom(&w) {}
        static void arrive(weft::posted& p) {
            auto& self = static_cast<withdrawer&>(p);
            self.home->withdraw(*self.whom);
        }
        weft::loop* home;
        weft::posted* whom;
    };
    for (weft::posted* gone : {&a, &b, &c}) {
        runs = 0;
        rt.home.post(a);
        rt.home.post(b);
        rt.home.post(c);
        rt.home.withdraw(*gone);
        rt.home.withdraw(*gone); // not queued: nothing happens
        rt.turn();
        CHECK(runs == 2);
    }
    for (weft::posted* gone : {&a, &b, &c}) {
        runs = 0;
        withdrawer during(rt.home, *gone);
        rt.home.post(during);
        rt.home.post(a);
        rt.home.post(b);
        rt.home.post(c);
        rt.turn();
        CHECK(runs == 2);
    }
    runs = 0;
    rt.home.post(a);
    rt.turn();
    CHECK(runs == 1);
}

TEST_CASE("threads set it as fast as they can: every set is counted, and seen") {
    waking_driver driver;
    weft::loop home{driver};
    weft::interrupt_event event{home};
    constexpr std::uint32_t threads = 4;
    constexpr std::uint32_t sets = 20'000;
    std::vector<std::thread> setters;
    for (std::uint32_t i = 0; i < threads; ++i) {
        setters.emplace_back([&event] {
            for (std::uint32_t n = 0; n < sets; ++n) {
                event.set();
            }
        });
    }
    std::uint32_t sum = 0;
    CHECK(weft::sync_wait(home, take_many(event, threads * sets, sum)).has_value());
    for (auto& each : setters) {
        each.join();
    }
    CHECK(sum == threads * sets);
    CHECK_FALSE(event.is_set());
}

namespace {

struct mailbox {
    int content = 0; // plain: the event is what orders it
    std::atomic<bool> empty{true};
};
weft::task<> read_all(weft::interrupt_event& event, mailbox& box, int count, long& sum) {
    for (int n = 0; n < count; ++n) {
        auto set = co_await event.wait();
        (void)set;
        sum += box.content;
        box.empty.store(true, std::memory_order_release);
    }
}

weft::interrupt_event* signalled = nullptr;
extern "C" void on_signal(int) {
    signalled->set();
}

} // namespace

TEST_CASE("what was written before set() is seen after the wait") {
    waking_driver driver;
    weft::loop home{driver};
    weft::interrupt_event event{home};
    mailbox box;
    std::thread sender([&] {
        for (int i = 1; i <= 2000; ++i) {
            while (!box.empty.load(std::memory_order_acquire)) {
                std::this_thread::yield();
            }
            box.empty.store(false, std::memory_order_relaxed);
            box.content = i;
            event.set();
        }
    });
    long sum = 0;
    CHECK(weft::sync_wait(home, read_all(event, box, 2000, sum)).has_value());
    sender.join();
    CHECK(sum == 2000L * 2001 / 2);
}

TEST_CASE("a signal handler sets it") {
    runtime rt;
    weft::interrupt_event event{rt.home};
    signalled = &event;
    auto* const before = std::signal(SIGUSR1, &on_signal);
    std::vector<counted> got;
    weft::task_group group{rt.home};
    REQUIRE(group.spawn(take(event, got)).has_value());
    std::raise(SIGUSR1);
    std::raise(SIGUSR1);
    rt.settle();
    std::signal(SIGUSR1, before);
    REQUIRE(got.size() == 1);
    CHECK(got[0] == 2U);
}
