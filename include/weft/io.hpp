// The awaiters of sockets: try, or wait until ready and try again.
//
// They are never coroutines, and small: a pointer, a span and a result. The node that waits lives
// in the socket.
#pragma once

#include <weft/scope.hpp>
#include <weft/socket.hpp>

#include <coroutine>
#include <cstddef>
#include <span>

namespace weft {

enum class direction : bool { in, out };

/// One operation on one direction of a socket. Derived has `io_count attempt()`.
///
/// States: new -> (attempt completes) done
///             -> waiting in its side of the socket -> ready queue -> attempt -> done | waiting
/// Cancelling and closing end the wait through the same queue.
template <class Derived, direction D>
class io_wait {
  public:
    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        if (core_ == nullptr) [[unlikely]] {
            count_ = io_error(errc::bad_handle);
            return false;
        }
        scope& chain = caller.promise().current_scope();
        wait_side& waiting = side();
        if (waiting.operation != nullptr) [[unlikely]] {
            count_ = io_error(errc::already);
            return false;
        }
        if (chain.spend()) [[likely]] {
            count_ = derived().attempt();
            if (!weft::would_block(count_)) {
                return false;
            }
        } else if (chain.canceled()) {
            chain.note_interrupted();
            count_ = io_error(errc::canceled);
            return false;
        } else {
            core_->home().make_ready(waiting);
        }
        scope_ = &chain;
        waiting.operation = this;
        waiting.coroutine = caller;
        waiting.run = &run_again;
        chain.begin_wait(waiting);
        return true;
    }

  protected:
    explicit io_wait(socket_core* core) noexcept : core_(core) {}
    io_wait(const io_wait&) noexcept = default;
    io_wait& operator=(const io_wait&) = delete;
    /// Destroyed with its coroutine while it waits: nothing was in flight, nothing is lost.
    ~io_wait() {
        if (scope_ != nullptr) {
            leave();
        }
    }

    [[nodiscard]] socket_core* core() const noexcept { return core_; }
    [[nodiscard]] io_count count() const noexcept { return count_; }
    [[nodiscard]] errc error() const noexcept { return count_ < 0 ? error_of(count_) : errc::ok; }

  private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    [[nodiscard]] wait_side& side() const noexcept {
        return D == direction::in ? core_->reader() : core_->writer();
    }

    void leave() noexcept {
        wait_side& waiting = side();
        waiting.operation = nullptr;
        waiting.unlink();
        scope_->end_wait();
        scope_ = nullptr;
    }

    static void run_again(waiter& node) noexcept {
        auto& waiting = static_cast<wait_side&>(node);
        auto& self = *static_cast<io_wait*>(waiting.operation);
        if (self.scope_->canceled()) [[unlikely]] {
            self.scope_->note_interrupted();
            self.count_ = io_error(errc::canceled);
        } else {
            self.count_ = self.derived().attempt();
            if (weft::would_block(self.count_)) {
                return; // the readiness was a false alarm; it stays in its side
            }
        }
        const std::coroutine_handle<> caller = waiting.coroutine;
        waiting.operation = nullptr;
        self.scope_->end_wait();
        self.scope_ = nullptr;
        caller.resume();
    }

    socket_core* core_;
    scope* scope_ = nullptr; // null unless waiting
    io_count count_ = 0;
};

class [[nodiscard]] recv_some : public io_wait<recv_some, direction::in> {
  public:
    recv_some(tcp_socket* s, std::span<std::byte> into) noexcept : io_wait(s), into_(into) {}
    result<std::size_t> await_resume() const noexcept { return to_result(count()); }

  private:
    friend class io_wait<recv_some, direction::in>;
    io_count attempt() noexcept { return static_cast<tcp_socket*>(core())->try_recv(into_); }
    std::span<std::byte> into_;
};

class [[nodiscard]] send_some : public io_wait<send_some, direction::out> {
  public:
    send_some(tcp_socket* s, std::span<const std::byte> from) noexcept : io_wait(s), from_(from) {}
    result<std::size_t> await_resume() const noexcept { return to_result(count()); }

  private:
    friend class io_wait<send_some, direction::out>;
    io_count attempt() noexcept { return static_cast<tcp_socket*>(core())->try_send(from_); }
    std::span<const std::byte> from_;
};

class [[nodiscard]] send_whole : public io_wait<send_whole, direction::out> {
  public:
    send_whole(tcp_socket* s, std::span<const std::byte> from) noexcept : io_wait(s), from_(from) {}
    transfer await_resume() const noexcept { return {sent_, error()}; }

  private:
    friend class io_wait<send_whole, direction::out>;
    io_count attempt() noexcept {
        while (sent_ != from_.size()) {
            const io_count n = static_cast<tcp_socket*>(core())->try_send(from_.subspan(sent_));
            if (n < 0) {
                return n;
            }
            sent_ += static_cast<std::size_t>(n);
        }
        return 0;
    }
    std::span<const std::byte> from_;
    std::size_t sent_ = 0;
};

class [[nodiscard]] recv_whole : public io_wait<recv_whole, direction::in> {
  public:
    recv_whole(tcp_socket* s, std::span<std::byte> into) noexcept : io_wait(s), into_(into) {}
    transfer await_resume() const noexcept { return {received_, error()}; }

  private:
    friend class io_wait<recv_whole, direction::in>;
    io_count attempt() noexcept {
        while (received_ != into_.size()) {
            const io_count n = static_cast<tcp_socket*>(core())->try_recv(into_.subspan(received_));
            if (n <= 0) {
                return n == 0 ? io_error(errc::end_of_stream) : n;
            }
            received_ += static_cast<std::size_t>(n);
        }
        return 0;
    }
    std::span<std::byte> into_;
    std::size_t received_ = 0;
};

/// Completes when one of the bits is up; takes nothing.
template <direction D>
class [[nodiscard]] wait_ready : public io_wait<wait_ready<D>, D> {
  public:
    explicit wait_ready(socket_core* s) noexcept : io_wait<wait_ready, D>(s) {}
    result<> await_resume() const noexcept {
        if (this->error() != errc::ok) {
            return fail(this->error());
        }
        return {};
    }

  private:
    friend class io_wait<wait_ready, D>;
    io_count attempt() noexcept {
        constexpr readiness wanted =
            readiness::error | readiness::hangup |
            (D == direction::in ? readiness::readable : readiness::writable);
        if (this->core()->closed()) {
            return io_error(errc::bad_handle);
        }
        return weft::any(this->core()->confirmed() & wanted) ? 0 : io_error(errc::would_block);
    }
};
using wait_readable = wait_ready<direction::in>;
using wait_writable = wait_ready<direction::out>;

} // namespace weft
