// The awaiters of sockets: try, or wait until ready and try again.
//
// They are never coroutines, and small: a pointer, a span and a result. The node that waits lives
// in the socket.
#pragma once

#include <weft/scope.hpp>
#include <weft/socket.hpp>
#include <weft/task.hpp>

#include <coroutine>
#include <cstddef>
#include <span>
#include <type_traits>

namespace weft {

enum class direction : bool { in, out };

#if WEFT_ONE_STACK

/// What every operation on a socket shares, where an image's size counts most: one copy of all of
/// it (src/net/io.cpp), and of an operation only what it tries. The coroutine that awaits it is one
/// of weft's: its scope is found by its frame.
class io_operation {
  public:
    static bool await_ready() noexcept { return false; }

  protected:
    using attempt_of = io_count (*)(io_operation&) noexcept;

    explicit io_operation(socket_core* core) noexcept : core_(core) {}
    /// Before it is awaited.
    io_operation(const io_operation& other) noexcept : core_(other.core_) {}
    io_operation& operator=(const io_operation&) = delete;
    // Inline, for where finish() has shown that there is nothing to do.
    [[gnu::always_inline]] ~io_operation() {
        if (waits_ != nullptr) {
            leave();
        }
    }

    bool begin(void* caller, attempt_of attempt, direction side) noexcept;

    [[nodiscard]] socket_core* core() const noexcept { return core_; }
    [[nodiscard]] io_count finish() noexcept {
        waits_ = nullptr;
        return count_;
    }
    [[nodiscard]] errc finish_error() noexcept {
        const io_count n = finish();
        return n < 0 ? error_of(n) : errc::ok;
    }

  private:
    static scope& scope_of(void* frame) noexcept;
    static void again(waiter& node);
    void leave() noexcept;

    socket_core* core_;
    attempt_of waits_ = nullptr; // what is tried again; null unless waiting
    union {
        void* frame_;    // while it waits: the coroutine's
        io_count count_; // then
    };
};

/// One operation on one direction of a socket. Derived has `io_count attempt()`. What hosts do, in
/// the other branch, and the same states.
template <class Derived, direction D>
class io_wait : public io_operation {
  public:
    template <class P>
        requires std::is_base_of_v<promise_base, P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        return begin(caller.address(), &attempt_it, D);
    }

  protected:
    using io_operation::io_operation;

  private:
    static io_count attempt_it(io_operation& self) noexcept {
        return static_cast<Derived&>(self).attempt();
    }
};

#else

/// One operation on one direction of a socket. Derived has `io_count attempt()`.
///
/// States: new -> (attempt completes) done
///             -> waiting in its side of the socket -> run_again -> attempt -> done | waiting
/// A driver's event runs the side at once; stacks' callbacks, cancelling and closing put it into
/// the ready queue.
template <class Derived, direction D>
class io_wait {
  public:
    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        if (core_ != nullptr && side().operation == nullptr &&
            caller.promise().current_scope().spend()) [[likely]] {
            const io_count n = derived().attempt();
            if (!weft::would_block(n)) {
                count_ = n;
                return false;
            }
        } else if (!may_wait(caller.promise().current_scope())) {
            return false;
        }
        if constexpr (D == direction::in) {
            suspend(caller, caller.promise().current_scope());
        } else {
            suspend_apart(caller, caller.promise().current_scope());
        }
        return true;
    }

  protected:
    explicit io_wait(socket_core* core) noexcept : core_(core) {}
    /// Before it is awaited.
    io_wait(const io_wait& other) noexcept : core_(other.core_) {}
    io_wait& operator=(const io_wait&) = delete;
    /// Destroyed with its coroutine while it waits: nothing was in flight, nothing is lost.
    ~io_wait() {
        if (scope_ != nullptr) {
            leave();
        }
    }

    [[nodiscard]] socket_core* core() const noexcept { return core_; }

    /// What await_resume() asks, once: the wait, if there was one, is over. Said here and not in
    /// run_again(), so that the compiler sees that the destructor has nothing to do.
    [[nodiscard]] io_count finish() noexcept {
        scope_ = nullptr;
        return count_;
    }
    /// The same for operations whose count says only whether they failed.
    [[nodiscard]] errc finish_error() noexcept {
        const io_count n = finish();
        return n < 0 ? error_of(n) : errc::ok;
    }

  private:
    Derived& derived() noexcept { return static_cast<Derived&>(*this); }
    [[nodiscard]] wait_side& side() const noexcept {
        return D == direction::in ? core_->reader() : core_->writer();
    }

    void suspend(std::coroutine_handle<> caller, scope& chain) noexcept {
        wait_side& waiting = side();
        waiting.operation = this;
        scope_ = &chain;
        waiting.run = &run_again;
        frame_ = caller.address();
        chain.begin_wait(waiting);
    }
    /// A send waits seldom.
    [[gnu::noinline]] void suspend_apart(std::coroutine_handle<> caller, scope& chain) noexcept {
        suspend(caller, chain);
    }

    /// When it could not be tried at once. False if it has ended with an error instead.
    [[gnu::noinline]] bool may_wait(scope& chain) noexcept {
        if (core_ == nullptr) {
            count_ = io_error(errc::bad_handle);
        } else if (side().operation != nullptr) {
            count_ = io_error(errc::already);
        } else if (chain.canceled()) {
            chain.note_interrupted();
            count_ = io_error(errc::canceled);
        } else { // others' turn: through the ready queue
            core_->home().make_ready(side());
            return true;
        }
        return false;
    }

    void leave() noexcept {
        side().operation = nullptr;
        side().unlink();
        scope_->end_wait();
    }

    // Not noexcept, though nothing leaves a coroutine: then the last call may be a jump.
    static void run_again(waiter& node) {
        auto& self = *static_cast<io_wait*>(static_cast<wait_side&>(node).operation);
        if (self.scope_->canceled()) [[unlikely]] {
            self.scope_->note_interrupted();
            self.resume(io_error(errc::canceled));
        } else {
            const io_count n = self.derived().attempt();
            if (!weft::would_block(n)) { // else the readiness was a false alarm: it stays
                self.resume(n);
            }
        }
    }

    void resume(io_count n) {
        const auto caller = std::coroutine_handle<>::from_address(frame_);
        count_ = n;
        side().operation = nullptr;
        scope_->end_wait();
        caller.resume();
    }

    socket_core* core_;
    scope* scope_ = nullptr; // null unless waiting
    union {
        void* frame_;    // while it waits: the coroutine's
        io_count count_; // then
    };
};

#endif

class [[nodiscard]] recv_some : public io_wait<recv_some, direction::in> {
  public:
    recv_some(tcp_socket* s, std::span<std::byte> into) noexcept : io_wait(s), into_(into) {}
    result<std::size_t> await_resume() noexcept { return to_result(finish()); }

  private:
    friend class io_wait<recv_some, direction::in>;
    io_count attempt() noexcept { return static_cast<tcp_socket*>(core())->try_recv(into_); }
    std::span<std::byte> into_;
};

class [[nodiscard]] send_some : public io_wait<send_some, direction::out> {
  public:
    send_some(tcp_socket* s, std::span<const std::byte> from) noexcept : io_wait(s), from_(from) {}
    result<std::size_t> await_resume() noexcept { return to_result(finish()); }

  private:
    friend class io_wait<send_some, direction::out>;
    io_count attempt() noexcept { return static_cast<tcp_socket*>(core())->try_send(from_); }
    std::span<const std::byte> from_;
};

class [[nodiscard]] send_whole : public io_wait<send_whole, direction::out> {
  public:
    send_whole(tcp_socket* s, std::span<const std::byte> from) noexcept : io_wait(s), from_(from) {}
    transfer await_resume() noexcept { return {sent_, finish_error()}; }

  private:
    friend class io_wait<send_whole, direction::out>;
#if WEFT_ONE_STACK
    io_count attempt() noexcept {
        do {
            const io_count n = static_cast<tcp_socket*>(core())->try_send(from_.subspan(sent_));
            if (n < 0) {
                return n;
            }
            sent_ += static_cast<std::size_t>(n);
        } while (sent_ != from_.size());
        return 0;
    }
#else
    io_count attempt() noexcept {
        const std::size_t all = from_.size();
        const std::span<const std::byte> rest = from_.subspan(sent_);
        const io_count n = static_cast<tcp_socket*>(core())->try_send(rest);
        if (n == static_cast<io_count>(rest.size())) [[likely]] {
            sent_ = all;
            return 0;
        }
        return attempt_rest(n);
    }
    /// `n`: what the first try took of it, not all.
    [[gnu::noinline]] io_count attempt_rest(io_count n) noexcept {
        while (n >= 0) {
            sent_ += static_cast<std::size_t>(n);
            if (sent_ == from_.size()) {
                return 0;
            }
            n = static_cast<tcp_socket*>(core())->try_send(from_.subspan(sent_));
        }
        return from_.empty() && weft::would_block(n) ? 0 : n;
    }
#endif
    std::span<const std::byte> from_;
    std::size_t sent_ = 0;
};

class [[nodiscard]] recv_whole : public io_wait<recv_whole, direction::in> {
  public:
    recv_whole(tcp_socket* s, std::span<std::byte> into) noexcept : io_wait(s), into_(into) {}
    transfer await_resume() noexcept { return {received_, finish_error()}; }

  private:
    friend class io_wait<recv_whole, direction::in>;
    io_count attempt() noexcept {
        const std::size_t all = into_.size();
        const std::span<std::byte> rest = into_.subspan(received_);
        const io_count n = static_cast<tcp_socket*>(core())->try_recv(rest);
        if (n == static_cast<io_count>(rest.size())) [[likely]] {
            received_ = all;
            return 0;
        }
        return attempt_rest(n);
    }
    /// `n`: what the first try brought, not all.
    [[gnu::noinline]] io_count attempt_rest(io_count n) noexcept {
        while (n > 0) {
            received_ += static_cast<std::size_t>(n);
            if (received_ == into_.size()) {
                return 0;
            }
            n = static_cast<tcp_socket*>(core())->try_recv(into_.subspan(received_));
        }
        return n == 0 ? io_error(errc::end_of_stream) : n;
    }
    std::span<std::byte> into_;
    std::size_t received_ = 0;
};

/// Completes when one of the bits is up; takes nothing.
template <direction D>
class [[nodiscard]] wait_ready : public io_wait<wait_ready<D>, D> {
  public:
    explicit wait_ready(socket_core* s) noexcept : io_wait<wait_ready, D>(s) {}
    result<> await_resume() noexcept {
        if (const errc error = this->finish_error(); error != errc::ok) {
            return fail(error);
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
