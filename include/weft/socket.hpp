// The narrow waist: what a stack must provide. A socket offers try_* calls, and readiness.
//
// Everything else (awaiting, timeouts, polling, the synchronous façade) is written once on top.
// People who use weft take tcp_stream, tcp_listener and udp_socket; a stack implements this.
#pragma once

#include <weft/address.hpp>
#include <weft/list.hpp>
#include <weft/loop.hpp>
#include <weft/one_stack.hpp>
#include <weft/readiness.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft {

class socket_core;

/// Told whenever readiness grows: pollers, ready callbacks, TLS. Beside the reader and the writer,
/// and any number of them.
class readiness_observer {
  public:
    explicit readiness_observer(void (*tell)(readiness_observer&, readiness)) noexcept
        : changed_(tell) {}
    readiness_observer(const readiness_observer&) = delete;
    readiness_observer& operator=(const readiness_observer&) = delete;
    ~readiness_observer() { unlink(); }

    /// It is told nothing more. So it is when the socket has gone.
    void unlink() noexcept {
        if (link_ != nullptr) {
            *link_ = next_;
            if (next_ != nullptr) {
                next_->link_ = link_;
            }
            link_ = nullptr;
        }
    }

  private:
    friend class socket_core;
    /// Called from inside a stack: it may queue work and must not call the socket.
    void (*changed_)(readiness_observer&, readiness gained);
    readiness_observer* next_ = nullptr;
    readiness_observer** link_ = nullptr; // what points at it; null: observes nothing
};

/// A place for the one coroutine that waits for one direction of a socket.
struct wait_side : waiter {
    void* operation = nullptr; // the awaiter; null: nobody waits
};

/// What try_* returns: a count, or a negative errc.
using io_count = std::ptrdiff_t;

[[nodiscard]] constexpr io_count io_error(errc error) noexcept {
    return -static_cast<io_count>(error);
}
[[nodiscard]] constexpr bool would_block(io_count n) noexcept {
    return n == io_error(errc::would_block);
}
[[nodiscard]] constexpr errc error_of(io_count n) noexcept {
    return static_cast<errc>(-n);
}
[[nodiscard]] WEFT_SMALL inline result<std::size_t> to_result(io_count n) noexcept {
    if (n < 0) [[unlikely]] {
        return fail(error_of(n));
    }
    return static_cast<std::size_t>(n);
}

/// What set_option() and get_option() know; the values are ints, flags 0 or 1.
enum class socket_option : std::uint8_t {
    reuse_address,  // SO_REUSEADDR
    keep_alive,     // SO_KEEPALIVE; TCP
    no_delay,       // TCP_NODELAY; TCP
    broadcast,      // SO_BROADCAST; UDP
    send_buffer,    // SO_SNDBUF, bytes; the host
    receive_buffer, // SO_RCVBUF, bytes; the host
};

/// Readiness and the waiters of any socket. Owned by its stack; the handle that a program holds
/// calls release(), and the memory goes back at the end of a turn, after the waiters have run.
class socket_core : public retired {
  public:
    socket_core(const socket_core&) = delete;
    socket_core& operator=(const socket_core&) = delete;

    [[nodiscard]] loop& home() const noexcept { return *loop_; }
    [[nodiscard]] readiness ready() const noexcept { return ready_; }
    [[nodiscard]] bool closed() const noexcept { return closed_; }

    [[nodiscard]] wait_side& reader() noexcept { return reader_; }
    [[nodiscard]] wait_side& writer() noexcept { return writer_; }
#if WEFT_ONE_STACK
    /// Whoever waits there, if anybody does, is made runnable.
    static void wake(wait_side& side) noexcept;
#endif

    /// `o` observes nothing else.
    void observe(readiness_observer& o) noexcept {
        o.next_ = observers_;
        o.link_ = &observers_;
        if (o.next_ != nullptr) {
            o.next_->link_ = &o.next_;
        }
        observers_ = &o;
    }

    /// Readiness that a poller may report: what holds now, by asking the stack itself where ready()
    /// may be a false alarm or behind (the host's). ready() has it afterwards; nobody is woken.
    [[nodiscard]] WEFT_WAIST readiness confirmed() noexcept WEFT_PURE;

    /// For callers that do not wait for events but ask: the next try goes to the stack, whatever is
    /// known. It tells whether it would block.
    void presume(readiness bits) noexcept { ready_ |= bits; }

    /// The error that came by itself and that no call has told yet; told once. errc::ok: none.
    WEFT_WAIST errc take_error() noexcept WEFT_PURE;

    /// errc::not_supported: not on this stack or for this kind of socket; errc::invalid_argument.
    WEFT_WAIST result<> set_option(socket_option option, int value) noexcept WEFT_PURE;
    WEFT_WAIST result<int> get_option(socket_option option) const noexcept WEFT_PURE;
    result<> set_reuse_address(bool on) noexcept {
        return set_option(socket_option::reuse_address, on ? 1 : 0);
    }
    /// Traffic through one interface of the host only. errc::no_such_device,
    /// errc::permission_denied, errc::not_supported (lwIP: a stack is one interface).
    WEFT_WAIST result<> bind_device(std::string_view) noexcept { return fail(errc::not_supported); }

    WEFT_WAIST result<endpoint> local() const noexcept WEFT_PURE;
    WEFT_WAIST result<endpoint> remote() const noexcept WEFT_PURE;

    /// Ends it as close() does for its kind; waiters end with errc::bad_handle, and so does every
    /// later call. Idempotent.
    WEFT_SMALL void close() noexcept {
        if (!closed_) {
            do_close();
            closed_ = true;
            raise(readiness::readable | readiness::writable);
        }
    }

    /// close(), and gives the object up: the caller forgets it.
    WEFT_SMALL void release() noexcept {
        close();
        loop_->retire(*this);
    }

    bool reclaim() noexcept override {
        if (reader_.operation != nullptr || writer_.operation != nullptr) {
            return false;
        }
        dispose();
        return true;
    }

  protected:
    enum class kind : bool { stream, datagrams };
#if WEFT_ONE_STACK
    explicit socket_core(kind is) noexcept : kind_(is) {}
    static void home_is(loop& home) noexcept { loop_ = &home; }
#else
    socket_core(loop& home, kind) noexcept : loop_(&home) {}
#endif
    ~socket_core() {
        while (observers_ != nullptr) {
            observers_->unlink();
        }
    }

#if WEFT_ONE_STACK
    family family_ = family::ipv4; // the stack's: a byte is free here
#endif

    /// Frees the object's memory; what it stands for (a pcb with data to deliver) may live on.
    virtual void dispose() noexcept = 0;
    virtual void do_close() noexcept = 0;

    /// Bits were gained: whoever waits for them is made runnable.
#if WEFT_ONE_STACK // once, and the reader looks itself whether it is for him
    void raise(readiness gained) noexcept;
#else
    void raise(readiness gained) noexcept {
        ready_ |= gained;
        if (any(gained & (readiness::readable | readiness::error | readiness::hangup)) &&
            reader_.operation != nullptr) {
            loop_->make_ready(reader_);
        }
        if (any(gained & (readiness::writable | readiness::error | readiness::hangup)) &&
            writer_.operation != nullptr) {
            loop_->make_ready(writer_);
        }
        if (observers_ != nullptr) [[unlikely]] {
            tell_observers(gained);
        }
    }
#endif
    void raise_apart(readiness gained) noexcept; // raise(), where it is not to be inlined
    void lower(readiness lost) noexcept { ready_ &= ~lost; }

    /// The same where the loop itself calls (a driver's watch), outside every coroutine: the one
    /// that waits to read, which is nearly always all there is to do, runs now and not after a way
    /// through the ready queue.
    void raise_and_run(readiness gained) {
        ready_ |= gained;
        if (writer_.operation != nullptr || observers_ != nullptr || reader_.linked())
            [[unlikely]] {
            raise_apart(gained);
        } else if (reader_.operation != nullptr) { // it looks itself at what is ready
            reader_.run(reader_);                  // this may be closed then, not yet freed
        }
    }

  private:
    void tell_observers(readiness gained) noexcept; // apart: raise() is on every path

    readiness ready_ = readiness::none;
    bool closed_ = false;
#if WEFT_ONE_STACK
    [[nodiscard]] bool is_stream() const noexcept { return kind_ == kind::stream; }
    kind kind_; // whose calls these are, where no vtable says it
#endif
    wait_side reader_;
    wait_side writer_;
    readiness_observer* observers_ = nullptr;
#if WEFT_ONE_STACK
    static inline loop* loop_ = nullptr; // of the one stack, and so of all sockets
#else
    loop* loop_;
#endif
};

/// A TCP socket in any of its states, as BSD has it: new, bound, listening, connecting, connected.
///
/// All calls return at once. Unless said otherwise they fail with errc::bad_handle once closed.
class tcp_socket : public socket_core {
  public:
#if WEFT_ONE_STACK
    // Those of any socket, for callers that know which it is: so they do not link both kinds.
    [[nodiscard]] readiness confirmed() noexcept;
    errc take_error() noexcept;
    result<> set_option(socket_option option, int value) noexcept;
    result<int> get_option(socket_option option) const noexcept;
    result<> set_reuse_address(bool on) noexcept;
    result<endpoint> local() const noexcept;
    result<endpoint> remote() const noexcept;
#endif

    /// errc::address_in_use, errc::address_not_available, errc::permission_denied,
    /// errc::invalid_argument if bound already.
    WEFT_WAIST result<> bind(const endpoint& at) noexcept WEFT_PURE;

    /// Queues up to `backlog` connections. Unbound: an ephemeral port. Again: changes the backlog.
    WEFT_WAIST result<> listen(std::size_t backlog) noexcept WEFT_PURE;

#if !WEFT_ONE_STACK
    /// SO_REUSEADDR, bind() and listen() of a new socket.
    errc listen_at(const endpoint& at, std::size_t backlog) noexcept {
        result<> done = set_reuse_address(true);
        if (done) {
            done = bind(at);
        }
        if (done) {
            done = listen(backlog);
        }
        return done ? errc::ok : done.error();
    }
#endif

    /// The next connection; the caller owns it. errc::would_block; errc::invalid_argument unless
    /// listening; errc::too_many_open and errc::no_memory leave the connection queued.
    WEFT_WAIST result<tcp_socket*> try_accept() noexcept WEFT_PURE;
#if WEFT_ONE_STACK // an errc comes back in a register
    errc take_pending(tcp_socket*& taken) noexcept;
#endif

    /// Begins connecting: errc::in_progress, or done at once, or why not. Then `writable` tells,
    /// and connect_result() what: errc::would_block, success, errc::connection_refused, timed_out,
    /// network_unreachable, host_unreachable, connection_reset.
    WEFT_WAIST result<> start_connect(const endpoint& to) noexcept WEFT_PURE;
    WEFT_WAIST result<> connect_result() noexcept WEFT_PURE;

    /// Up to into.size() received bytes; 0: the peer finished, for good (or into is empty).
    /// would_block; not_connected; connection_reset once, after the data that came before it.
    io_count try_recv(std::span<std::byte> into) noexcept {
        if (!any(ready() & readiness::readable) && !into.empty()) {
            return io_error(errc::would_block);
        }
        return receive_some(into.data(), into.size());
    }

    /// Takes 1..from.size() bytes for delivery; they are copied. would_block; not_connected;
    /// broken_pipe; connection_reset.
    io_count try_send(std::span<const std::byte> from) noexcept {
#if !WEFT_ONE_STACK
        if (!any(ready() & readiness::writable)) {
            return io_error(errc::would_block);
        }
#endif
        return send_some(from.data(), from.size());
    }

    /// The same for callers that do not wait for events: the stack is asked, whatever is known.
    io_count ask_recv(std::span<std::byte> into) noexcept {
        presume(readiness::readable);
        return receive_some(into.data(), into.size());
    }
    io_count ask_send(std::span<const std::byte> from) noexcept {
        presume(readiness::writable);
        return send_some(from.data(), from.size());
    }

    /// The first received bytes in place, at least one unless the stream ended; valid until
    /// consume() or any other call on this socket. The errors of try_recv. A stack that has no
    /// bytes of its own to show (the host's) says errc::not_supported.
    WEFT_WAIST result<std::span<const std::byte>> peek() noexcept WEFT_PURE;
    /// Takes `n` bytes off the front of what peek() showed.
    WEFT_WAIST void consume(std::size_t n) noexcept WEFT_PURE;

    /// FIN after everything sent; receiving goes on. errc::not_connected.
    WEFT_WAIST result<> shutdown_send() noexcept WEFT_PURE;

    /// RST at once: what was sent and not delivered is dropped. close() afterwards does nothing
    /// more.
    WEFT_WAIST void abort() noexcept WEFT_PURE;

    /// How many bytes try_send would take now, at least; 0 if that cannot be said.
    [[nodiscard]] WEFT_WAIST std::size_t send_space() noexcept WEFT_PURE;

    result<> set_no_delay(bool on) noexcept {
        return set_option(socket_option::no_delay, on ? 1 : 0);
    }
    result<> set_keep_alive(bool on) noexcept {
        return set_option(socket_option::keep_alive, on ? 1 : 0);
    }

  protected:
#if WEFT_ONE_STACK
    tcp_socket() noexcept : socket_core(kind::stream) {}
#else
    explicit tcp_socket(loop& home) noexcept : socket_core(home, kind::stream) {}
#endif
    ~tcp_socket() = default;
    WEFT_WAIST io_count receive_some(std::byte* into, std::size_t size) noexcept WEFT_PURE;
    WEFT_WAIST io_count send_some(const std::byte* from, std::size_t size) noexcept WEFT_PURE;
};

/// A received datagram: `size` bytes are in the caller's buffer; `truncated` if it was longer.
struct datagram {
    std::size_t size = 0;
    endpoint from;
    bool truncated = false;
};

/// A UDP socket. Boundaries are kept; an empty datagram is real.
class datagram_socket : public socket_core {
  public:
#if WEFT_ONE_STACK
    [[nodiscard]] readiness confirmed() noexcept;
    errc take_error() noexcept;
    result<> set_option(socket_option option, int value) noexcept;
    result<int> get_option(socket_option option) const noexcept;
    result<endpoint> local() const noexcept;
    result<endpoint> remote() const noexcept;
#endif

    WEFT_WAIST result<> bind(const endpoint& at) noexcept WEFT_PURE;
    /// Fixes the peer: try_send needs no address, others' datagrams are not received.
    WEFT_WAIST result<> connect(const endpoint& to) noexcept WEFT_PURE;

    /// would_block; connection_refused once, if an earlier datagram met a closed port (connected).
    result<datagram> try_recv_from(std::span<std::byte> into) noexcept {
        if (!any(ready() & readiness::readable)) {
            return fail(errc::would_block);
        }
        return receive_one(into);
    }

    /// The whole datagram or none of it. would_block; message_too_long; destination_required
    /// without a peer (`to` null); network_unreachable, host_unreachable.
    io_count try_send_to(std::span<const std::byte> from, const endpoint* to) noexcept {
        if (!any(ready() & readiness::writable)) {
            return io_error(errc::would_block);
        }
        return send_one(from, to);
    }

    /// Datagrams that came and were dropped because the queue was full (0 where the stack cannot
    /// tell).
    [[nodiscard]] WEFT_WAIST std::uint64_t dropped() const noexcept WEFT_PURE;
    /// How many datagrams may wait; the host maps it to a buffer size.
    WEFT_WAIST result<> set_queue_limit(std::size_t datagrams) noexcept WEFT_PURE;
    result<> set_broadcast(bool on) noexcept {
        return set_option(socket_option::broadcast, on ? 1 : 0);
    }
    /// Datagrams to `group` are received, or no longer. `own` is the address of the interface that
    /// they come through; any: the stack chooses. errc::invalid_argument: no group's address;
    /// errc::address_not_available: not a member, or no such interface; errc::address_in_use: one
    /// already; errc::not_supported: a build without multicast.
    WEFT_WAIST result<> join_group(const address& group, const address& own) noexcept WEFT_PURE;
    WEFT_WAIST result<> leave_group(const address& group, const address& own) noexcept WEFT_PURE;

  protected:
#if WEFT_ONE_STACK
    datagram_socket() noexcept : socket_core(kind::datagrams) {}
#else
    explicit datagram_socket(loop& home) noexcept : socket_core(home, kind::datagrams) {}
#endif
    ~datagram_socket() = default;
    WEFT_WAIST result<datagram> receive_one(std::span<std::byte> into) noexcept WEFT_PURE;
    WEFT_WAIST io_count
    send_one(std::span<const std::byte> from, const endpoint* to) noexcept WEFT_PURE;
};

} // namespace weft
