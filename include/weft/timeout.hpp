// Limits on how long something may take, and who may cancel it.
//
//     auto n = co_await weft::timeout(stream.recv(buffer), 5s);    // errc::timed_out
//     auto r = co_await weft::within(work, download());            // work.cancel() ends it
//     auto bye = co_await weft::shield(say_goodbye(peer), 2s);     // runs though we are cancelled
#pragma once

#include <weft/join.hpp>

#include <type_traits>
#include <utility>

namespace weft {

/// One child chain with a deadline, in a scope of its own.
template <class T>
class [[nodiscard]] limited : public join_wait, private timer {
  public:
    enum class shielding : bool { no, yes };

    limited(task<T> work, duration limit, shielding shielded) noexcept
        : join_wait(shielded == shielding::yes ? nullptr : &cancel_child), timer(&expire),
          shielded_(shielded), limit_(limit), work_(std::move(work)) {}
    limited(limited&&) = default;
    ~limited() {
        if (pending()) {
            home().timers().cancel(*this);
        }
    }

    [[nodiscard]] bool await_ready() const noexcept { return !work_.valid(); }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        enter(parent);
        child_.own_scope().bind(home());
        if (chain().canceled() && shielded_ == shielding::no) {
            child_.own_scope().cancel();
        }
        if (!suspend_while(parent, [this] { start_chain(child_, child_.own_scope(), work_); })) {
            return false;
        }
        if (limit_ != duration::max()) {
            home().timers().schedule(*this, deadline_after(home().now(), limit_));
        }
        return true;
    }

    outcome_of<T> await_resume() {
        if (pending()) {
            home().timers().cancel(*this);
        }
        outcome_of<T> outcome = work_.take();
        if (expired_) [[unlikely]] {
            return told_as_timeout(std::move(outcome));
        }
        return outcome;
    }

  private:
    /// What the child was cut short at, under the name of the reason; a value stays a value.
    outcome_of<T> told_as_timeout(outcome_of<T> outcome) {
        if constexpr (std::is_same_v<T, transfer>) { // the count is exact all the same
            return outcome.error() == errc::canceled ? transfer(outcome.count, errc::timed_out)
                                                     : outcome;
        } else {
            if (!outcome) {
                return outcome.error() == errc::canceled ? fail(errc::timed_out)
                                                         : std::move(outcome);
            }
            if constexpr (std::is_void_v<T>) {
                if (child_.own_scope().interrupted()) {
                    return fail(errc::timed_out);
                }
            } else if constexpr (requires { outcome->canceled(); }) { // any_of
                if (outcome->canceled()) {
                    return fail(errc::timed_out);
                }
            }
            return outcome;
        }
    }
    static void cancel_child(join_wait& join) noexcept {
        static_cast<limited&>(join).child_.own_scope().cancel();
    }
    static void expire(timer& due) noexcept {
        auto& self = static_cast<limited&>(due);
        self.expired_ = true;
        self.child_.own_scope().cancel();
    }

    shielding shielded_;
    bool expired_ = false;
    duration limit_;
    scoped_chain child_;
    task<T> work_; // after its chain: the frame goes before the scope it runs in
};

/// One child chain in a scope that somebody else keeps.
template <class T>
class [[nodiscard]] confined : public join_wait {
  public:
    confined(task<T> work, scope& in) noexcept
        : join_wait(&cancel_child), in_(&in), work_(std::move(work)) {}
    confined(confined&&) = default;

    [[nodiscard]] bool await_ready() const noexcept { return !work_.valid(); }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        if (enter(parent).canceled()) {
            in_->cancel();
        }
        return suspend_while(parent, [this] { start_chain(child_, *in_, work_); });
    }
    outcome_of<T> await_resume() { return work_.take(); }

  private:
    static void cancel_child(join_wait& join) noexcept {
        static_cast<confined&>(join).in_->cancel();
    }

    scope* in_;
    joined_chain child_;
    task<T> work_;
};

/// Runs it, and cancels it `limit` after this turn's now(): errc::timed_out if that is what ended
/// it, a transfer with its count; what it had produced by then otherwise. A task<> that returns
/// after a cancelled wait counts as ended by it.
template <class A>
auto timeout(A awaitable, duration limit) {
    return [&]<class T>(task<T> work) {
        return limited<T>(std::move(work), limit, limited<T>::shielding::no);
    }(as_task(std::move(awaitable)));
}

/// Runs it though this chain is or gets cancelled, for `limit` at most (then errc::timed_out).
template <class A>
auto shield(A awaitable, duration limit) {
    return [&]<class T>(task<T> work) {
        return limited<T>(std::move(work), limit, limited<T>::shielding::yes);
    }(as_task(std::move(awaitable)));
}

/// Runs it in `chain`, which others may cancel; cancelling the parent cancels `chain` too. The
/// scope serves one chain at a time and must outlive it.
template <class A>
auto within(scope& chain, A awaitable) {
    return [&]<class T>(task<T> work) {
        return confined<T>(std::move(work), chain);
    }(as_task(std::move(awaitable)));
}

} // namespace weft
