// Atomic exchange, also where the processor has none: on ARMv6-M (Cortex-M0) the compiler would
// call a function that no library there defines. With one core, masking interrupts is enough.
#pragma once

#include <atomic>

namespace weft {

#if defined(__ARM_ARCH_6M__)

/// Interrupts are off while one of these lives; it puts back what was.
class interrupts_masked {
  public:
    interrupts_masked() noexcept {
        asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before_) : : "memory");
    }
    interrupts_masked(const interrupts_masked&) = delete;
    interrupts_masked& operator=(const interrupts_masked&) = delete;
    ~interrupts_masked() { asm volatile("msr primask, %0" : : "r"(before_) : "memory"); }

  private:
    unsigned before_;
};

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

#endif

} // namespace weft
