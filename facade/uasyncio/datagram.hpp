// datagram_endpoint: UDP in the shape of asyncio's create_datagram_endpoint, with coroutines or
// with a protocol object.
//
//     auto made = uasyncio::create_datagram_endpoint(net, at);     // result<datagram_endpoint>
//     while (made) {
//         auto got = co_await made->recvfrom();                    // result<received>
//         if (!got) { break; }
//         auto sent = co_await made->sendto(got->data, got->from);
//     }
#pragma once

#include <uasyncio/bytes.hpp>

#include <weft/io.hpp>
#include <weft/stack.hpp>
#include <weft/task.hpp>
#include <weft/udp.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace uasyncio {

/// A datagram and who sent it; `truncated` if it was longer than what was asked for.
struct received {
    bytes data;
    weft::endpoint from;
    bool truncated = false;
};

/// `co_await endpoint.recvfrom()`.
class [[nodiscard]] receiving : public weft::io_wait<receiving, weft::direction::in> {
  public:
    receiving(weft::datagram_socket* socket, std::size_t size) noexcept
        : io_wait(socket), size_(size) {}
    weft::result<received> await_resume() noexcept;

  private:
    friend class weft::io_wait<receiving, weft::direction::in>;
    weft::io_count attempt() noexcept;

    std::size_t size_;
    bytes data_; // allocated when something can be read, so that none is lost for want of memory
    weft::datagram got_;
};

/// What datagram_endpoint::run() calls, each outside every other:
///   datagram_received(bytes, from)  for each datagram; the bytes are valid during the call
///   error_received(error)           an earlier datagram was refused, and the like; it goes on
///   connection_lost(error)          once, the last: errc::ok after close(), errc::canceled
/// and, if it is there, connection_made(datagram_endpoint&) first.
template <class P>
concept datagram_protocol = requires(
    P& protocol, std::span<const std::byte> data, const weft::endpoint& from, weft::errc error) {
    protocol.datagram_received(data, from);
    protocol.error_received(error);
    protocol.connection_lost(error);
};

/// Move-only, but not while run() runs. Destroying it closes it.
class datagram_endpoint {
  public:
    /// More than one Ethernet frame holds.
    static constexpr std::size_t default_size = 2048;

    datagram_endpoint() noexcept = default;
    explicit datagram_endpoint(weft::udp_socket socket) noexcept : socket_(std::move(socket)) {}

    /// Completes with one datagram, cut to `size`. errc::connection_refused once, when connected
    /// and the peer's port is closed; errc::already while another task receives;
    /// errc::bad_handle once closed; errc::canceled and errc::no_memory: none was taken.
    [[nodiscard]] receiving recvfrom(std::size_t size = default_size) noexcept {
        return {socket_.socket(), size};
    }

    /// Completes when the stack has taken the datagram, whole. `data` must stay until then.
    /// errc::message_too_long, network_unreachable, host_unreachable, canceled, bad_handle.
    [[nodiscard]] weft::send_datagram
    sendto(std::span<const std::byte> data, const weft::endpoint& to) noexcept {
        return socket_.send_to(data, to);
    }
    [[nodiscard]] weft::send_datagram
    sendto(std::string_view text, const weft::endpoint& to) noexcept {
        return sendto(std::as_bytes(std::span(text)), to);
    }
    [[nodiscard]] weft::send_datagram sendto(const bytes& data, const weft::endpoint& to) noexcept {
        return sendto(data.span(), to);
    }
    /// To the remote endpoint; errc::destination_required without one.
    [[nodiscard]] weft::send_datagram sendto(std::span<const std::byte> data) noexcept {
        return socket_.send(data);
    }
    [[nodiscard]] weft::send_datagram sendto(std::string_view text) noexcept {
        return sendto(std::as_bytes(std::span(text)));
    }
    [[nodiscard]] weft::send_datagram sendto(const bytes& data) noexcept {
        return sendto(data.span());
    }

    /// The same from ordinary code, a protocol's above all: now or errc::would_block.
    weft::result<std::size_t>
    try_sendto(std::span<const std::byte> data, const weft::endpoint& to) noexcept {
        return socket_.try_send_to(data, to);
    }

    /// Calls `protocol` for what arrives until close() or until it is cancelled; both must outlive
    /// it. errc::canceled; errc::no_memory, with no call made; errc::already while another task
    /// receives, after connection_made() alone. Datagrams longer than `size` are cut.
    template <datagram_protocol P>
    [[nodiscard]] weft::task<> run(P& protocol, std::size_t size = default_size);

    /// What waits ends with errc::bad_handle.
    void close() noexcept { socket_.close(); }
    [[nodiscard]] bool is_closing() const noexcept { return !socket_.is_open(); }

    /// "sockname"; "peername", if it has a remote endpoint. Nothing once closed.
    [[nodiscard]] std::optional<weft::endpoint>
    get_extra_info(std::string_view name) const noexcept;
    [[nodiscard]] weft::udp_socket& socket() noexcept { return socket_; }

  private:
    weft::udp_socket socket_;
};

/// Bound to `local` (none: any address of remote's family, any port) and connected to `remote`, if
/// there is one. errc::invalid_argument for neither, or two families; those of stack::bind_udp().
[[nodiscard]] weft::result<datagram_endpoint> create_datagram_endpoint(
    weft::stack& net, std::optional<weft::endpoint> local,
    std::optional<weft::endpoint> remote = std::nullopt) noexcept;

template <datagram_protocol P>
weft::task<> datagram_endpoint::run(P& protocol, std::size_t size) {
    weft::result<bytes> room = bytes::with_size(size);
    if (!room) {
        co_await weft::fail(room.error());
    }
    if constexpr (requires { protocol.connection_made(*this); }) {
        protocol.connection_made(*this);
    }
    const std::span<std::byte> into(room->data(), size);
    while (true) {
        auto got = co_await socket_.recv_from(into);
        if (got) {
            protocol.datagram_received(into.first(got->size), got->from);
            continue;
        }
        const weft::errc error = got.error();
        if (error == weft::errc::already) {
            co_await weft::fail(error);
        }
        if (error == weft::errc::bad_handle) {
            protocol.connection_lost(weft::errc::ok);
            co_return;
        }
        if (error == weft::errc::canceled) {
            protocol.connection_lost(error);
            co_await weft::fail(error);
        }
        protocol.error_received(error);
    }
}

} // namespace uasyncio
