// What every awaiter that waits is made of: a node for the ready queue, the chain's scope, and the
// coroutine to resume. For those who write awaiters; users of weft never name these.
#pragma once

#include <weft/loop.hpp>
#include <weft/result.hpp>
#include <weft/scope.hpp>

#include <coroutine>

namespace weft {

/// What a wait and a join share. Copied only before it is awaited. Until it suspends only handle_
/// is set: most operations complete at once.
class suspension : public waiter {
  protected:
    suspension() noexcept : waiter(unset{}) {}
    suspension(const suspension&) noexcept : suspension() {}
    suspension& operator=(const suspension&) = delete;
    ~suspension() = default;

    [[nodiscard]] bool suspended() const noexcept { return static_cast<bool>(handle_); }
    [[nodiscard]] scope& chain() const noexcept { return *scope_; }
    [[nodiscard]] loop& home() const noexcept { return scope_->home(); }

    /// The first thing an awaiter does in await_suspend: operations are tried there and not in
    /// await_ready, because only there is the scope known, and cancelling comes before the try.
    template <class P>
    scope& enter(std::coroutine_handle<P> caller) noexcept {
        scope_ = &caller.promise().current_scope();
        return *scope_;
    }

    /// What await_resume() does first: the wait, if there was one, is over. Said there, so that the
    /// compiler sees that the destructor has nothing to do.
    void finish() noexcept { handle_ = nullptr; }

    scope* scope_;
    std::coroutine_handle<> handle_; // null unless suspended, or resumed and not finished
};

/// One wait, which ends through the ready queue. Destroyed while suspended it forgets the
/// coroutine, and nothing resumes it.
class wait_node : public suspension {
  protected:
    wait_node() noexcept = default;
    wait_node(const wait_node&) noexcept = default;
    wait_node& operator=(const wait_node&) = delete;
    ~wait_node() {
        if (handle_) [[unlikely]] {
            unlink();
            scope_->end_wait();
        }
    }

    /// `run_now` is called when the wait is made ready or its scope is cancelled.
    void suspend(std::coroutine_handle<> handle, void (*run_now)(waiter&)) noexcept {
        handle_ = handle; // first: what the constructor put there need not even be stored then
        reset();
        run = run_now;
        scope_->begin_wait(*this);
    }

    /// The last thing that `run` does: the awaiter may be destroyed when this returns. Nothing is
    /// thrown, yet neither this nor `run` is noexcept: that would be no tail call.
    void resume() {
        scope_->end_wait();
        handle_.resume();
    }
};

/// A wait for other chains: whatever ends the last of them resumes it, outside the ready queue.
class join_node : public suspension {
  protected:
    join_node() noexcept = default;
    join_node(const join_node&) noexcept = default;
    join_node& operator=(const join_node&) = delete;
    ~join_node() {
        if (handle_) [[unlikely]] {
            scope_->end_join();
        }
    }

    /// `cancel_now` is called, at once, when the scope is cancelled.
    void suspend(std::coroutine_handle<> handle, void (*cancel_now)(waiter&)) noexcept {
        reset();
        run = cancel_now;
        handle_ = handle;
        scope_->begin_join(*this);
    }

    /// The wait is over without a suspension.
    void withdraw() noexcept {
        handle_ = nullptr;
        scope_->end_join();
    }

    /// The awaiter may be destroyed when this returns.
    void resume() noexcept {
        const std::coroutine_handle<> waiting = handle_;
        withdraw();
        waiting.resume();
    }
};

} // namespace weft
