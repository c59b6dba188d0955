// tcp: a TCP socket over a pcb of lwIP.
#pragma once

#include "stack/lwip/api.hpp"
#include "stack/lwip/core.hpp"

#include <weft/frame_pool.hpp>
#include <weft/socket.hpp>
#include <weft/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace weft::lwip {

class host;

/// A callback of lwIP moves data in, sets readiness and queues waiters, and does nothing else: no
/// coroutine runs, no pcb is closed or aborted inside one.
///
///   fresh -> connecting -> connected -> half_closed -> finished    (shutdown_send() in between)
///         -> listening                                  (listener_ instead of pcb_)
/// `finished` comes from any of them: closed, reset, timed out; pcb_ is gone.
/// A connection accepted by lwIP is `connected`, waiting in its listener's queue.
class tcp final : public tcp_socket, public flush_link, public starved_link {
  public:
#if WEFT_ONE_STACK
    /// A board has them where the frames are that use them: lwIP's heap, with a header for each, is
    /// left to packets.
    static void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
        return frame_pool::allocate(size);
    }
    static void operator delete(void* socket, std::size_t size) noexcept {
        frame_pool::release(socket, size);
    }
#endif

    static result<tcp_socket*> open(host& on, family f) noexcept;
    /// Aborts every pcb of a host that goes away; their sockets end with errc::network_down,
    /// listeners are closed.
    static void abort_all(host& going) noexcept;

    result<> bind(const endpoint& at) noexcept WEFT_OVERRIDE;
    result<> listen(std::size_t backlog) noexcept WEFT_OVERRIDE;
#if WEFT_ONE_STACK
    /// A socket that listens, with SO_REUSEADDR: the caller's.
    static result<tcp_listener>
    open_listening(const host& on, const endpoint& at, std::size_t backlog) noexcept;
    /// The one that there is, from now on.
    static void host_is(host& h) noexcept;
#endif
    errc take_pending(tcp_socket*& taken) noexcept;
    result<tcp_socket*> try_accept() noexcept WEFT_OVERRIDE;
    result<> start_connect(const endpoint& to) noexcept WEFT_OVERRIDE;
    result<> connect_result() noexcept WEFT_OVERRIDE;
    result<std::span<const std::byte>> peek() noexcept WEFT_OVERRIDE;
    void consume(std::size_t n) noexcept WEFT_OVERRIDE;
    result<> shutdown_send() noexcept WEFT_OVERRIDE;
    void abort() noexcept WEFT_OVERRIDE;
    result<endpoint> local() const noexcept WEFT_OVERRIDE;
    result<endpoint> remote() const noexcept WEFT_OVERRIDE;
    [[nodiscard]] readiness confirmed() noexcept WEFT_OVERRIDE;
    errc take_error() noexcept WEFT_OVERRIDE;
    result<> set_option(socket_option option, int value) noexcept WEFT_OVERRIDE;
    result<int> get_option(socket_option option) const noexcept WEFT_OVERRIDE;
    result<> set_reuse_address(bool on) noexcept;
    [[nodiscard]] std::size_t send_space() noexcept WEFT_OVERRIDE;

    // End of the turn: opens the window by what was consumed, sends what was written.
#if WEFT_ONE_STACK
    // Those that wait for room, or for memory, may have it.
    static void serve_every() noexcept;
#else
    /// Only for a socket that asked for it and has its pcb still.
    void flush() noexcept {
        const std::uint8_t due = due_;
        due_ = 0;
        if (due == due_output) {
            tcp_output(pcb_);
            return;
        }
        flush_all(due);
    }
    /// lwIP may have memory for this starved socket again.
    void memory_available() noexcept {
        tcp_sent(pcb_, nullptr);
        raise(readiness::writable);
    }
#endif
    [[nodiscard]] static bool is_ours(const tcp_pcb* pcb) noexcept {
        return pcb->errf == &on_error && pcb->callback_arg != nullptr;
    }
    /// A router or the peer's host says that it cannot be reached: ends a connect under way.
    void unreachable(errc why) noexcept;

  private:
    friend class weft::tcp_socket;
    io_count receive_some(std::byte* into, std::size_t size) noexcept WEFT_OVERRIDE;
    io_count send_some(const std::byte* from, std::size_t size) noexcept WEFT_OVERRIDE;
    void dispose() noexcept override { delete this; }
    void do_close() noexcept override;

    static constexpr u8_t poll_interval = 2; // of TCP's slow timer: a second

    // What is done at the end of the turn, in due_. A board looks at every pcb.
    static constexpr std::uint8_t due_output = 1;
    static constexpr std::uint8_t due_window = 2;
    static constexpr std::uint8_t due_abort = 4;  // of a pcb whose socket was told why already
    static constexpr std::uint8_t due_memory = 8; // on a board: it had room, and lwIP no memory

    enum class state : std::uint8_t {
        fresh,
        listening, // it and fresh never had a peer
        connecting,
        connected,
        half_closed,
        finished,
    };

#if WEFT_ONE_STACK
    explicit tcp(family f) noexcept;
#else
    tcp(host& on, family f) noexcept;
#endif
    ~tcp() = default;
    /// Null: no memory. Of the host `on`, on a board of the one that there is.
    static tcp* make(host* on, family f) noexcept;

    /// Negative if it is closed, has an error to tell, or never had a peer; else 0.
    io_count told() noexcept;
    errc tell_error() noexcept {
        return static_cast<errc>(std::exchange(pending_error_, std::uint8_t{0}));
    }
    [[nodiscard]] bool has_peer() const noexcept {
        return state_ == state::connected || state_ == state::half_closed;
    }
    [[nodiscard]] bool can_send() const noexcept;
    // An errc and not a result<>: that comes back in a register.
    errc listen_now(std::size_t backlog) noexcept;
    void listens(tcp_pcb* listening) noexcept;
    /// lwIP counts them in 8 bits, and takes 0 for 1.
    static u8_t limit_of(std::size_t backlog) noexcept {
        return static_cast<u8_t>(backlog < 0xff ? backlog : 0xff);
    }
    errc bind_to(const address& ip, std::uint16_t port) noexcept;
    errc bind_ephemeral() noexcept { return bind_to(address::any(family_), 0); }
    void adopt(tcp_pcb* pcb) noexcept;
    tcp_pcb* forget_pcb() noexcept;
    /// What tcp_arg(), tcp_recv() and their like do, which are functions each.
    static void
    hear(tcp_pcb& pcb, void* arg, tcp_recv_fn recv, tcp_err_fn err, tcp_poll_fn poll) noexcept {
        pcb.callback_arg = arg;
        pcb.recv = recv;
        pcb.errf = err;
        pcb.poll = poll;
        pcb.pollinterval = poll_interval;
    }
    void serve(tcp_pcb* pcb) noexcept;
    void settle_window(tcp_pcb* pcb) noexcept;
    void drop_received() noexcept;
    void lost(err_t why) noexcept;
    void end_with(errc why) noexcept;
    void leave_queue() noexcept;
    /// Of a listener: there is nobody to accept. On a board confirmed() looks, if it is asked.
    void queue_emptied() noexcept {
#if !WEFT_ONE_STACK
        lower(readiness::readable);
#endif
    }
    /// Nothing is to be done for it at the end of the turn.
    void leave_lists() noexcept {
#if !WEFT_ONE_STACK
        static_cast<flush_link*>(this)->unlink();
        static_cast<starved_link*>(this)->unlink();
#endif
    }
#if WEFT_ONE_STACK
    void enter_fresh() noexcept {}
    void leave_fresh() noexcept {}
#else
    void enter_fresh() noexcept;
    void leave_fresh() noexcept;
#endif
    void discard() noexcept;
    void stop_listening() noexcept;
    static void close_pcb(tcp_pcb& pcb) noexcept;
    void flush_later(std::uint8_t what) noexcept {
#if WEFT_ONE_STACK
        static_cast<void>(what);
        core::instance().flush_later();
#else
        due_ |= what;
        core::instance().flush_later(*this);
#endif
    }
    [[nodiscard]] bool doomed() const noexcept { return (due_ & due_abort) != 0; }
    void received_end(const tcp_pcb& pcb) noexcept;
    io_count end_of_input() noexcept;
    io_count cannot_send() noexcept;
    err_t write(const std::byte* from, std::size_t n) noexcept {
        return tcp_write(pcb_, from, static_cast<u16_t>(n), TCP_WRITE_FLAG_COPY);
    }
    io_count no_room() noexcept;
#if WEFT_ONE_STACK
    void take_off(std::size_t n) noexcept;
#else
    void flush_all(std::uint8_t due) noexcept;
    err_t received_parts(pbuf* parts) noexcept;
    io_count receive_across(std::byte* into, std::size_t size) noexcept;
    void emptied() noexcept;
    void owe(std::size_t n) noexcept;
    void window_due() noexcept;
    void pop_consumed() noexcept;
    void cut_consumed(std::size_t n) noexcept;
#endif

    static err_t on_accept(void* arg, tcp_pcb* fresh, err_t error) noexcept;
    static err_t on_connected(void* arg, tcp_pcb* pcb, err_t error) noexcept;
    static err_t on_received(void* arg, tcp_pcb* pcb, pbuf* p, err_t error) noexcept;
#if !WEFT_ONE_STACK
    static err_t on_sent(void* arg, tcp_pcb* pcb, u16_t length) noexcept;
#endif
    static err_t on_poll(void* arg, tcp_pcb* pcb) noexcept;
    static void on_error(void* arg, err_t error) noexcept;
    static err_t on_received_after_close(void* arg, tcp_pcb* pcb, pbuf* p, err_t error) noexcept;
    static void end_if_delivered(tcp_pcb& pcb) noexcept;
    static err_t on_poll_after_close(void* arg, tcp_pcb* pcb) noexcept;

#if WEFT_ONE_STACK
    static inline host* host_ = nullptr;
    using byte_count = std::uint16_t;
#else
    host* host_;
    using byte_count = std::uint32_t;
#endif
    static_assert(TCP_WND <= static_cast<byte_count>(-1));
    union {
        tcp_pcb* pcb_ = nullptr;
        tcp_pcb_listen* listener_; // in state listening: a smaller struct, only arg and accept
    };
    // Received and not consumed: pbufs linked by `next`. What was consumed of the first is cut off
    // it. On a board they are one chain; a host's tot_len does not span the queue.
    pbuf* first_ = nullptr;
#if !WEFT_ONE_STACK
    pbuf** end_ = &first_; // where the next one is linked
    pbuf** end() noexcept { return end_; }
    void end_is(pbuf** at) noexcept { end_ = at; }
#endif
    // A listener has the connections that nobody accepted yet, such a connection its place there.
    union {
        tcp* first_pending_ = nullptr;
        tcp* next_pending_;
    };
    tcp* listening_ = nullptr; // the listener whose queue this is in
    byte_count owed_ = 0;      // bytes consumed and not yet given back to the window
    std::uint16_t port_ = 0;   // bound to, 0: not yet
    state state_ = state::fresh;
    std::uint8_t due_ = 0;
    std::uint8_t pending_error_ = 0; // an errc; told once
    bool end_seen_ = false;          // the peer's FIN, or an error: nothing more is received
#if WEFT_ONE_STACK                   // the pcb tells: it is not bound to its host's address for any
    static constexpr bool wildcard_ = false;
    void bound_to_any(bool) noexcept {}
#else
    bool wildcard_ = false; // bound to any: local() says so
    void bound_to_any(bool any) noexcept { wildcard_ = any; }
    family family_;
#endif
};

} // namespace weft::lwip
