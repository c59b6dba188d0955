// The clock of a loop: monotonic, in nanoseconds, and virtual in a simulation.
#pragma once

#include <chrono>
#include <cstdint>

namespace weft {

using duration = std::chrono::duration<std::int64_t, std::nano>;

/// A tag for time points read from a loop: loop::now(). It has no now() of its own, because which
/// clock runs (the system's, a board's, a simulation's) is its driver's choice.
struct loop_clock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = weft::duration;
    using time_point = std::chrono::time_point<loop_clock>;
    static constexpr bool is_steady = true;
};

using time_point = loop_clock::time_point;

/// A deadline that never comes, and one that has always passed.
inline constexpr time_point never = time_point::max();
inline constexpr time_point at_once = time_point::min();

/// a < b, for which GCC 12 at -Os calls a function that takes them from memory.
[[nodiscard]] constexpr bool earlier(time_point a, time_point b) noexcept {
    return a.time_since_epoch().count() < b.time_since_epoch().count();
}

/// `start + wait`, saturating at `never`.
[[nodiscard]] constexpr time_point deadline_after(time_point start, duration wait) noexcept {
    return wait > never - start ? never : start + wait;
}

} // namespace weft
