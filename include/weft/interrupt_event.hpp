// interrupt_event: an event that an interrupt handler, a signal handler or another thread sets.
//
//     weft::interrupt_event edge{loop};           // ... in the handler: edge.set();
//     while (true) {
//         auto times = co_await edge.wait();      // how often it was set since the last time
//         if (!times) { co_return; }
//     }
#pragma once

#include <weft/line.hpp>
#include <weft/loop.hpp>

#include <atomic>
#include <cstdint>

namespace weft {

/// Counts its sets; a wait that completes takes the count, and the event is unset. So it may be set
/// before anyone waits, sets that come faster than the loop runs become one, and none is lost.
/// What was written before set() is seen after the wait that took it. The count is modulo 2^32.
///
/// wait() belongs to the loop's thread. Several may wait, first come first served: each takes what
/// was counted when its turn came. Destroyed under waiters it completes them with
/// errc::bad_handle; whatever sets it must have stopped before.
class interrupt_event : waiting_line {
  public:
    explicit interrupt_event(loop& home) noexcept;
    ~interrupt_event();

    /// From anywhere, in any number of places at once. Wait-free while it is set already: one
    /// atomic addition. Otherwise it is also a loop::post(), which is lock-free: it repeats a step
    /// only if another post came between.
    void set() noexcept;

    /// True if a wait would complete at once.
    [[nodiscard]] bool is_set() const noexcept {
        return count_.load(std::memory_order_relaxed) != 0;
    }

    class [[nodiscard]] waiting : public wait_in_line<waiting> {
      public:
        explicit waiting(interrupt_event& owner) noexcept : wait_in_line(owner) {}
        waiting(const waiting&) noexcept = default;
        ~waiting() { leave(); }
        result<std::uint32_t> await_resume() noexcept {
            finish();
            if (failed()) [[unlikely]] {
                return fail(error_);
            }
            return taken_;
        }

      private:
        friend class wait_in_line<waiting>;
        [[nodiscard]] interrupt_event& owner() const noexcept {
            return static_cast<interrupt_event&>(*line_);
        }
        bool attempt() noexcept {
            if (!owner().waiting_line::empty() || owner().called() || !owner().is_set()) {
                return false;
            }
            taken_ = owner().take();
            return true;
        }
        void advance() noexcept { owner().advance(); }
        void claim() noexcept {
            taken_ = owner().take();
            owner().advance(); // set again meanwhile
        }
        void pass_on() noexcept { owner().advance(); } // nothing was taken

        std::uint32_t taken_;
    };

    /// Completes once it is set, with how often it was; errc::canceled if the scope is cancelled
    /// first, and then nothing was taken.
    waiting wait() noexcept { return waiting(*this); }

  private:
    struct arrival : posted {
        explicit arrival(interrupt_event& whose) noexcept : posted(&arrive), event(&whose) {}
        static void arrive(posted& work) { static_cast<arrival&>(work).event->advance(); }
        interrupt_event* event;
    };

    void advance() noexcept {
        if (!waiting_line::empty() && !called() && is_set()) {
            call_first();
        }
    }
    std::uint32_t take() noexcept;

    std::atomic<std::uint32_t> count_{0};
    loop* home_;
    arrival arrival_;
};

} // namespace weft
