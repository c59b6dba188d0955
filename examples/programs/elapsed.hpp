// Time as people read it, without a division of 64 bits: its routine is a kilobyte on a board.
#pragma once

#include <weft/clock.hpp>

#include <cstdint>

namespace programs {

/// Nearest, for times up to 49 days.
[[nodiscard]] constexpr std::uint32_t milliseconds_of(weft::duration time) noexcept {
    // 1,024 ns are 0.001024 ms, here times 2^32
    const auto units = static_cast<std::uint64_t>(time.count() + 512) >> 10;
    return static_cast<std::uint32_t>((units * 4'398'047 + (1U << 31)) >> 32);
}

/// Whole ones, to half a millisecond; for a hundred years.
[[nodiscard]] constexpr std::uint32_t seconds_of(weft::duration time) noexcept {
    // 1,048,576 ns are 0.001048576 s, here times 2^32
    const auto units = static_cast<std::uint64_t>(time.count() + (1 << 19)) >> 20;
    return static_cast<std::uint32_t>((units * 4'503'600) >> 32);
}

static_assert(milliseconds_of(std::chrono::milliseconds(100)) == 100);
static_assert(seconds_of(std::chrono::milliseconds(999)) == 0);
static_assert(seconds_of(std::chrono::seconds(1)) == 1);
static_assert(
    seconds_of(std::chrono::hours(24 * 365)) == 31'536'002, "a fifteen-millionth too much");

} // namespace programs
