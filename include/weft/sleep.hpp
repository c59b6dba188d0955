// Giving up the processor: yield() to others that are ready, sleep_for() until a deadline.
//
//     auto slept = co_await weft::sleep_for(std::chrono::milliseconds(20));
#pragma once

#include <weft/wait.hpp>

namespace weft {

/// A wait that has no result of its own.
class plain_wait : public wait_node {
  public:
    static bool await_ready() noexcept { return false; }
    result<> await_resume() noexcept {
        finish();
        if (chain().canceled()) [[unlikely]] {
            chain().note_interrupted();
            return fail(errc::canceled);
        }
        return {};
    }

  protected:
    plain_wait() noexcept = default;
    plain_wait(const plain_wait&) noexcept = default;
    ~plain_wait() = default;
};

/// `co_await yield()`: goes behind everything that is ready now. errc::canceled if the scope is.
class [[nodiscard]] yield : public plain_wait {
  public:
    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        if (enter(caller).canceled()) [[unlikely]] {
            return false;
        }
        suspend(caller, &run_now);
        home().make_unlinked_ready(*this);
        return true;
    }

  private:
    static void run_now(waiter& node) { static_cast<yield&>(node).resume(); }
};

/// Makes sure that what follows runs from the loop's ready queue: inside a loop the same as
/// yield().
using schedule = yield;

/// A wait that a timer ends.
class timed_wait : public plain_wait, private timer {
  protected:
    timed_wait() noexcept : timer(&fire) {}
    timed_wait(const timed_wait&) noexcept = default;
    ~timed_wait() {
        if (pending()) [[unlikely]] {
            home().timers().cancel(*this);
        }
    }

    bool suspend_until(std::coroutine_handle<> caller, time_point deadline) noexcept {
        if (chain().canceled()) {
            return false;
        }
        suspend(caller, &run_now);
        home().timers().schedule(*this, deadline);
        return true;
    }

  private:
    static void fire(timer& due) noexcept {
        auto& self = static_cast<timed_wait&>(due);
        self.home().make_ready(self); // behind a cancelling, if that came first
    }
    static void run_now(waiter& node) {
        auto& self = static_cast<timed_wait&>(node);
        self.home().timers().cancel(self);
        self.resume();
    }
};

/// Completes when the loop's clock reaches `deadline`, or with errc::canceled as soon as the scope
/// is cancelled. Allocates nothing.
class [[nodiscard]] sleep_until : public timed_wait {
  public:
    explicit sleep_until(time_point deadline) noexcept : deadline_(deadline) {}
    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        enter(caller);
        return suspend_until(caller, deadline_);
    }

  private:
    time_point deadline_;
};

/// Completes `time` after it is awaited, never earlier; zero and less is a turn of the loop.
class [[nodiscard]] sleep_for : public timed_wait {
  public:
    explicit sleep_for(duration time) noexcept : time_(time) {}
    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        enter(caller);
        return suspend_until(caller, deadline_after(home().read_clock(), time_));
    }

  private:
    duration time_;
};

} // namespace weft
