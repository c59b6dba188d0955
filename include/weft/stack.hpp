// stack: where sockets come from. The operating system's (weft/host.hpp) or lwIP's (weft/lwip.hpp);
// a program takes a stack& and does not know which.
//
//     auto listener = net.listen(at);                         // result<tcp_listener>
//     auto peer = co_await net.connect(to);                   // result<tcp_stream>
//     auto socket = net.bind_udp(at);                         // result<udp_socket>
//     auto found = co_await net.resolve("example.org");       // result<address_list>
#pragma once

#include <weft/resolve.hpp>
#include <weft/tcp.hpp>
#include <weft/udp.hpp>

#include <cstddef>
#include <new>
#include <string_view>

namespace weft {

/// `co_await net.connect(to)`. Cancelling ends the attempt and frees its socket.
class [[nodiscard]] connecting : public io_wait<connecting, direction::out> {
  public:
    connecting(result<tcp_socket*> fresh, const endpoint& to) noexcept;
    connecting(const connecting&) = delete;
    connecting(connecting&& other) noexcept
        : io_wait(other), stream_(std::move(other.stream_)), to_(other.to_),
          opening_(other.opening_), started_(other.started_) {}
    result<tcp_stream> await_resume() noexcept;

  private:
    friend class io_wait<connecting, direction::out>;
    io_count attempt() noexcept;
    tcp_stream stream_;
    endpoint to_;
    errc opening_ = errc::ok;
    bool started_ = false;
};

class stack {
  public:
    static constexpr std::size_t default_backlog = 128;

    stack(const stack&) = delete;
    stack& operator=(const stack&) = delete;
#if WEFT_ONE_STACK
    /// `delete` takes down the stack that this is: what no program does links nothing.
    static void operator delete(stack* gone, std::destroying_delete_t) noexcept;
#else
    virtual ~stack() = default;
#endif

    [[nodiscard]] weft::loop& loop() const noexcept { return *loop_; }
    [[nodiscard]] WEFT_WAIST std::string_view name() const noexcept WEFT_PURE;

    /// A new socket, owned by the caller. errc::too_many_open, errc::no_memory,
    /// errc::family_not_supported.
    WEFT_WAIST result<tcp_socket*> open_tcp(family f) noexcept WEFT_PURE;
    WEFT_WAIST result<datagram_socket*> open_udp(family f) noexcept WEFT_PURE;

    /// For resolving: asks the servers for what `query` says, and calls its complete() when it is
    /// over, in here or later; with errc::network_down if the stack goes first. Forgotten, it is
    /// not touched any more.
    WEFT_WAIST void start_query(name_query& query) noexcept WEFT_PURE;
    WEFT_WAIST void forget_query(name_query& query) noexcept WEFT_PURE;

    /// True when nothing that was accepted for sending is still to be delivered: what a program on
    /// lwIP waits for before it ends (the host's kernel goes on without it).
#if WEFT_ONE_STACK
    [[nodiscard]] bool drained() const noexcept;
#else
    [[nodiscard]] virtual bool drained() const noexcept { return true; }
#endif

    /// Listens at once, with SO_REUSEADDR. errc::address_in_use, errc::address_not_available,
    /// errc::permission_denied, and those of open_tcp. Port 0 is an ephemeral port.
    result<tcp_listener> listen(const endpoint& at, std::size_t backlog = default_backlog) noexcept;

    /// Completes when connected. errc::connection_refused, timed_out, network_unreachable,
    /// host_unreachable, canceled; and those of open_tcp.
    connecting connect(const endpoint& to) noexcept {
        return connecting(open_tcp(to.address.family()), to);
    }

    /// The addresses of `name`, which is kept as it is until this completes. A number (RFC 4291's
    /// forms with a numeric "%scope", or a dotted quad) is its own answer, "localhost" and what
    /// ends in ".localhost" is 127.0.0.1 and ::1 (RFC 6761), and no server is asked for these.
    ///
    /// errc::name_not_found: there is no such name, or none is spelled so (empty, longer than 253
    /// bytes, a label longer than 63, blanks, NULs, a number at the end that is no address);
    /// name_no_address: it has none of these families; name_try_again: no answer in time, a server
    /// that failed or refused, or too many queries at once; name_failed: an answer that makes no
    /// sense; name_family_not_supported, name_no_memory; network_down: the stack went away.
    ///
    /// Gives up by itself when the resolver does, after seconds (host: as resolv.conf says; lwIP: 7
    /// for each server); timeout() sets a deadline. Cancelling ends the wait, not always the query:
    /// its answer is then dropped, or kept by the resolver for whoever asks next. Any number run
    /// beside each other.
    resolving resolve(std::string_view name, families wanted = families::any) noexcept {
        return {*this, name, wanted};
    }

    /// A socket bound to `at`. The errors of listen().
    result<udp_socket> bind_udp(const endpoint& at) noexcept;

  protected:
    explicit stack(weft::loop& home) noexcept : loop_(&home) {}

  private:
    weft::loop* loop_;
};

} // namespace weft
