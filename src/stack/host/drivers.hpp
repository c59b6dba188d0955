// What the three drivers share: the clock, and the descriptor that wakes them.
#pragma once

#include <weft/descriptor_driver.hpp>

#include <ctime>
#include <memory>
#include <new>
#include <utility>

namespace weft::host {

/// CLOCK_MONOTONIC.
[[nodiscard]] time_point monotonic_now() noexcept;

/// The time until `deadline` in `room`, not negative; null for `never`.
[[nodiscard]] const timespec* time_left(time_point deadline, timespec& room) noexcept;

/// Milliseconds until `deadline`, rounded up so that no timer fires early; -1 for `never`.
[[nodiscard]] int milliseconds_until(time_point deadline) noexcept;

/// A descriptor that another thread makes readable: an eventfd, or a pipe where there is none.
class wake_descriptor {
  public:
    wake_descriptor() noexcept = default;
    wake_descriptor(const wake_descriptor&) = delete;
    wake_descriptor& operator=(const wake_descriptor&) = delete;
    ~wake_descriptor();

    result<> open() noexcept;
    [[nodiscard]] int descriptor() const noexcept { return read_; }
    /// From any thread.
    void wake() noexcept;
    void drain() noexcept;

  private:
    int read_ = -1;
    int write_ = -1;
};

template <class Driver>
[[nodiscard]] result<std::unique_ptr<descriptor_driver>> make_opened() noexcept {
    std::unique_ptr<Driver> made(new (std::nothrow) Driver);
    if (!made) {
        return fail(errc::no_memory);
    }
    if (const result<> opened = made->open(); !opened) {
        return fail(opened.error());
    }
    return std::unique_ptr<descriptor_driver>(std::move(made));
}

[[nodiscard]] result<std::unique_ptr<descriptor_driver>> make_epoll_driver() noexcept;
[[nodiscard]] result<std::unique_ptr<descriptor_driver>> make_poll_driver() noexcept;
[[nodiscard]] result<std::unique_ptr<descriptor_driver>> make_select_driver() noexcept;

} // namespace weft::host
