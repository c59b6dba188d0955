// stack: where sockets come from. The operating system's (weft/host.hpp) or lwIP's (weft/lwip.hpp);
// a program takes a stack& and does not know which.
//
//     auto listener = net.listen(at);                         // result<tcp_listener>
//     auto peer = co_await net.connect(to);                   // result<tcp_stream>
//     auto socket = net.bind_udp(at);                         // result<udp_socket>
#pragma once

#include <weft/tcp.hpp>
#include <weft/udp.hpp>

#include <cstddef>
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
    virtual ~stack() = default;

    [[nodiscard]] weft::loop& loop() const noexcept { return *loop_; }
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// A new socket, owned by the caller. errc::too_many_open, errc::no_memory,
    /// errc::family_not_supported.
    virtual result<tcp_socket*> open_tcp(family f) noexcept = 0;
    virtual result<datagram_socket*> open_udp(family f) noexcept = 0;

    /// True when nothing that was accepted for sending is still to be delivered: what a program on
    /// lwIP waits for before it ends (the host's kernel goes on without it).
    [[nodiscard]] virtual bool drained() const noexcept { return true; }

    /// Listens at once, with SO_REUSEADDR. errc::address_in_use, errc::address_not_available,
    /// errc::permission_denied, and those of open_tcp. Port 0 is an ephemeral port.
    result<tcp_listener> listen(const endpoint& at, std::size_t backlog = default_backlog) noexcept;

    /// Completes when connected. errc::connection_refused, timed_out, network_unreachable,
    /// host_unreachable, canceled; and those of open_tcp.
    connecting connect(const endpoint& to) noexcept {
        return connecting(open_tcp(to.address.family()), to);
    }

    /// A socket bound to `at`. The errors of listen().
    result<udp_socket> bind_udp(const endpoint& at) noexcept;

  protected:
    explicit stack(weft::loop& home) noexcept : loop_(&home) {}

  private:
    weft::loop* loop_;
};

} // namespace weft
