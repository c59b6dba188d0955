// join_wait: one coroutine waits for chains that it started. when_all, when_any, timeout, shield
// and within are made of it. For those who write awaiters.
#pragma once

#include <weft/task.hpp>
#include <weft/wait.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {

template <class A>
concept has_member_co_await = requires(A a) { std::move(a).operator co_await(); };

template <class R>
struct value_of_result {
    using type = R;
};
template <class T>
    requires requires(T t) {
        typename T::error_type;
        typename T::value_type;
    }
struct value_of_result<T> {
    using type = typename T::value_type;
};

template <class A>
using awaited_value = typename value_of_result<
    std::remove_cvref_t<decltype(std::declval<A&>().await_resume())>>::type;

template <class T>
struct is_task : std::false_type {};
template <class T>
struct is_task<task<T>> : std::true_type {};

} // namespace detail

/// Any awaiter of weft as a task: `as_task(stream.recv(buffer))` is a task<std::size_t>.
template <class Awaiter>
    requires(!detail::is_task<Awaiter>::value)
task<detail::awaited_value<Awaiter>> as_task(Awaiter awaiter) {
    auto value = co_await awaiter;
    if constexpr (std::is_void_v<detail::awaited_value<Awaiter>>) {
        if (!value) {
            co_await fail(value.error());
        }
    } else {
        co_return std::move(value);
    }
}
template <class T>
task<T> as_task(task<T> already) noexcept {
    return already;
}

template <class A>
using task_of = decltype(as_task(std::declval<A>()));

class join_wait;

/// A chain run beside its parent.
class joined_chain {
  public:
    joined_chain() noexcept = default;
    /// A copy is a chain that has not begun: awaiters move before they are awaited.
    joined_chain(const joined_chain&) noexcept : joined_chain() {}
    joined_chain& operator=(const joined_chain&) = delete;

  private:
    friend class join_wait;
    join_wait* owner_ = nullptr;
    std::size_t index_ = 0;
};

/// The same with a scope of its own.
class scoped_chain : public joined_chain {
  public:
    scoped_chain() noexcept : own_(scope::unbound{}) {}
    scoped_chain(const scoped_chain&) noexcept : scoped_chain() {}
    scoped_chain& operator=(const scoped_chain&) = delete;

    [[nodiscard]] scope& own_scope() noexcept { return own_; }

    /// Before it starts: in the parent's loop, and cancelled if the parent is.
    void bind(scope& parent) noexcept {
        own_.bind(parent.home());
        if (parent.canceled()) [[unlikely]] {
            own_.cancel();
        }
    }

  private:
    scope own_;
};

/// Waits until every chain it started has finished. Cancelling the parent cancels the chains
/// (unless shielded); the parent still waits for them.
class join_wait : public join_node {
  protected:
    using cancel_all = void (*)(join_wait&);

    /// `cancel_chains` is called when the parent is cancelled; null: shielded.
    explicit join_wait(cancel_all cancel_chains) noexcept : cancel_chains_(cancel_chains) {}
    join_wait(const join_wait&) noexcept = default;
    ~join_wait() = default;

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// start_all() starts chains through start_chain; false if all of them finished at once.
    template <class Start>
    bool suspend_while(std::coroutine_handle<> parent, Start&& start_all) noexcept {
        suspend(parent, &parent_canceled);
        running_ = 1; // this call itself: no chain finishes the join while others
                      // are started
        start_all();
        if (--running_ != 0) {
            return true;
        }
        withdraw();
        return false;
    }

    template <class T>
    void start_chain(joined_chain& c, scope& in, task<T>& work, std::size_t index = 0) noexcept {
        c.owner_ = this;
        c.index_ = index;
        ++running_;
        if (work.start(in, &chain_done, &c)) {
            --running_;
            finished(index);
        }
    }

    /// From now on the first chain to finish cancels all.
    void end_with_first() noexcept { ends_with_first_ = true; }
    [[nodiscard]] std::size_t first() const noexcept { return first_; }

  private:
    void finished(std::size_t index) noexcept {
        if (first_ == none) {
            first_ = index;
            if (ends_with_first_) {
                cancel_chains_(*this);
            }
        }
    }

    static void chain_done(void* which) noexcept {
        auto& c = *static_cast<joined_chain*>(which);
        join_wait& self = *c.owner_;
        self.finished(c.index_);
        if (--self.running_ == 0) {
            self.resume();
        }
    }

    static void parent_canceled(waiter& node) noexcept {
        auto& self = static_cast<join_wait&>(node);
        if (self.cancel_chains_ != nullptr) {
            self.chain().note_interrupted();
            self.cancel_chains_(self);
        }
    }

    cancel_all cancel_chains_;
    bool ends_with_first_ = false;
    std::size_t running_ = 0;
    std::size_t first_ = none;
};

/// What when_all and when_any do alike. Derived has chains(): a range of scoped_chain.
template <class Derived>
class join_of_many : public join_wait {
  protected:
    join_of_many() noexcept
        : join_wait([](join_wait& join) {
              for (scoped_chain& c : static_cast<Derived&>(join).chains()) {
                  c.own_scope().cancel();
              }
          }) {}
    join_of_many(const join_of_many&) noexcept = default;
    ~join_of_many() = default;

    /// Before any starts, since the first may end the others.
    void bind_all() noexcept {
        for (scoped_chain& c : static_cast<Derived*>(this)->chains()) {
            c.bind(this->chain());
        }
    }
};

} // namespace weft
