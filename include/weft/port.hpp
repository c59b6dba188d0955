// port: what weft asks of a board without an operating system, and the driver made of it.
//
//     weft::port_driver driver;
//     weft::loop loop{driver};
//
// The first two of these functions are the board's, in C or C++; without them a program does not
// link.
#pragma once

#include <weft/driver.hpp>

#include <cstddef>
#include <cstdint>

extern "C" {

/// Nanoseconds of a clock that never goes back. May be called with interrupts masked.
std::int64_t weft_port_now(void);

/// `size` unpredictable bytes, for ports, sequence numbers and DNS.
void weft_port_random(void* into, std::size_t size);

/// Sleeps until the next interrupt, or until weft_port_now() is `deadline` (INT64_MAX: none) if
/// that is sooner. Called with interrupts masked, after a look for work: an interrupt that came
/// since must end the sleep. May return early. Weft's own is WFI, which fits a board with a timer
/// that ticks; a board that stops its ticks brings its own and sets a timer first.
void weft_port_sleep(std::int64_t deadline);

/// An invariant does not hold, in builds with assertions; `what` says which. Must not return.
/// Weft's own is an undefined instruction, which ends in the board's fault handler.
[[noreturn]] void weft_port_failed(const char* what);
}

namespace weft {

/// Sleeps by weft_port_sleep(). An interrupt handler calls wake() and nothing else of weft.
class port_driver final : public driver {
  public:
    [[nodiscard]] time_point now() noexcept WEFT_OVERRIDE;
    bool wait(time_point deadline) noexcept WEFT_OVERRIDE;
    void wake() noexcept WEFT_OVERRIDE;

    /// How often the processor woke from a sleep.
    [[nodiscard]] std::uint32_t wakeups() const noexcept { return wakeups_; }

  private:
    volatile bool woken_ = false;
    std::uint32_t wakeups_ = 0;
};

} // namespace weft
