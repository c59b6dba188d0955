// What the runtime's tests share: a loop under a virtual clock, and things that count themselves.
//
// doctest's macros never contain co_await (GCC 12), and a coroutine is never a capturing lambda:
// tests hand functions the references that they need.
#pragma once

#include <weft/channel.hpp>
#include <weft/event.hpp>
#include <weft/frame_pool.hpp>
#include <weft/latch.hpp>
#include <weft/loop.hpp>
#include <weft/mutex.hpp>
#include <weft/semaphore.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace test {

using namespace std::chrono_literals;
using weft::errc;

/// A local of a coroutine: shows whether destructors ran, once each.
struct probe {
    probe() { ++live; }
    probe(const probe&) = delete;
    probe& operator=(const probe&) = delete;
    ~probe() {
        --live;
        alive = false;
    }
    bool alive = true;
    static inline int live = 0;
};

template <class T>
errc error_of(const weft::result<T>& r) {
    return r.has_value() ? errc::ok : r.error();
}

/// A loop under a virtual clock.
struct runtime {
    weft::virtual_driver driver;
    weft::loop home{driver};

    void turn(int times = 1) {
        for (; times > 0; --times) {
            REQUIRE(home.poll().has_value());
        }
    }
    /// Runs, the clock going forward as needed, until nothing is left that could happen.
    void settle() {
        while (home.step(weft::never).has_value()) {
        }
    }
    [[nodiscard]] weft::duration since(weft::time_point start) { return home.now() - start; }
};

} // namespace test

namespace doctest {
template <>
struct StringMaker<weft::errc> {
    static String convert(weft::errc e) { return weft::name(e); }
};
} // namespace doctest
