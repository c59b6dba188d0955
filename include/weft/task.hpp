// task<T>: a lazy coroutine, awaited once, whose failure is a value.
//
//     weft::task<int> answer() { co_return 42; }
//     weft::task<> ask() {
//         auto n = co_await answer();              // weft::result<int>
//         if (!n) { co_await weft::fail(n.error()); }  // ends ask() with that error
//     }
//
// House rule, because GCC 12 miscompiles the rest: `auto r = co_await x;`, one a statement, never
// in a condition.
#pragma once

#include <weft/frame_pool.hpp>
#include <weft/one_stack.hpp>
#include <weft/result.hpp>
#include <weft/scope.hpp>

#include <cassert>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

template <class T = void>
class task;

/// What every coroutine of weft carries: its scope, and whom to tell when it ends.
class promise_base {
  public:
    static void* operator new(std::size_t size) noexcept { return frame_pool::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        frame_pool::release(frame, size);
    }

    promise_base() noexcept = default;
    promise_base(const promise_base&) = delete;
    promise_base& operator=(const promise_base&) = delete;

    static std::suspend_always initial_suspend() noexcept { return {}; }

    struct final_awaiter {
        static bool await_ready() noexcept { return false; }
        template <class P>
        void await_suspend(std::coroutine_handle<P> self) noexcept {
            self.promise().finish();
        }
        static void await_resume() noexcept {}
    };
    static final_awaiter final_suspend() noexcept { return {}; }

    [[nodiscard]] scope& current_scope() const noexcept { return *scope_; }
    void enter(scope& chain) noexcept { scope_ = &chain; }
    [[nodiscard]] bool entered() const noexcept { return scope_ != nullptr; }
    [[nodiscard]] bool running() const noexcept {
        return entered() && !finished() && !scope_->waiting();
    }
    [[nodiscard]] bool threw() const noexcept { return (state_ & has_thrown) != 0; }
    [[nodiscard]] bool finished() const noexcept { return (state_ & has_finished) != 0; }

    /// `tell(whom)` is called once, when the coroutine has finished; it may destroy the coroutine.
    void when_done(void (*tell)(void*), void* whom) noexcept {
        tell_ = tell;
        whom_ = whom;
    }

    /// The coroutine has its outcome: tells whoever waits for it.
    WEFT_SMALL void finish() noexcept {
        state_ |= has_finished;
        if (tell_ != nullptr) {
            tell_(whom_);
        }
    }

  private:
    // null while a parent runs this task in place: it looks at finished() when it gets control back
    void (*tell_)(void*) = nullptr;
    void* whom_; // set with tell_
    scope* scope_ = nullptr;

  protected:
    static constexpr std::uint32_t has_value = 1;
    static constexpr std::uint32_t has_thrown = 2;
    static constexpr std::uint32_t has_finished = 4;
    // The first two exclude each other. 32 bits: with the error that promise<void> puts behind
    // them they are cleared by one instruction.
    std::uint32_t state_ = 0;
};

template <class T>
class promise : public promise_base {
  public:
    promise() noexcept {}
    ~promise() { discard(); }

    task<T> get_return_object() noexcept;
    static task<T> get_return_object_on_allocation_failure() noexcept;

    template <class U>
        requires std::is_constructible_v<outcome_of<T>, U&&>
    void return_value(U&& value) {
        std::construct_at(std::addressof(value_), std::forward<U>(value));
        state_ = has_value;
    }
    void set_error(errc error) noexcept {
        std::construct_at(std::addressof(value_), fail(error));
        state_ = has_value;
    }
    void unhandled_exception() noexcept {
#if defined(__cpp_exceptions)
        discard();
        std::construct_at(std::addressof(thrown_), std::current_exception());
        state_ = has_thrown;
#endif
    }

#if defined(__cpp_exceptions)
    [[nodiscard]] std::exception_ptr exception() const noexcept {
        return threw() ? thrown_ : nullptr;
    }
#endif

    outcome_of<T> take() {
#if defined(__cpp_exceptions)
        if (threw()) [[unlikely]] {
            std::rethrow_exception(thrown_);
        }
#endif
        return std::move(value_);
    }

  private:
    void discard() noexcept {
        if ((state_ & has_value) != 0) {
            std::destroy_at(std::addressof(value_));
        }
#if defined(__cpp_exceptions)
        if (threw()) {
            std::destroy_at(std::addressof(thrown_));
        }
#endif
        state_ = 0;
    }

    union {
        outcome_of<T> value_;
#if defined(__cpp_exceptions)
        std::exception_ptr thrown_;
#endif
    };
};

template <>
class promise<void> : public promise_base {
  public:
    promise() noexcept {}
#if defined(__cpp_exceptions)
    ~promise() {
        if (threw()) [[unlikely]] {
            std::destroy_at(std::addressof(thrown_));
        }
    }
#endif

    task<void> get_return_object() noexcept;
    static task<void> get_return_object_on_allocation_failure() noexcept;

    void return_void() noexcept {}
    void set_error(errc error) noexcept { error_ = error; }
    void unhandled_exception() noexcept {
#if defined(__cpp_exceptions)
        std::construct_at(std::addressof(thrown_), std::current_exception());
        state_ = has_thrown;
#endif
    }

#if defined(__cpp_exceptions)
    [[nodiscard]] std::exception_ptr exception() const noexcept {
        return threw() ? thrown_ : nullptr;
    }
#endif

    result<void> take() {
#if defined(__cpp_exceptions)
        if (threw()) [[unlikely]] {
            std::rethrow_exception(thrown_);
        }
#endif
        if (error_ != errc::ok) {
            return fail(error_);
        }
        return {};
    }

  private:
    errc error_ = errc::ok;
#if defined(__cpp_exceptions)
    union {
        char none_; // until something is thrown
        std::exception_ptr thrown_;
    };
#endif
};

/// Move-only owner of a coroutine that has not started, or that its awaiter has started. Destroying
/// it destroys the frame wherever it is suspended: destructors run, nothing else.
///
/// `co_await std::move(t)` completes when the coroutine ends, with its result<T>, or its transfer:
/// errc::no_memory if there was no frame for it; what the coroutine returned otherwise. Cancelling
/// reaches the wait that the coroutine is in. An exception that leaves the coroutine is rethrown.
template <class T>
class [[nodiscard]] task {
  public:
    using promise_type = promise<T>;
    using value_type = T;
    using handle_type = std::coroutine_handle<promise_type>;

    task() noexcept = default;
    explicit task(handle_type handle) noexcept : handle_(handle) {}
    task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    task& operator=(task&& other) noexcept {
        task taken(std::move(other));
        std::swap(handle_, taken.handle_);
        return *this;
    }
    // Inline, for where the handle is known to be gone.
    [[gnu::always_inline]] ~task() {
        if (handle_) {
            assert(!handle_.promise().running() && "a task may not be destroyed while it runs");
            handle_.destroy();
        }
    }

    /// False if it was moved from, or no memory was left for its frame.
    [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(handle_); }

    // --- awaiting ---------------------------------------------------------------------------
    // The child starts inside await_suspend and the parent goes on at once if it finished: that is
    // what keeps the stack flat where symmetric transfer is no tail call (-O0, ASan, Thumb-1).

    [[nodiscard]] bool await_ready() const noexcept { return !handle_; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        promise_type& child = handle_.promise();
        assert(!child.entered() && "a task is awaited once");
        child.enter(parent.promise().current_scope());
        handle_.resume();
        if (child.finished()) {
            return false;
        }
        child.when_done(
            [](void* frame) { std::coroutine_handle<>::from_address(frame).resume(); },
            parent.address());
        return true;
    }

    outcome_of<T> await_resume() {
        if (!handle_) [[unlikely]] {
            return fail(errc::no_memory);
        }
        return handle_.promise().take();
    }

    // --- for what starts chains ---------------------------------------------------------------

    /// Starts it in `chain`; `tell(whom)` is called when it finishes, never from inside start.
    /// Returns true if it has finished already (or has no frame).
    bool start(scope& chain, void (*tell)(void*), void* whom) noexcept {
        if (!handle_) {
            return true;
        }
        assert(!handle_.promise().entered() && "a task is awaited once");
        const handle_type child = handle_; // in a register
        child.promise().enter(chain);
        child.resume();
        if (child.promise().finished()) {
            return true;
        }
        child.promise().when_done(tell, whom);
        return false;
    }

    [[nodiscard]] bool started() const noexcept { return handle_.promise().entered(); }

#if defined(__cpp_exceptions)
    [[nodiscard]] bool threw() const noexcept { return handle_.promise().threw(); }
    /// What left a finished task, or null.
    [[nodiscard]] std::exception_ptr exception() const noexcept {
        return handle_.promise().exception();
    }
#endif

    /// The result of a finished task.
    outcome_of<T> take() { return await_resume(); }

    /// Gives the frame up: whoever takes the handle destroys it.
    [[nodiscard]] handle_type release() noexcept { return std::exchange(handle_, nullptr); }

  private:
    handle_type handle_;
};

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise<T>>::from_promise(*this));
}
template <class T>
task<T> promise<T>::get_return_object_on_allocation_failure() noexcept {
    return task<T>();
}
inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise<void>>::from_promise(*this));
}
inline task<void> promise<void>::get_return_object_on_allocation_failure() noexcept {
    return task<void>();
}

/// `co_await current_scope()`: the scope that this chain runs in.
class current_scope {
  public:
    static bool await_ready() noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        scope_ = &caller.promise().current_scope();
        return false;
    }
    [[nodiscard]] scope& await_resume() const noexcept { return *scope_; }

  private:
    scope* scope_ = nullptr;
};

} // namespace weft
