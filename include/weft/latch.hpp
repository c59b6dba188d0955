// latch: opens once, when it has been counted down to zero.
//
//     weft::latch started{3};
//     ... started.count_down();
//     auto all = co_await started.wait();
#pragma once

#include <weft/event.hpp>

#include <cstddef>

namespace weft {

/// Single-threaded, single use. Counting below zero has no effect.
class latch {
  public:
    explicit latch(std::size_t count) noexcept : count_(count), open_(count == 0) {}

    [[nodiscard]] std::size_t remaining() const noexcept { return count_; }

    void count_down(std::size_t by = 1) noexcept {
        count_ = by < count_ ? count_ - by : 0;
        if (count_ == 0) {
            open_.set();
        }
    }

    /// Completes once the count is zero; errc::canceled if the scope is cancelled first.
    event::waiting wait() noexcept { return open_.wait(); }

  private:
    std::size_t count_;
    event open_;
};

} // namespace weft
