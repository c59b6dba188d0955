// scope: cancellation for one chain of coroutines, and the place where that chain waits.
//
// A chain is a coroutine with the child that it awaits, that child's child, and so on: exactly one
// of them runs or waits. when_any, timeout, task_group and `within` start chains, each with a scope
// of its own; everything awaited inside inherits it.
//
//     weft::scope work{loop};
//     ...  co_await weft::within(work, download());   // in one task
//     ...  work.cancel();                             // in another: download's wait ends
#pragma once

#include <weft/list.hpp>

#include <cassert>
#include <cstdint>

namespace weft {

class loop;

/// A node of the loop's ready queue, or of a list of waiters: `run` is called once by the loop
/// after the node was made ready, or outside every coroutine by what made it so. It is unlinked
/// first, so `run` may destroy it. Whoever destroys a linked one unlinks it first.
struct waiter : list_link {
    explicit waiter(void (*run_now)(waiter&) = nullptr) noexcept : run(run_now) {}
    void (*run)(waiter&);

  protected:
    explicit waiter(unset not_yet) noexcept : list_link(not_yet) {}
};

/// Not thread-safe; belongs to the thread of its loop. Must outlive the chain that runs in it.
class scope {
  public:
    /// After this many operations in a row that completed at once, a chain goes through the ready
    /// queue, so that nothing starves.
    static constexpr std::int32_t immediate_completions = 32;

    explicit scope(loop& home) noexcept : loop_(&home) {}
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    ~scope() { assert(!waiting() && "a scope was destroyed before the chain that runs in it"); }

    /// Ends the wait this chain is in, and every later one, with errc::canceled. A value already
    /// produced is still handed over. Idempotent; resumes nothing itself (the loop does).
    void cancel() noexcept;

    [[nodiscard]] bool canceled() const noexcept { return canceled_; }
    [[nodiscard]] loop& home() const noexcept { return *loop_; }

    // --- for awaiters -----------------------------------------------------------------------

    /// True if an operation may be tried at once; false if it must first see canceled(), and go
    /// through the ready queue if that is false.
    [[nodiscard]] bool spend() noexcept { return --credit_ >= 0; }

    /// The chain, which is not cancelled, is suspended; cancelling makes `wait` ready.
    void begin_wait(waiter& wait) noexcept {
        assert(!waiting() && "a scope serves one chain at a time");
        assert(!canceled_);
        waiting_ = &wait;
        credit_ = immediate_completions;
    }

    /// The chain waits for other chains. Cancelling calls `wait.run` at once, which cancels those
    /// and resumes nothing: through the queue it would come behind what those wait for.
    void begin_join(waiter& wait) noexcept {
        assert(!waiting() && "a scope serves one chain at a time");
        waiting_ = &wait;
        joins_ = true;
        if (!canceled_) [[likely]] {
            credit_ = immediate_completions;
        }
    }
    void end_join() noexcept {
        joins_ = false;
        end_wait();
    }

    /// The chain is about to be resumed, or its wait is being destroyed.
    void end_wait() noexcept { waiting_ = nullptr; }

    /// For a scope inside an awaiter, which learns its loop when it is awaited.
    struct unbound {};
    explicit scope(unbound) noexcept : loop_(nullptr) {}
    void bind(loop& home) noexcept { loop_ = &home; }

    /// The budget of spend() is used up, or the scope is cancelled.
    [[nodiscard]] bool exhausted() const noexcept { return credit_ <= 0; }

    /// True while the chain is suspended in a wait.
    [[nodiscard]] bool waiting() const noexcept { return waiting_ != nullptr; }
    /// What the chain waits in, if it does.
    [[nodiscard]] waiter& waits_in() const noexcept { return *waiting_; }

    /// True once a wait of this scope was ended by cancelling: what tells a task that was cut short
    /// from one that finished by itself.
    [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }
    void note_interrupted() noexcept {
        interrupted_ = true;
        credit_ = 0;
    }

  private:
    std::int32_t credit_ = immediate_completions;
    bool canceled_ = false;
    bool interrupted_ = false;
    bool joins_ = false;        // waiting_ is a join
    waiter* waiting_ = nullptr; // null while the chain runs
    loop* loop_;
};

} // namespace weft
