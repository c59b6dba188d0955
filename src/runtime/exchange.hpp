// Atomic operations, also where the processor has none: on ARMv6-M (Cortex-M0) the compiler would
// call functions that no library there defines. With one core, masking interrupts is enough.
#pragma once

#include "runtime/interrupts_masked.hpp"

#include <atomic>
#include <cstdint>

namespace weft {

#if defined(__ARM_ARCH_6M__)

template <class T>
T exchange(std::atomic<T>& place, T value, std::memory_order) noexcept {
    const interrupts_masked now;
    const T old = place.load(std::memory_order_relaxed);
    place.store(value, std::memory_order_relaxed);
    return old;
}

template <class T>
bool compare_exchange(
    std::atomic<T>& place, T& expected, T value, std::memory_order, std::memory_order) noexcept {
    const interrupts_masked now;
    const T found = place.load(std::memory_order_relaxed);
    if (found != expected) {
        expected = found;
        return false;
    }
    place.store(value, std::memory_order_relaxed);
    return true;
}

inline std::uint32_t increment(std::atomic<std::uint32_t>& place, std::memory_order) noexcept {
    const interrupts_masked now;
    const std::uint32_t old = place.load(std::memory_order_relaxed);
    place.store(old + 1, std::memory_order_relaxed);
    return old;
}

#else

template <class T>
T exchange(std::atomic<T>& place, T value, std::memory_order order) noexcept {
    return place.exchange(value, order);
}

/// May fail without a reason.
template <class T>
bool compare_exchange(
    std::atomic<T>& place, T& expected, T value, std::memory_order success,
    std::memory_order failure) noexcept {
    return place.compare_exchange_weak(expected, value, success, failure);
}

/// What it was before.
inline std::uint32_t
increment(std::atomic<std::uint32_t>& place, std::memory_order order) noexcept {
    return place.fetch_add(1, order);
}

#endif

} // namespace weft
