// What the three drivers promise in weft/descriptor_driver.hpp, beneath any socket of weft's.
#include "fixture.hpp"

#include <thread>
#include <vector>

#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace host_test {
namespace {

using weft::descriptor_watch;

constexpr unsigned readable = descriptor_watch::readable;
constexpr unsigned writable = descriptor_watch::writable;
constexpr unsigned failed = descriptor_watch::failed;
constexpr unsigned finished = descriptor_watch::finished;

struct recorder : descriptor_watch {
    recorder() noexcept
        : descriptor_watch([](descriptor_watch& w, unsigned events) {
              auto& self = static_cast<recorder&>(w);
              self.told |= events;
              ++self.times;
              if (self.removes != nullptr) {
                  self.driver->remove(*self.removes);
              }
          }) {}
    unsigned take() { return std::exchange(told, 0U); }
    unsigned told = 0;
    int times = 0;
    weft::descriptor_driver* driver = nullptr;
    descriptor_watch* removes = nullptr;
};

struct both_ends {
    both_ends() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        near = peer(ends[0]);
        far = peer(ends[1]);
    }
    peer near;
    peer far;
};

void on_each_driver(void (*test)(weft::descriptor_driver&)) {
    for (const poller kind : {poller::epoll, poller::poll, poller::select}) {
        INFO("on ", std::string(weft::name(kind)));
        auto driver = weft::make_descriptor_driver(kind);
        REQUIRE(error_of(driver) == errc::ok);
        CHECK((*driver)->kind() == kind);
        CHECK((*driver)->edges() == (kind == poller::epoll));
        test(**driver);
    }
}

struct interrupted : weft::posted {
    explicit interrupted(weft::loop& l) noexcept : posted(&arrive), home(&l) { current = this; }
    ~interrupted() { current = nullptr; }
    static void arrive(weft::posted& p) {
        auto& self = static_cast<interrupted&>(p);
        if (++self.runs == 20) {
            self.home->stop();
        }
    }
    static void handle(int) { current->home->post(*current); }
    static inline interrupted* current = nullptr;
    weft::loop* home;
    int runs = 0;
};

TEST_CASE("pitfall 14: an interrupt, here a signal, posts and does nothing else") {
    on_each_driver([](weft::descriptor_driver& driver) {
        weft::loop home{driver};
        interrupted work{home};
        struct sigaction action{};
        struct sigaction before{};
        action.sa_handler = &interrupted::handle;
        REQUIRE(::sigaction(SIGALRM, &action, &before) == 0);
        itimerval often{{0, 500}, {0, 500}}; // microseconds
        REQUIRE(::setitimer(ITIMER_REAL, &often, nullptr) == 0);
        CHECK(home.run_for(std::chrono::seconds(20)).has_value());
        const itimerval never{};
        REQUIRE(::setitimer(ITIMER_REAL, &never, nullptr) == 0);
        REQUIRE(::sigaction(SIGALRM, &before, nullptr) == 0);
        CHECK(work.runs == 20);
    });
}

TEST_CASE("pollers have names") {
    for (const poller kind : {poller::epoll, poller::poll, poller::select}) {
        CHECK(weft::poller_named(weft::name(kind)) == kind);
    }
    CHECK(!weft::poller_named("kqueue").has_value());
    CHECK(weft::default_poller() == poller::epoll);
}

TEST_CASE("a bit is told once, and again when armed") {
    on_each_driver([](weft::descriptor_driver& driver) {
        both_ends ends;
        recorder watch;
        REQUIRE(error_of(driver.add(watch, ends.near.descriptor())) == errc::ok);
        driver.wait(weft::at_once);
        CHECK(watch.take() == writable);
        driver.wait(weft::at_once);
        CHECK(watch.take() == 0);

        ends.far.send("a");
        driver.wait(weft::never);
        CHECK((watch.take() & readable) == readable);
        driver.wait(weft::at_once);
        CHECK(watch.take() == 0); // not read, and yet told once
        driver.arm(watch, readable);
        if (driver.edges()) {
            ends.far.send("b");
        }
        driver.wait(weft::at_once);
        CHECK((watch.take() & readable) == readable);
        driver.remove(watch);
    });
}

TEST_CASE("the end of the peer is told once and does not spin") {
    on_each_driver([](weft::descriptor_driver& driver) {
        both_ends ends;
        recorder watch;
        REQUIRE(error_of(driver.add(watch, ends.near.descriptor())) == errc::ok);
        driver.wait(weft::at_once);
        ends.far.finish();
        watch.take();
        driver.wait(weft::never);
        const unsigned half = watch.take();
        CHECK((half & readable) == readable);
        CHECK((half & failed) == 0);
        CHECK(((half & finished) != 0) == (driver.kind() != poller::select));

        driver.arm(watch, readable | writable);
        driver.wait(weft::at_once);
        ends.far.close();
        driver.wait(weft::at_once);
        watch.take();
        const int before = watch.times;
        const auto deadline = driver.now() + 20ms;
        while (driver.now() < deadline) {
            driver.wait(deadline);
        }
        CHECK(watch.times - before <= 1); // poll tells a hang-up that was not asked for, once
        driver.remove(watch);
    });
}

TEST_CASE("a wake ends a wait, from another thread, before it and during it") {
    on_each_driver([](weft::descriptor_driver& driver) {
        driver.wake();
        driver.wait(weft::never);
        driver.wake();
        driver.wake();
        driver.wait(weft::never);
        for (int i = 0; i < 20; ++i) {
            std::thread other([&driver] {
                std::this_thread::sleep_for(1ms);
                driver.wake();
            });
            driver.wait(weft::never);
            other.join();
        }
        const auto deadline = driver.now() + 5ms; // none is left over
        driver.wait(deadline);
        CHECK(driver.now() >= deadline);
    });
}

TEST_CASE("a wait does not end before its deadline") {
    on_each_driver([](weft::descriptor_driver& driver) {
        for (const auto time : {1us, 100us, 999us, 1001us, 2700us}) {
            const auto deadline = driver.now() + time;
            driver.wait(deadline);
            CHECK(driver.now() >= deadline);
        }
        driver.wait(driver.now() - 1s);
        driver.wait(weft::time_point{});
    });
}

TEST_CASE("a watch removed by a callback of the same batch is not told") {
    on_each_driver([](weft::descriptor_driver& driver) {
        both_ends ends[3];
        recorder watches[3];
        for (std::size_t i = 0; i < 3; ++i) {
            watches[i].driver = &driver;
            REQUIRE(error_of(driver.add(watches[i], ends[i].near.descriptor())) == errc::ok);
        }
        // whichever is told first removes its neighbour
        watches[0].removes = &watches[1];
        watches[1].removes = &watches[0];
        driver.wait(weft::at_once);
        CHECK(watches[0].times + watches[1].times == 1);
        CHECK(watches[2].times == 1);
        watches[0].removes = watches[1].removes = nullptr;
        ends[2].far.send("a");
        driver.wait(weft::at_once);
        CHECK(watches[2].times == 2);
        // one that removes itself
        watches[2].removes = &watches[2];
        driver.arm(watches[2], readable);
        ends[2].far.send("b");
        driver.wait(weft::at_once);
        CHECK(watches[2].times == 3);
        ends[2].far.send("c");
        driver.wait(weft::at_once);
        CHECK(watches[2].times == 3);
        for (recorder& watch : watches) {
            driver.remove(watch); // a second time, for some
        }
    });
}

TEST_CASE("many watches come and go, more than one batch") {
    on_each_driver([](weft::descriptor_driver& driver) {
        std::vector<both_ends> ends(300);
        std::vector<recorder> watches(300);
        for (std::size_t i = 0; i < ends.size(); ++i) {
            REQUIRE(error_of(driver.add(watches[i], ends[i].near.descriptor())) == errc::ok);
        }
        for (int waits = 0; waits < 3; ++waits) {
            driver.wait(weft::at_once);
        }
        for (std::size_t i = 0; i < ends.size(); ++i) {
            CHECK(watches[i].take() == writable);
            if (i % 3 == 0) {
                driver.remove(watches[i]);
            }
            ends[i].far.send("x");
        }
        for (int waits = 0; waits < 3; ++waits) {
            driver.wait(weft::at_once);
        }
        for (std::size_t i = 0; i < ends.size(); ++i) {
            CHECK((watches[i].take() & readable) == (i % 3 == 0 ? 0 : readable));
            driver.remove(watches[i]);
        }
    });
}

TEST_CASE("select refuses a descriptor beyond FD_SETSIZE with out_of_range") {
    auto driver = weft::make_descriptor_driver(poller::select);
    REQUIRE(error_of(driver) == errc::ok);
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlimit before = limit;
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    REQUIRE(limit.rlim_cur > FD_SETSIZE);
    both_ends ends;
    const peer high(::fcntl(ends.near.descriptor(), F_DUPFD, FD_SETSIZE));
    REQUIRE(high.descriptor() >= FD_SETSIZE);
    recorder watch;
    CHECK(error_of((*driver)->add(watch, high.descriptor())) == errc::out_of_range);
    const peer last(::fcntl(ends.near.descriptor(), F_DUPFD, FD_SETSIZE - 1));
    if (last.descriptor() == FD_SETSIZE - 1) {
        CHECK(error_of((*driver)->add(watch, last.descriptor())) == errc::ok);
        (*driver)->remove(watch);
    }
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("a stack wants the loop's own driver") {
    auto driver = weft::make_descriptor_driver();
    auto other = weft::make_descriptor_driver();
    weft::loop loop(**driver);
    CHECK(error_of(weft::make_host_stack(loop, **driver)) == errc::ok);
    CHECK(error_of(weft::make_host_stack(loop, **other)) == errc::invalid_argument);
}

} // namespace
} // namespace host_test
