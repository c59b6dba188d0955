// when_any: run several at once, go on with the first that ends; the others are cancelled, and
// waited for.
//
//     auto won = co_await weft::when_any(stream.recv(buffer), stop.wait());
//     if (won.index == 0) { auto n = std::get<0>(won.results); }
#pragma once

#include <weft/join.hpp>

#include <cassert>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

namespace detail {

/// Something came of it: a value, or bytes that a transfer had moved.
template <class Outcome>
bool has_yielded(const Outcome& one) noexcept {
    if constexpr (std::is_same_v<Outcome, transfer>) {
        return one || one.count != 0;
    } else {
        return one.has_value();
    }
}

} // namespace detail

/// `index` tells which ended first. Every result is there: a loser that had produced a value before
/// its cancellation reached it hands that over too, so nothing is lost.
template <class... T>
struct any_of {
    std::size_t index;
    std::tuple<outcome_of<T>...> results;

    /// None has a value, and the first ended because it was cancelled.
    [[nodiscard]] bool canceled() const noexcept {
        return std::apply(
            [this](const auto&... each) {
                std::size_t at = 0;
                const bool any_value = (detail::has_yielded(each) || ...);
                return !any_value && ((at++ == index && each.error() == errc::canceled) || ...);
            },
            results);
    }
};

template <class... T>
class [[nodiscard]] when_any_of : public join_of_many<when_any_of<T...>> {
  public:
    static_assert(sizeof...(T) > 0, "when_any of nothing never ends");
    explicit when_any_of(task<T>... tasks) noexcept : tasks_(std::move(tasks)...) {
        this->end_with_first();
    }
    when_any_of(when_any_of&&) = default;

    static bool await_ready() noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        this->enter(parent);
        this->bind_all();
        return this->suspend_while(parent, [this] { start(std::index_sequence_for<T...>{}); });
    }
    any_of<T...> await_resume() {
        return std::apply(
            [this](auto&... each) {
                return any_of<T...>{this->first(), std::tuple<outcome_of<T>...>(outcome(each)...)};
            },
            tasks_);
    }

  private:
    friend class join_of_many<when_any_of>;
    std::span<scoped_chain> chains() noexcept { return chains_; }

    template <std::size_t... I>
    void start(std::index_sequence<I...>) noexcept {
        (start_one(I, std::get<I>(tasks_)), ...);
    }
    template <class U>
    void start_one(std::size_t index, task<U>& work) noexcept {
        if (this->first() == this->none) { // once one has ended in place, the rest need not begin
            this->start_chain(chains_[index], chains_[index].own_scope(), work, index);
        }
    }
    template <class U>
    static outcome_of<U> outcome(task<U>& work) {
        return work.valid() && !work.started() ? outcome_of<U>(fail(errc::canceled)) : work.take();
    }

    scoped_chain chains_[sizeof...(T)];
    std::tuple<task<T>...> tasks_; // after the chains: frames go before the scopes they run in
};

/// Starts each in order, in place, until one has ended. Cancelling cancels all and waits for them.
template <class... A>
auto when_any(A... awaitables) {
    return [&]<class... T>(task<T>... tasks) {
        return when_any_of<T...>(std::move(tasks)...);
    }(as_task(std::move(awaitables))...);
}

template <class T>
struct any_of_many {
    std::size_t index;
    std::vector<outcome_of<T>> results;

    /// None has a value, and the first ended because it was cancelled.
    [[nodiscard]] bool canceled() const noexcept {
        for (const auto& each : results) {
            if (detail::has_yielded(each)) {
                return false;
            }
        }
        return !results.empty() && results[index].error() == errc::canceled;
    }
};

/// The same for a number known at run time, at least one.
template <class T>
class [[nodiscard]] when_any_vector : public join_of_many<when_any_vector<T>> {
  public:
    explicit when_any_vector(std::vector<task<T>> tasks)
        : chains_(tasks.size()), tasks_(std::move(tasks)) {
        assert(!tasks_.empty() && "when_any of nothing never ends");
        this->end_with_first();
    }
    when_any_vector(when_any_vector&&) = default;

    [[nodiscard]] bool await_ready() const noexcept { return tasks_.empty(); }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        this->enter(parent);
        this->bind_all();
        return this->suspend_while(parent, [this] {
            for (std::size_t i = 0; i < tasks_.size() && this->first() == this->none; ++i) {
                this->start_chain(chains_[i], chains_[i].own_scope(), tasks_[i], i);
            }
        });
    }
    any_of_many<T> await_resume() {
        any_of_many<T> all{this->first(), {}};
        all.results.reserve(tasks_.size());
        for (auto& each : tasks_) {
            all.results.push_back(
                each.valid() && !each.started() ? outcome_of<T>(fail(errc::canceled))
                                                : each.take());
        }
        return all;
    }

  private:
    friend class join_of_many<when_any_vector>;
    std::span<scoped_chain> chains() noexcept { return chains_; }

    std::vector<scoped_chain> chains_;
    std::vector<task<T>> tasks_;
};

template <class T>
when_any_vector<T> when_any(std::vector<task<T>> tasks) {
    return when_any_vector<T>(std::move(tasks));
}

} // namespace weft
