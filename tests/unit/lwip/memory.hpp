// What lwIP allocates, counted and made to fail: the linker sends lwIP's calls through here
// (--wrap). Also says whether a call of lwIP's is under way, so that a test sees a coroutine that
// is resumed inside one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memory {

/// Kinds of memory, as bits of a set.
enum kind : unsigned {
    of_pcbs = 1,     // TCP, listening and UDP
    of_segments = 2, // TCP segments
    of_pbufs = 4,    // pbuf headers and pool pbufs
    of_heap = 8,     // lwIP's heap: pbuf data
    of_objects = 16, // weft's own: operator new(nothrow)
    of_all = 31,
};

/// Allocations of these kinds fail with this probability, by this seed.
void fail_at_random(unsigned kinds, double probability, std::uint64_t seed) noexcept;
/// The next `count` allocations of these kinds succeed, and later ones fail.
void fail_after(unsigned kinds, std::size_t count) noexcept;
/// No more failures.
void recover() noexcept;
/// Failures since fail_*().
[[nodiscard]] std::size_t failures() noexcept;

/// Blocks that lwIP has now: of the heap, and elements of its pools.
struct usage {
    std::ptrdiff_t heap_blocks = 0;
    std::ptrdiff_t heap_bytes = 0;
    std::ptrdiff_t segments = 0;
    std::ptrdiff_t pbufs = 0;
    std::ptrdiff_t pcbs = 0;
    friend bool operator==(const usage&, const usage&) = default;
};
[[nodiscard]] usage in_use() noexcept;
/// The most heap bytes at a time since the last call.
[[nodiscard]] std::ptrdiff_t heap_peak() noexcept;

/// Calls of tcp_write since the process began.
[[nodiscard]] std::size_t writes() noexcept;

/// True while a call into lwIP is under way: input, timers, write, output, close, abort.
[[nodiscard]] bool inside_lwip() noexcept;

} // namespace memory
