// object: one socket of the façade. Blocking, timeout and non-blocking calls, written once over the
// narrow waist: try, and where that would block pump the loop until ready or until the deadline.
//
// usocket::socket and the C functions are handles to these; all calls return a count or a negative
// errc, and throw nothing.
#pragma once

#include "usocket/core/byte_queue.hpp"
#include "usocket/core/handles.hpp"
#include "usocket/core/ready_call.hpp"
#include "usocket/core/secure.hpp"
#include "usocket/core/thread.hpp"

#include <weft/list.hpp>
#include <weft/socket.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace usocket {

using weft::endpoint;
using weft::errc;
using weft::io_count;
using weft::result;

/// How long one call may still wait.
class patience {
  public:
    explicit patience(weft::duration limit) noexcept : limit_(limit) {}

  private:
    friend class object;
    weft::duration limit_; // zero: not at all; max: for ever
    weft::time_point deadline_ = weft::never;
    bool begun_ = false;
};

class object final : public of_thread, private weft::readiness_observer {
  public:
    static constexpr weft::duration forever = weft::duration::max();
    static constexpr int default_backlog = -1;

    /// errc::family_not_supported, invalid_argument (the type, or a protocol that is another
    /// type's), protocol_not_supported, too_many_open, no_memory.
    static result<object*> open(thread& owner, int af, int type, int proto) noexcept;

    object(const object&) = delete;
    object& operator=(const object&) = delete;

    /// 0: closed.
    [[nodiscard]] handle number() const noexcept {
        return place_ != nullptr ? place_->taken_by.load(std::memory_order_relaxed) : 0;
    }
    [[nodiscard]] const weft::loop* home() const noexcept { return loop_; }
    [[nodiscard]] weft::family family() const noexcept { return family_; }
    [[nodiscard]] bool is_stream() const noexcept { return kind_ == kind::stream; }

    /// Frees the object; a call that waits in it ends with bad_handle. Allocates nothing.
    void close() noexcept;

    errc bind(const endpoint& at) noexcept;
    /// A negative backlog is 0.
    errc listen(int backlog) noexcept;
    errc listen() noexcept;
    result<object*> accept(endpoint& from) noexcept;
    errc connect(const endpoint& to) noexcept;
    errc shutdown(int how) noexcept;

    /// What is sent and received is TLS's from here on: now if this is connected, else when it is;
    /// of a listener, its connections'. `shake`: waits for the handshake, where this may wait; a
    /// timeout ends the waiting alone. errc::already_connected: it is TLS's already, by another
    /// context; invalid_argument: received bytes are held here; and how the handshake ended.
    errc wrap(std::unique_ptr<secure> how, bool shake) noexcept;
    /// Until the handshake is over. errc::would_block, timed_out: not yet; not_connected.
    errc do_handshake() noexcept;
    /// Whom to ask about the TLS of this, with tls(); null: it is not TLS's, or not yet.
    [[nodiscard]] const secure* secured() const noexcept {
        const bool over = state_ == state::connected || state_ == state::half_deaf;
        return secured_ && over ? secure_.get() : nullptr;
    }
    [[nodiscard]] weft::tcp_socket& tls() const noexcept { return tcp(); }

    result<endpoint> local() noexcept;
    result<endpoint> remote() noexcept;

    /// A count, or the negative errc. `flags`: MSG_DONTWAIT. Where handle_place::direct is set,
    /// sending and receiving without flags may go straight to that socket.
    io_count send(std::span<const std::byte> from, int flags = 0) noexcept;
    /// `done` is exact whatever happens.
    errc send_all(std::span<const std::byte> from, std::size_t& done) noexcept;
    io_count send_to(std::span<const std::byte> from, const endpoint* to, int flags) noexcept;

    /// `flags`: MSG_PEEK, MSG_DONTWAIT.
    io_count recv(std::span<std::byte> into, int flags = 0) noexcept;
    io_count recv_from(std::span<std::byte> into, int flags, endpoint& from) noexcept;

    // The stream interface: no short reads or writes unless non-blocking; errc::would_block is
    // MicroPython's None. After an error what was read is first in line for the next call.
    io_count read(std::span<std::byte> into) noexcept;
    io_count read_line(std::span<std::byte> into) noexcept;
    errc write(std::span<const std::byte> from, std::size_t& done) noexcept;

    // The same in two steps, for results whose size is known only then: waits until so much is
    // held, then take() moves it out. 0 is the end of the stream.
    io_count hold(std::size_t n) noexcept;
    io_count hold_line() noexcept;
    std::size_t take(std::span<std::byte> into) noexcept {
        const std::size_t n = held_.take(into);
        choose_way();
        return n;
    }

    /// `limit` rounded up to whole milliseconds by the caller.
    errc set_timeout(weft::duration limit) noexcept;
    [[nodiscard]] weft::duration timeout() const noexcept { return limit_; }

    errc set_option(int level, int option, int value) noexcept;
    errc set_option(int level, int option, std::span<const std::byte> value) noexcept;
    result<int> get_option(int level, int option) noexcept;

    /// MicroPython's poll bits of what holds now among `mask`; ERR and HUP whatever is asked.
    unsigned poll(unsigned mask) noexcept;
    /// The same right behind a turn whose driver tells all that holds (epoll): what was told in it
    /// is not confirmed once more.
    unsigned poll_after_turn(unsigned mask) noexcept;
    /// What was told so far is no news any more.
    void forget_told() noexcept { told_ = 0; }
    /// False: poll(mask) would find nothing, unless something has happened that no turn of the loop
    /// has told yet. Asks nobody.
    [[nodiscard]] bool may_hold(unsigned mask) const noexcept {
        return core_ == nullptr || !held_.empty() || held_datagram_ || pending_ != errc::ok ||
               (kind_ == kind::stream && state_ == state::fresh) || state_ == state::half_deaf ||
               told_ != 0 || (static_cast<unsigned>(core_->ready()) & (mask | told_unasked)) != 0;
    }
    void observe(object_observer& o) noexcept { observers_.push_back(o); }
    [[nodiscard]] object_observer* observer_of(const void* owner) noexcept {
        object_observer* found = nullptr; // there are few
        observers_.for_each(
            [&](object_observer& each) { found = each.owner_ == owner ? &each : found; });
        return found;
    }

    /// `call` runs in a turn of the loop when this may be ready for more, and once soon; null: none
    /// any more. `release` is given the context when it is not needed any more. errc::no_memory.
    errc set_ready(
        ready_call::function call, void* context,
        void (*release)(void*) noexcept = nullptr) noexcept;

    // MicroPython's stream protocol: a count or -1 with `*error`.
    std::size_t stream_read(std::span<std::byte> into, int* error) noexcept;
    std::size_t stream_write(std::span<const std::byte> from, int* error) noexcept;
    std::size_t stream_ioctl(unsigned request, std::uintptr_t argument, int* error) noexcept;

    /// The turn in which what was written goes out, where a stack has its own.
    void push_out() noexcept {
        if (loop_->has_services() && !loop_->running()) {
            turn();
        }
    }

  private:
    enum class kind : std::uint8_t { stream, datagram };

    ///   fresh -> listening
    ///   fresh -> connecting -> connected      non-blocking; refused if it fails
    ///   fresh -> connected                    blocking; failed if it fails
    ///   connected -> half_deaf                shutdown(SHUT_RD)
    ///   connected -> connecting               wrap(): a handshake is to TLS what that is to TCP
    /// `refused` and `failed` have no socket of the stack any more; connect() makes another. A
    /// datagram socket is always `fresh`.
    enum class state : std::uint8_t {
        fresh,
        listening,
        connecting,
        connected,
        half_deaf,
        refused, // pending_ until it was told
        failed,  // told by the call that waited for it
    };

    /// Keeps the object alive while a call waits in it.
    class in_call {
      public:
        explicit in_call(object& o) noexcept : object_(o) { ++object_.calls_; }
        in_call(const in_call&) = delete;
        in_call& operator=(const in_call&) = delete;
        ~in_call() {
            if (--object_.calls_ == 0) {
                if (object_.place_ == nullptr) {
                    delete &object_;
                } else {
                    object_.choose_way();
                }
            }
        }

      private:
        object& object_;
    };

    object(thread& owner, weft::loop& home, kind k, weft::family f) noexcept;
    ~object();
    static result<object*> make(thread& owner, weft::loop& home, kind k, weft::family f) noexcept;

    [[nodiscard]] weft::tcp_socket& tcp() const noexcept {
        return static_cast<weft::tcp_socket&>(*core_);
    }
    [[nodiscard]] weft::datagram_socket& udp() const noexcept {
        return static_cast<weft::datagram_socket&>(*core_);
    }
    void adopt(weft::socket_core& core) noexcept;
    void drop_core() noexcept;
    void turn() noexcept;
    errc reopen() noexcept;

    [[nodiscard]] bool waits_never(int flags) const noexcept {
        return limit_ == weft::duration::zero() || (flags & dont_wait) != 0;
    }
    [[nodiscard]] patience patience_for(int flags) const noexcept {
        return patience(waits_never(flags) ? weft::duration::zero() : limit_);
    }
    /// errc::would_deadlock for a call that might wait, inside the loop's own turn.
    errc may_wait(const patience& p, const char* call, const char* instead) const noexcept;
    errc wait(patience& p) noexcept;

    template <class Try>
    io_count until_done(patience& p, weft::readiness wanted, Try attempt) noexcept;
    io_count recv_apart(std::span<std::byte> into, int flags) noexcept;
    io_count wait_and_recv(std::span<std::byte> into) noexcept;
    io_count send_apart(std::span<const std::byte> from, std::size_t done, int flags) noexcept;
    io_count receive(std::span<std::byte> into, patience& p) noexcept;
    io_count received(io_count n) noexcept;
    std::size_t more_now(std::span<std::byte> into) noexcept;
    errc fill(std::span<std::byte> into, std::size_t& got, patience& p) noexcept;
    errc fill_held(std::size_t n, patience& p) noexcept;
    io_count hold_line(std::size_t longest, patience& p) noexcept;
    errc push(std::span<const std::byte> from, std::size_t& done, patience& p) noexcept;
    void settle_record(patience& p) noexcept;
    io_count receive_datagram(std::span<std::byte> into, patience& p, endpoint& from) noexcept;
    io_count peek_datagram(std::span<std::byte> into, patience& p, endpoint& from) noexcept;
    io_count take_datagram(std::span<std::byte> into, endpoint& from) noexcept;
    io_count
    send_datagram(std::span<const std::byte> from, const endpoint* to, patience& p) noexcept;

    /// Whenever what decides it may have changed: bytes may go straight to and from the stack's
    /// socket. With services there is a turn to take after a send, and before a receive that finds
    /// nothing.
    void choose_way() noexcept {
        if (place_ != nullptr && kind_ == kind::stream) {
            quick_ = state_ == state::connected && held_.empty() && pending_ == errc::ok &&
                     !loop_->has_services() && !secured_;
            place_->direct = quick_ && limit_ == weft::duration::zero() ? &tcp() : nullptr;
        }
    }

    void advance_connect() noexcept;
    errc fail_connect(errc why, state then) noexcept;
    errc connect_stream(const endpoint& to) noexcept;
    errc wrap_as(const secure* listener) noexcept;
    errc begin_tls() noexcept;
    errc secure_by_default(secure::end which) noexcept;
    errc not_sendable() noexcept;
    errc not_readable() noexcept;
    [[nodiscard]] errc take_error() noexcept;
    unsigned poll_stream() noexcept;
    errc change_membership(bool joins, std::span<const std::byte> value) noexcept;
    void tell_observers(object_observer::news what) noexcept;

    static constexpr int dont_wait = 0x40;
    static constexpr unsigned told_unasked = 0x18; // POLLERR, POLLHUP

    state state_ = state::fresh;
    kind kind_;
    weft::family family_;
    bool resets_on_close_ = false; // SO_LINGER with no time
    bool quick_ = false;           // choose_way()
    bool held_datagram_ = false;   // held_ is one datagram, which was peeked at
    bool no_delay_ = false;        // with the next two: given again to the next socket of the stack
    bool reuse_address_ = false;
    bool keep_alive_ = false;
    bool becomes_tls_ = false; // IPPROTO_SEC: by the default context, if nobody wraps it
    bool by_default_ = false;  // that is what secure_ is
    bool secured_ = false;     // core_ is TLS's
    unsigned told_ = 0;        // readiness that the stack raised since the last look
    int calls_ = 0;            // that are waiting in this
    weft::duration limit_ = forever;
    weft::socket_core* core_ = nullptr; // null: refused, failed or closed
    weft::loop* loop_;
    weft::stack* net_ = nullptr; // of a socket that can be opened again
    byte_queue held_;
    handle_place* place_ = nullptr; // null: closed
    endpoint held_from_;
    errc pending_ = errc::ok;
    std::unique_ptr<secure> secure_; // null: plain TCP
    std::unique_ptr<ready_call> ready_call_;
    weft::list<object_observer> observers_;
};

} // namespace usocket
