// A test framework for boards: no heap, no C++ library, no printf. A line a test, as TAP has them.
#pragma once

#include <weft/loop.hpp>
#include <weft/port.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace check {

struct test {
    const char* name;
    void (*run)();
};

/// Says what does not hold, and lets the test fail; it goes on.
void that(bool holds, const char* what, const char* file, int line) noexcept;
void equal(
    std::int64_t left, std::int64_t right, const char* what, const char* file, int line) noexcept;

/// Numbers and texts on the console.
void print(std::string_view text) noexcept;
void print(std::int64_t number) noexcept;

/// Prints how many tests there are, each one's line, and says whether all held.
bool run(std::span<const std::span<const test>> all) noexcept;

/// A board's loop, which sleeps in WFI.
struct runtime {
    weft::port_driver driver;
    weft::loop home{driver};

    void turn(int times = 1) noexcept {
        for (; times > 0; --times) {
            that(home.poll().has_value(), "a turn", __FILE__, __LINE__);
        }
    }
};

template <class T>
weft::errc error_of(const weft::result<T>& r) noexcept {
    return r.has_value() ? weft::errc::ok : r.error();
}

/// A local of a coroutine: shows whether destructors ran, once each.
struct probe {
    probe() noexcept { ++live; }
    probe(const probe&) = delete;
    probe& operator=(const probe&) = delete;
    ~probe() { --live; }
    static inline int live = 0;
};

} // namespace check

#define CHECK(...) ::check::that((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
#define CHECK_EQUAL(left, right)                                                                   \
    ::check::equal(                                                                                \
        static_cast<std::int64_t>(left), static_cast<std::int64_t>(right), #left " == " #right,    \
        __FILE__, __LINE__)
