// Cancelling: before, during and after a wait, for every awaiter; sticky, except under a shield.
#include "fixture.hpp"

#include <optional>
#include <vector>

using namespace test;

namespace {

/// What the rows wait for. Everything would block until release() of the row is called.
struct stage : runtime {
    weft::event event;
    weft::mutex mutex;
    weft::semaphore semaphore{0};
    weft::latch latch{1};
    weft::channel<int, 1> full;
    weft::channel<int, 1> empty;

    stage() {
        (void)mutex.try_lock();
        int first = 1;
        (void)full.try_send(first);
    }
};

template <class A>
weft::task<> told(A awaiter, errc& out) {
    auto r = co_await awaiter;
    out = error_of(r);
}
// A guard must not outlive the stage: lock() gets its own.
weft::task<> told_lock(stage& s, errc& out) {
    auto r = co_await s.mutex.lock();
    out = error_of(r);
}
weft::task<> told_join(stage& s, errc& out) {
    weft::task_group children{s.home};
    errc inner = errc::ok;
    (void)children.spawn(told(s.event.wait(), inner));
    auto r = co_await children.join();
    out = error_of(r);
}
weft::task<> told_when_all(stage& s, errc& out) {
    auto r = co_await weft::when_all(s.event.wait(), weft::sleep_for(1h));
    out = error_of(std::get<1>(r));
}
weft::task<> told_when_any(stage& s, errc& out) {
    auto r = co_await weft::when_any(s.event.wait(), weft::sleep_for(1h));
    out = error_of(std::get<0>(r.results));
}
weft::task<> told_timeout(stage& s, errc& out) {
    auto r = co_await weft::timeout(s.event.wait(), 1h);
    out = error_of(r);
}
weft::task<> told_within(stage& s, errc& out) {
    weft::scope inner{s.home};
    auto r = co_await weft::within(inner, s.event.wait());
    out = error_of(r);
}
weft::task<> told_nested(stage& s, errc& out) {
    auto r = co_await told(s.event.wait(), out);
    (void)r;
}

struct row {
    const char* name;
    weft::task<> (*wait)(stage&, errc&);
    void (*release)(stage&);
    bool takes = false; // the release lets exactly one through
};
const row table[] = {
    {"yield", [](stage&, errc& e) { return told(weft::yield(), e); },
     [](stage&) {
     }},
    {"sleep_for", [](stage&, errc& e) { return told(weft::sleep_for(1s), e); },
     [](stage& s) {
         CHECK(s.home.run_for(1s).has_value());
     }},
    {"event", [](stage& s, errc& e) { return told(s.event.wait(), e); },
     [](stage& s) {
         s.event.set();
     }},
    {"latch", [](stage& s, errc& e) { return told(s.latch.wait(), e); },
     [](stage& s) {
         s.latch.count_down();
     }},
    {"mutex", told_lock,
     [](stage& s) {
         s.mutex.unlock();
     }},
    {"semaphore", [](stage& s, errc& e) { return told(s.semaphore.acquire(), e); },
     [](stage& s) { s.semaphore.release(); }, true},
    {"send", [](stage& s, errc& e) { return told(s.full.send(2), e); },
     [](stage& s) { CHECK(s.full.try_receive().has_value()); }, true},
    {"receive", [](stage& s, errc& e) { return told(s.empty.receive(), e); },
     [](stage& s) {
         int value = 3;
         CHECK(s.empty.try_send(value));
     },
     true},
    {"join", told_join,
     [](stage& s) {
         s.event.set();
     }},
    {"when_all", told_when_all,
     [](stage& s) {
         s.event.set();
     }},
    {"when_any", told_when_any,
     [](stage& s) {
         s.event.set();
     }},
    {"timeout", told_timeout,
     [](stage& s) {
         s.event.set();
     }},
    {"within", told_within,
     [](stage& s) {
         s.event.set();
     }},
    {"nested", told_nested,
     [](stage& s) {
         s.event.set();
     }},
};

constexpr errc untold = errc::io_error;

weft::task<> confined(weft::scope& in, weft::task<> work) {
    auto done = co_await weft::within(in, std::move(work));
    (void)done;
}

weft::task<> three_waits(stage& s, errc (&out)[3]) {
    auto a = co_await s.event.wait();
    auto b = co_await weft::sleep_for(1h);
    auto c = co_await s.empty.receive();
    out[0] = error_of(a);
    out[1] = error_of(b);
    out[2] = error_of(c);
}

weft::task<> goodbye(stage& s, errc& before, errc& inside, errc& after, weft::duration& took) {
    auto waited = co_await s.event.wait();
    before = error_of(waited);
    const auto start = s.home.now();
    auto bye = co_await weft::shield(told(weft::sleep_for(10ms), inside), 1s);
    (void)bye;
    took = s.home.now() - start;
    auto again = co_await weft::yield();
    after = error_of(again);
}

weft::task<> shielded_for(weft::duration limit, weft::duration work, errc& out) {
    auto bye = co_await weft::shield(weft::sleep_for(work), limit);
    out = error_of(bye);
}

weft::task<> try_all_while_canceled(stage& s, std::vector<errc>& out) {
    s.event.set();
    s.mutex.unlock();
    s.semaphore.release();
    auto e = co_await s.event.wait();
    out.push_back(error_of(e));
    auto m = co_await s.mutex.lock();
    out.push_back(error_of(m));
    auto a = co_await s.semaphore.acquire();
    out.push_back(error_of(a));
    auto r = co_await s.full.receive();
    out.push_back(error_of(r));
    auto t = co_await s.empty.send(1);
    out.push_back(error_of(t));
}

} // namespace

TEST_CASE("cancel before the wait: it ends at once with canceled, and takes nothing") {
    for (const row& r : table) {
        CAPTURE(std::string(r.name));
        stage s;
        errc told_error = untold;
        weft::scope scope{s.home};
        weft::task_group group{s.home};
        scope.cancel();
        CHECK(group.spawn(confined(scope, r.wait(s, told_error))).has_value());
        if (r.name == std::string("join")) {
            s.turn(); // its child waits already
        }
        CHECK(told_error == errc::canceled);
        CHECK(group.size() == 0);
    }
}

TEST_CASE("cancel during the wait: it ends with canceled in the next turn") {
    for (const row& r : table) {
        CAPTURE(std::string(r.name));
        stage s;
        errc told_error = untold;
        weft::scope scope{s.home};
        weft::task_group group{s.home};
        CHECK(group.spawn(confined(scope, r.wait(s, told_error))).has_value());
        CHECK(told_error == untold);
        scope.cancel();
        CHECK(told_error == untold); // cancelling resumes nobody itself
        s.turn();
        CHECK(told_error == errc::canceled);
        CHECK(group.size() == 0);
        CHECK(s.home.timers().empty());
    }
}

TEST_CASE(
    "cancel after the wait was made ready beats it; what it would have taken is still there") {
    for (const row& r : table) {
        CAPTURE(std::string(r.name));
        if (r.name == std::string("sleep_for")) {
            continue; // its release runs the loop
        }
        stage s;
        errc told_error = untold;
        errc second_error = untold;
        weft::scope scope{s.home};
        weft::task_group group{s.home};
        CHECK(group.spawn(confined(scope, r.wait(s, told_error))).has_value());
        CHECK(group.spawn(r.wait(s, second_error)).has_value());
        r.release(s);
        scope.cancel();
        s.turn(2);
        CHECK(told_error == errc::canceled);
        if (r.takes) {
            CHECK(second_error == errc::ok); // the wake-up was passed on
        }
    }
}

TEST_CASE("destroyed after the wait was made ready: the wake-up is passed on") {
    for (const row& r : table) {
        if (!r.takes && r.name != std::string("mutex")) {
            continue;
        }
        CAPTURE(std::string(r.name));
        stage s;
        errc first_error = untold;
        errc second_error = untold;
        std::optional<weft::task_group> first;
        first.emplace(s.home);
        weft::task_group second{s.home};
        CHECK(first->spawn(r.wait(s, first_error)).has_value());
        CHECK(second.spawn(r.wait(s, second_error)).has_value());
        r.release(s);
        first.reset();
        s.turn();
        CHECK(first_error == untold);
        CHECK(second_error == errc::ok);
    }
}

TEST_CASE("cancel after the wait has completed changes nothing") {
    for (const row& r : table) {
        CAPTURE(std::string(r.name));
        if (r.name == std::string("when_all")) {
            continue; // the sleep of an hour
        }
        stage s;
        errc told_error = untold;
        weft::scope scope{s.home};
        weft::task_group group{s.home};
        CHECK(group.spawn(confined(scope, r.wait(s, told_error))).has_value());
        r.release(s);
        s.turn(2);
        CHECK(told_error == errc::ok);
        scope.cancel();
        s.turn(2);
        CHECK(told_error == errc::ok);
    }
}

TEST_CASE("cancelling is sticky: every later wait ends at once") {
    stage s;
    errc out[3] = {untold, untold, untold};
    weft::task_group group{s.home};
    CHECK(group.spawn(three_waits(s, out)).has_value());
    group.cancel();
    s.turn();
    for (errc each : out) {
        CHECK(each == errc::canceled);
    }
    CHECK(group.size() == 0);
}

TEST_CASE("cancelling comes before the try: what is there is not taken") {
    stage s;
    std::vector<errc> out;
    weft::scope scope{s.home};
    weft::task_group group{s.home};
    scope.cancel();
    CHECK(group.spawn(confined(scope, try_all_while_canceled(s, out))).has_value());
    CHECK(out == std::vector<errc>(5, errc::canceled));
    CHECK_FALSE(s.mutex.locked());
    CHECK(s.semaphore.available() == 1);
    CHECK(s.full.size() == 1);
    CHECK(s.empty.size() == 0);
}

TEST_CASE("inside shield waits go on; after it the scope is cancelled as before") {
    stage s;
    errc before = untold;
    errc inside = untold;
    errc after = untold;
    weft::duration took{};
    weft::task_group group{s.home};
    CHECK(group.spawn(goodbye(s, before, inside, after, took)).has_value());
    group.cancel();
    s.settle();
    CHECK(before == errc::canceled);
    CHECK(inside == errc::ok);
    CHECK(took == 10ms);
    CHECK(after == errc::canceled);
}

TEST_CASE("shield holds back a cancel that comes while it runs, for its limit and no longer") {
    stage s;
    errc in_time = untold;
    errc late = untold;
    weft::task_group group{s.home};
    CHECK(group.spawn(shielded_for(10ms, 5ms, in_time)).has_value());
    CHECK(group.spawn(shielded_for(10ms, 1h, late)).has_value());
    s.turn();
    group.cancel();
    const auto start = s.home.now();
    s.settle();
    CHECK(in_time == errc::ok);
    CHECK(late == errc::timed_out);
    CHECK(s.since(start) == 10ms);
}

TEST_CASE("a group that is cancelled takes no more children") {
    stage s;
    errc out = untold;
    weft::task_group group{s.home};
    group.cancel();
    CHECK(error_of(group.spawn(told(weft::yield(), out))) == errc::canceled);
    CHECK(out == untold);
}
