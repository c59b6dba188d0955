// Wrong use is told by an assertion, in builds that have them. Each case dies in a process of its
// own.
#include "fixture.hpp"

#if !defined(NDEBUG) && defined(__unix__)

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace test;

namespace {

/// What `wrong` printed before it died of an assertion; empty if it did not.
std::string assertion_of(void (*wrong)()) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    std::fflush(nullptr);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::signal(SIGABRT, SIG_DFL); // doctest's handler would report in here
        wrong();
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char part[512];
    for (ssize_t n; (n = ::read(ends[0], part, sizeof part)) > 0;) {
        said.append(part, static_cast<std::size_t>(n));
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : std::string();
}

bool says(const std::string& said, const char* words) {
    return said.find(words) != std::string::npos;
}

weft::task<> destroys(std::unique_ptr<weft::task_group>& group) {
    group.reset();
    co_return;
}
weft::task<> yields_then_destroys(std::unique_ptr<weft::task_group>& group) {
    auto back = co_await weft::yield();
    (void)back;
    group.reset();
}
weft::task<> yields() {
    auto back = co_await weft::yield();
    (void)back;
}
weft::task<> awaits_twice() {
    weft::task<> once = yields();
    auto a = co_await once;
    auto b = co_await once;
    (void)a, (void)b;
}
weft::task<> waits_within(weft::scope& in) {
    auto r = co_await weft::within(in, weft::sleep_for(1h));
    (void)r;
}
weft::task<> joins(weft::task_group& group) {
    auto r = co_await group.join();
    (void)r;
}

} // namespace

TEST_CASE("a task that destroys the group it runs in: asserted") {
    CHECK(says(
        assertion_of([] {
            runtime rt;
            auto group = std::make_unique<weft::task_group>(rt.home);
            (void)group->spawn(destroys(group));
        }),
        "a task may not destroy the group that it runs in"));
    CHECK(says(
        assertion_of([] {
            runtime rt;
            auto group = std::make_unique<weft::task_group>(rt.home);
            (void)group->spawn(yields_then_destroys(group));
            (void)rt.home.poll();
        }),
        "a task may not destroy the group that it runs in"));
}

TEST_CASE("a task that is destroyed while it runs: asserted") {
    CHECK(says(
        assertion_of([] {
            runtime rt;
            static weft::task<> self;
            struct of {
                static weft::task<> itself() {
                    self = weft::task<>();
                    co_return;
                }
            };
            self = of::itself();
            weft::scope in{rt.home};
            (void)self.start(in, nullptr, nullptr);
        }),
        "a task may not be destroyed while it runs"));
}

TEST_CASE("a task awaited twice: asserted") {
    CHECK(says(
        assertion_of([] {
            runtime rt;
            (void)weft::sync_wait(rt.home, awaits_twice());
        }),
        "a task is awaited once"));
}

TEST_CASE("two chains in one scope: asserted") {
    CHECK(says(
        assertion_of([] {
            runtime rt;
            weft::scope in{rt.home};
            weft::task_group group{rt.home};
            (void)group.spawn(waits_within(in));
            (void)group.spawn(waits_within(in));
        }),
        "a scope serves one chain at a time"));
}

TEST_CASE("a scope destroyed before its chain, a group under the task that joins it: asserted") {
    CHECK(says(
        assertion_of([] {
            runtime rt;
            weft::task_group group{rt.home};
            weft::scope in{rt.home};
            (void)group.spawn(waits_within(in));
        }),
        "a scope was destroyed before the chain"));
    CHECK(says(
        assertion_of([] {
            runtime rt;
            weft::task_group outer{rt.home};
            weft::task_group group{rt.home};
            (void)group.spawn(yields());
            (void)outer.spawn(joins(group));
        }),
        "a group was destroyed under a task that joins it"));
}

#endif
