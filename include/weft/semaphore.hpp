// semaphore: a count that tasks take from and give back to.
//
//     weft::semaphore connections{8};
//     auto taken = co_await connections.acquire();
//     ... connections.release();
#pragma once

#include <weft/line.hpp>

#include <cstddef>

namespace weft {

/// Single-threaded, first come first served. release() calls the first waiter and keeps a unit for
/// it; one that is cancelled or destroyed before it runs passes the call on. Destroyed under
/// waiters it completes them with errc::bad_handle.
class semaphore : waiting_line {
  public:
    explicit semaphore(std::size_t available) noexcept : available_(available) {}

    /// What is neither taken nor kept for a waiter.
    [[nodiscard]] std::size_t available() const noexcept { return available_; }

    /// Fails while others wait.
    [[nodiscard]] bool try_acquire() noexcept {
        if (available_ == 0 || !waiting_line::empty()) {
            return false;
        }
        --available_;
        return true;
    }

    void release(std::size_t count = 1) noexcept {
        available_ += count;
        advance();
    }

    class [[nodiscard]] acquiring : public wait_in_line<acquiring> {
      public:
        explicit acquiring(semaphore& owner) noexcept : wait_in_line(owner) {}
        acquiring(const acquiring&) noexcept = default;
        ~acquiring() { leave(); }
        result<> await_resume() noexcept {
            finish();
            if (failed()) [[unlikely]] {
                return fail(error_);
            }
            return {};
        }

      private:
        friend class wait_in_line<acquiring>;
        [[nodiscard]] semaphore& owner() const noexcept { return static_cast<semaphore&>(*line_); }
        bool attempt() noexcept { return owner().try_acquire(); }
        void advance() noexcept { owner().advance(); }
        void claim() noexcept { owner().advance(); } // ours was taken off when we were called
        void pass_on() noexcept { owner().release(); }
    };

    /// Takes one; errc::canceled if the scope is cancelled first, and then nothing was taken.
    acquiring acquire() noexcept { return acquiring(*this); }

  private:
    void advance() noexcept {
        if (!waiting_line::empty() && available_ != 0 && !called()) [[unlikely]] {
            --available_;
            call_first();
        }
    }

    std::size_t available_;
};

} // namespace weft
