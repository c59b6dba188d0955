// when_all: run several at once, go on when all have ended.
//
//     auto [a, b] = ...      // not in a co_await expression: GCC 12. Rather:
//     auto both = co_await weft::when_all(first(), second());
//     auto a = std::get<0>(both);            // a result<T> each, or a transfer
#pragma once

#include <weft/join.hpp>

#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace weft {

template <class... T>
class [[nodiscard]] when_all_of : public join_of_many<when_all_of<T...>> {
  public:
    explicit when_all_of(task<T>... tasks) noexcept : tasks_(std::move(tasks)...) {}
    when_all_of(when_all_of&&) = default;

    static bool await_ready() noexcept { return sizeof...(T) == 0; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        this->enter(parent);
        this->bind_all();
        return this->suspend_while(parent, [this] { start(std::index_sequence_for<T...>{}); });
    }
    std::tuple<outcome_of<T>...> await_resume() {
        return std::apply(
            [](auto&... each) { return std::tuple<outcome_of<T>...>(each.take()...); }, tasks_);
    }

  private:
    friend class join_of_many<when_all_of>;
    std::span<scoped_chain> chains() noexcept { return chains_; }

    template <std::size_t... I>
    void start(std::index_sequence<I...>) noexcept {
        (this->start_chain(chains_[I], chains_[I].own_scope(), std::get<I>(tasks_), I), ...);
    }

    scoped_chain chains_[sizeof...(T) == 0 ? 1 : sizeof...(T)];
    std::tuple<task<T>...> tasks_; // after the chains: frames go before the scopes they run in
};

/// Starts each in order, in place; completes when all have ended, with every result. Cancelling
/// cancels all and waits for them. Allocates nothing for tasks (other awaiters cost a frame each).
template <class... A>
auto when_all(A... awaitables) {
    return [&]<class... T>(task<T>... tasks) {
        return when_all_of<T...>(std::move(tasks)...);
    }(as_task(std::move(awaitables))...);
}

/// The same for a number known at run time; it allocates one block for its bookkeeping.
template <class T>
class [[nodiscard]] when_all_vector : public join_of_many<when_all_vector<T>> {
  public:
    explicit when_all_vector(std::vector<task<T>> tasks)
        : chains_(tasks.size()), tasks_(std::move(tasks)) {}
    when_all_vector(when_all_vector&&) = default;

    [[nodiscard]] bool await_ready() const noexcept { return tasks_.empty(); }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> parent) noexcept {
        this->enter(parent);
        this->bind_all();
        return this->suspend_while(parent, [this] {
            for (std::size_t i = 0; i < tasks_.size(); ++i) {
                this->start_chain(chains_[i], chains_[i].own_scope(), tasks_[i], i);
            }
        });
    }
    std::vector<outcome_of<T>> await_resume() {
        std::vector<outcome_of<T>> results;
        results.reserve(tasks_.size());
        for (auto& each : tasks_) {
            results.push_back(each.take());
        }
        return results;
    }

  private:
    friend class join_of_many<when_all_vector>;
    std::span<scoped_chain> chains() noexcept { return chains_; }

    std::vector<scoped_chain> chains_;
    std::vector<task<T>> tasks_;
};

template <class T>
when_all_vector<T> when_all(std::vector<task<T>> tasks) {
    return when_all_vector<T>(std::move(tasks));
}

} // namespace weft
