// channel<T, N>: a bounded queue between tasks.
//
//     weft::channel<frame, 8> frames;
//     auto sent = co_await frames.send(f);        // waits while 8 are queued
//     auto got = co_await frames.receive();       // errc::end_of_stream once closed and empty
#pragma once

#include <weft/line.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

/// Single-threaded; any number of senders and receivers, each first come first served. The N slots
/// are inside the object: nothing is allocated. A sender or receiver that is cancelled or destroyed
/// when its turn has come passes it on. Destroyed under waiters it completes them with
/// errc::bad_handle.
template <class T, std::size_t N>
class channel {
    static_assert(N > 0, "a channel needs room for one value");
    static_assert(std::is_nothrow_move_constructible_v<T>, "values move through a channel");

  public:
    channel() noexcept = default;
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;
    ~channel() {
        while (count_ != 0) {
            drop_first();
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }

    /// Senders fail with errc::broken_pipe from now on; receivers empty the queue first.
    void close() noexcept {
        closed_ = true;
        call_sender();
        call_receiver();
    }

    /// Moves from `value` only if it returns true. Fails while others wait to send.
    [[nodiscard]] bool try_send(T& value) noexcept {
        if (count_ == N || closed_ || senders_.called()) {
            return false;
        }
        put(value);
        return true;
    }

    /// Nothing while others wait to receive.
    [[nodiscard]] std::optional<T> try_receive() noexcept {
        std::optional<T> value;
        if (count_ != 0 && !receivers_.called()) {
            take(value);
        }
        return value;
    }

    class [[nodiscard]] sending : public wait_in_line<sending> {
      public:
        sending(channel& owner, T value) noexcept
            : wait_in_line<sending>(owner.senders_), value_(std::move(value)) {}
        sending(const sending&) = default;
        sending(sending&&) noexcept = default;
        ~sending() { this->leave(); }
        result<> await_resume() noexcept {
            this->finish();
            if (this->failed()) [[unlikely]] {
                return fail(this->error_);
            }
            return {};
        }

      private:
        friend class wait_in_line<sending>;
        [[nodiscard]] channel& owner() const noexcept {
            return *static_cast<sending_line&>(*this->line_).owner;
        }
        bool attempt() noexcept {
            if (owner().try_send(value_)) [[likely]] {
                return true;
            }
            if (owner().closed_) {
                this->fail_with(errc::broken_pipe);
                return true;
            }
            return false;
        }
        void advance() noexcept { owner().call_sender(); }
        void claim() noexcept {
            channel& to = owner();
            if (to.closed_) {
                this->fail_with(errc::broken_pipe);
            } else {
                to.put(value_);
            }
            to.call_sender();
        }
        void pass_on() noexcept { owner().call_sender(); }

        T value_;
    };

    class [[nodiscard]] receiving : public wait_in_line<receiving> {
      public:
        explicit receiving(channel& owner) noexcept : wait_in_line<receiving>(owner.receivers_) {}
        receiving(const receiving&) = default;
        receiving(receiving&&) noexcept = default;
        ~receiving() { this->leave(); }
        result<T> await_resume() noexcept {
            this->finish();
            if (value_.has_value()) [[likely]] {
                return std::move(*value_);
            }
            return fail(this->error_);
        }

      private:
        friend class wait_in_line<receiving>;
        [[nodiscard]] channel& owner() const noexcept {
            return *static_cast<receiving_line&>(*this->line_).owner;
        }
        bool attempt() noexcept {
            if (owner().receivers_.called()) {
                return false;
            }
            if (owner().count_ != 0) [[likely]] {
                owner().take(value_);
                return true;
            }
            if (owner().closed_) {
                this->fail_with(errc::end_of_stream);
                return true;
            }
            return false;
        }
        void advance() noexcept { owner().call_receiver(); }
        void claim() noexcept {
            channel& from = owner();
            if (from.count_ != 0) {
                from.take(value_);
            } else {
                this->fail_with(errc::end_of_stream);
            }
            from.call_receiver();
        }
        void pass_on() noexcept { owner().call_receiver(); }

        std::optional<T> value_;
    };

    /// Completes when the value is queued. errc::broken_pipe if the channel is closed,
    /// errc::canceled if the scope is; then the value was not queued.
    sending send(T value) noexcept { return sending(*this, std::move(value)); }

    /// The first value. errc::end_of_stream when closed and empty; cancelling takes nothing.
    receiving receive() noexcept { return receiving(*this); }

  private:
    struct sending_line : waiting_line {
        explicit sending_line(channel& of) noexcept : owner(&of) {}
        channel* owner;
    };
    struct receiving_line : waiting_line {
        explicit receiving_line(channel& of) noexcept : owner(&of) {}
        channel* owner;
    };

    [[nodiscard]] T* slot(std::size_t index) noexcept {
        return std::launder(reinterpret_cast<T*>(slots_) + index);
    }
    void put(T& value) noexcept {
        std::size_t last = first_ + count_;
        if (last >= N) {
            last -= N;
        }
        std::construct_at(slot(last), std::move(value));
        ++count_;
        call_receiver();
    }
    void take(std::optional<T>& into) noexcept {
        into.emplace(std::move(*slot(first_)));
        drop_first();
        call_sender();
    }
    void drop_first() noexcept {
        std::destroy_at(slot(first_));
        first_ = first_ + 1 == N ? 0 : first_ + 1;
        --count_;
    }
    void call_sender() noexcept {
        if (!senders_.empty() && !senders_.called() && (count_ != N || closed_)) [[unlikely]] {
            senders_.call_first();
        }
    }
    void call_receiver() noexcept {
        if (!receivers_.empty() && !receivers_.called() && (count_ != 0 || closed_)) [[unlikely]] {
            receivers_.call_first();
        }
    }

    alignas(T) std::byte slots_[sizeof(T) * N];
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    bool closed_ = false;
    sending_line senders_{*this};
    receiving_line receivers_{*this};
};

} // namespace weft
