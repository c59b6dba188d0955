// The tests of each file, and what main.cpp prints of them at the end.
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

/// The deepest that any await went, and any with a timer's interrupt on top.
extern std::size_t deepest_await;
extern std::size_t deepest_interrupted;
