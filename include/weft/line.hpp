// How tasks wait for a mutex, a semaphore or a channel: in a line, first come first served. For
// those who write such primitives; users of weft never name these.
#pragma once

#include <weft/wait.hpp>

#include <coroutine>

namespace weft {

class waiting_line;

/// A place in a line.
///
///     new -> attempt() succeeds: done
///         -> waiting in the line -> called: in the ready queue -> claim(): done
///
/// Cancelled, or destroyed, it leaves; if it was called already, the next one is called instead.
class place_in_line : public wait_node {
  protected:
    explicit place_in_line(waiting_line& line) noexcept : line_(&line) {}
    place_in_line(const place_in_line& other) noexcept : wait_node(other), line_(other.line_) {}
    ~place_in_line() = default;

    /// It ends without what it waited for.
    void fail_with(errc why) noexcept {
        line_ = nullptr;
        error_ = why;
    }
    [[nodiscard]] bool failed() const noexcept { return line_ == nullptr; }

    waiting_line* line_; // null once it has failed, or the line is gone
    errc error_;         // of one that failed

  private:
    friend class waiting_line;
};

/// The waiters of one primitive. At most one is called at a time, and what it waits for is kept for
/// it until it has run or left: newcomers do not overtake, and nothing is handed to one that is
/// gone.
class waiting_line {
  public:
    waiting_line() noexcept = default;
    waiting_line(const waiting_line&) = delete;
    waiting_line& operator=(const waiting_line&) = delete;
    /// Whoever still waits completes with errc::bad_handle.
    ~waiting_line() {
        if (called_ != nullptr) {
            called_->fail_with(errc::bad_handle);
        }
        while (!waiting_.empty()) {
            place_in_line& first = waiting_.pop_front();
            first.fail_with(errc::bad_handle);
            first.home().make_unlinked_ready(first);
        }
    }

    /// Nobody waits, except one that may be called.
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
    [[nodiscard]] bool called() const noexcept { return called_ != nullptr; }

    void join(place_in_line& last) noexcept { waiting_.push_back(last); }

    /// The first one's turn has come; there is one, and none is called.
    void call_first() noexcept {
        called_ = &waiting_.pop_front();
        called_->home().make_unlinked_ready(*called_);
    }

    /// True once for the one that was called.
    bool answer(const place_in_line& w) noexcept {
        if (called_ != &w) {
            return false;
        }
        called_ = nullptr;
        return true;
    }

  private:
    list<place_in_line> waiting_;
    place_in_line* called_ = nullptr;
};

/// Derived has
///   bool attempt()   takes it at once, if it is there and nobody is before us
///   void advance()   calls the first in line, if what that waits for is there
///   void claim()     our turn: takes what was kept
///   void pass_on()   our turn, but we leave: gives it back, and calls the next
/// and a destructor that calls leave().
template <class Derived>
class wait_in_line : public place_in_line {
  public:
    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        if (caller.promise().current_scope().spend() && derived().attempt()) [[likely]] {
            return false;
        }
        enter(caller);
        return wait(caller);
    }

  protected:
    explicit wait_in_line(waiting_line& line) noexcept : place_in_line(line) {}
    wait_in_line(const wait_in_line&) noexcept = default;
    ~wait_in_line() = default;

    void leave() noexcept {
        if (suspended() && !failed() && line_->answer(*this)) [[unlikely]] {
            derived().pass_on();
        }
    }

  private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }

    // Apart: what completes at once pays nothing for it.
    [[gnu::noinline]] bool wait(std::coroutine_handle<> caller) noexcept {
        if (chain().canceled()) [[unlikely]] {
            chain().note_interrupted();
            fail_with(errc::canceled);
            return false;
        }
        suspend(caller, &run_now);
        line_->join(*this);
        derived().advance();
        return true;
    }

    static void run_now(waiter& node) {
        auto& self = static_cast<wait_in_line&>(node);
        if (self.chain().canceled()) {
            self.chain().note_interrupted();
            self.leave();
            self.fail_with(errc::canceled);
        } else if (!self.failed()) {
            (void)self.line_->answer(self);
            self.derived().claim();
        }
        self.resume();
    }
};

} // namespace weft
