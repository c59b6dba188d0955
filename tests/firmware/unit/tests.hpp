// The tests of each file, and what the programs choose and print.
#pragma once

#include "check.hpp"

#include <weft/frame_arena.hpp>

extern const std::span<const check::test> arena_tests;
extern const std::span<const check::test> cancel_tests;
extern const std::span<const check::test> interrupt_tests;
extern const std::span<const check::test> stack_tests;
extern const std::span<const check::test> sync_tests;
extern const std::span<const check::test> timer_tests;

/// Where the frames of all tests live: small enough for a micro:bit.
using test_arena = weft::frame_arena<5 * 1024>;
extern test_arena frames;

/// How many ticks each storm of interrupts has.
extern const std::uint32_t ticks_in_storm;

/// The deepest that any await went, and any with a timer's interrupt on top.
extern std::size_t deepest_await;
extern std::size_t deepest_interrupted;
