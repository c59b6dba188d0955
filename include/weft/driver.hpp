// driver: what makes a loop sleep, and tells it the time.
//
// A loop has one: epoll, poll or select on a host (weft/descriptor_driver.hpp), a virtual clock in
// a simulation, WFI on a board.
#pragma once

#include <weft/clock.hpp>
#include <weft/one_stack.hpp>

#include <cstdint>
#include <new>

namespace weft {

/// On a board whose image has one stack there is one kind of driver too, the port's
/// (weft/port.hpp), and these are plain functions.
class driver {
  public:
    driver() = default;
    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;
#if WEFT_ONE_STACK
    static void operator delete(driver* gone, std::destroying_delete_t) noexcept;
#else
    virtual ~driver() = default;
#endif

    [[nodiscard]] WEFT_WAIST time_point now() noexcept WEFT_PURE;

    /// Tells every watcher what has happened, and blocks until something does or `deadline` is
    /// reached; `at_once` never blocks, `never` has no deadline. False if nothing can ever happen
    /// (a virtual clock without a deadline).
    WEFT_WAIST bool wait(time_point deadline) noexcept WEFT_PURE;

    /// Ends a wait(), the next one if none is under way. The one call that other threads and
    /// interrupt handlers may make.
    WEFT_WAIST void wake() noexcept WEFT_PURE;

    /// For people who sleep elsewhere: readable (poll(2)) when wait() would have something to tell.
    /// -1: this driver has none.
    [[nodiscard]] WEFT_WAIST int descriptor() const noexcept { return -1; }
};

#if !WEFT_ONE_STACK

/// Time that moves only when there is nothing to do: straight to the next deadline.
class virtual_driver final : public driver {
  public:
    [[nodiscard]] time_point now() noexcept override;
    bool wait(time_point deadline) noexcept override;
    void wake() noexcept override;

  private:
    time_point now_{duration(std::int64_t{1'000'000'000})}; // not zero: 0 is "never set" to many
};
#endif

} // namespace weft
