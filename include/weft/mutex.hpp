// mutex: one task at a time, across its waits.
//
//     auto held = co_await m.lock();      // result<mutex::guard>; the guard unlocks
#pragma once

#include <weft/line.hpp>

#include <utility>

namespace weft {

/// Single-threaded, first come first served. unlock() calls the first waiter and keeps the mutex
/// for it; one that is cancelled or destroyed before it runs passes the call on. Destroyed under
/// waiters it completes them with errc::bad_handle.
class mutex : waiting_line {
  public:
    mutex() noexcept = default;

    /// Holds the mutex until it is destroyed. Move-only.
    class [[nodiscard]] guard {
      public:
        explicit guard(mutex& held) noexcept : held_(&held) {}
        guard(guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
        guard& operator=(guard&& other) noexcept {
            std::swap(held_, other.held_);
            return *this;
        }
        ~guard() {
            if (held_ != nullptr) {
                held_->unlock();
            }
        }

      private:
        mutex* held_;
    };

    [[nodiscard]] bool locked() const noexcept { return locked_; }

    [[nodiscard]] bool try_lock() noexcept {
        if (locked_) {
            return false;
        }
        locked_ = true;
        return true;
    }

    void unlock() noexcept {
        locked_ = false;
        advance();
    }

    class [[nodiscard]] locking : public wait_in_line<locking> {
      public:
        explicit locking(mutex& owner) noexcept : wait_in_line(owner) {}
        locking(const locking&) noexcept = default;
        ~locking() { leave(); }
        result<guard> await_resume() noexcept {
            finish();
            if (failed()) [[unlikely]] {
                return fail(error_);
            }
            return guard(owner());
        }

      private:
        friend class wait_in_line<locking>;
        [[nodiscard]] mutex& owner() const noexcept { return static_cast<mutex&>(*line_); }
        bool attempt() noexcept { return owner().try_lock(); }
        void advance() noexcept { owner().advance(); }
        static void claim() noexcept {} // locked since it was called
        void pass_on() noexcept { owner().unlock(); }
    };

    /// Completes holding the mutex; errc::canceled if the scope is cancelled first.
    locking lock() noexcept { return locking(*this); }

  private:
    void advance() noexcept {
        if (!waiting_line::empty() && !locked_) [[unlikely]] {
            locked_ = true;
            call_first();
        }
    }

    bool locked_ = false; // by a guard, or kept for the waiter that is called
};

} // namespace weft
