// udp_socket: datagrams.
//
//     auto got = co_await socket.recv_from(buffer);          // result<datagram>
//     auto sent = co_await socket.send_to(bytes, got->from); // result<size_t>
#pragma once

#include <weft/io.hpp>
#include <weft/socket.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace weft {

class [[nodiscard]] recv_datagram : public io_wait<recv_datagram, direction::in> {
  public:
    recv_datagram(datagram_socket* s, std::span<std::byte> into) noexcept
        : io_wait(s), into_(into) {}
    result<datagram> await_resume() noexcept {
        if (const errc error = finish_error(); error != errc::ok) {
            return fail(error);
        }
        return received_;
    }

  private:
    friend class io_wait<recv_datagram, direction::in>;
    io_count attempt() noexcept {
        const result<datagram> next = static_cast<datagram_socket*>(core())->try_recv_from(into_);
        if (!next) {
            return io_error(next.error());
        }
        received_ = *next;
        return 0;
    }
    std::span<std::byte> into_;
    datagram received_;
};

class [[nodiscard]] send_datagram : public io_wait<send_datagram, direction::out> {
  public:
    send_datagram(datagram_socket* s, std::span<const std::byte> from, const endpoint* to) noexcept
        : io_wait(s), from_(from), to_(to != nullptr ? *to : endpoint{}),
          connected_(to == nullptr) {}
    result<std::size_t> await_resume() noexcept { return to_result(finish()); }

  private:
    friend class io_wait<send_datagram, direction::out>;
    io_count attempt() noexcept {
        return static_cast<datagram_socket*>(core())->try_send_to(
            from_, connected_ ? nullptr : &to_);
    }
    std::span<const std::byte> from_;
    endpoint to_;
    bool connected_;
};

/// Move-only; destroying it closes it, and what is queued is dropped.
class udp_socket {
  public:
    udp_socket() noexcept = default;
    explicit udp_socket(datagram_socket* owned) noexcept : socket_(owned) {}
    udp_socket(udp_socket&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    udp_socket& operator=(udp_socket&& other) noexcept {
        udp_socket taken(std::move(other));
        std::swap(socket_, taken.socket_);
        return *this;
    }
    ~udp_socket() {
        if (socket_ != nullptr) {
            socket_->release();
        }
    }

    /// One datagram, cut to into.size() (`truncated` tells). errc::connection_refused once, when
    /// connected and the peer's port is closed; errc::canceled: none was taken; bad_handle;
    /// already.
    recv_datagram recv_from(std::span<std::byte> into) noexcept { return {socket_, into}; }

    /// The whole datagram. errc::message_too_long, network_unreachable, host_unreachable, canceled.
    send_datagram send_to(std::span<const std::byte> from, const endpoint& to) noexcept {
        return {socket_, from, &to};
    }
    /// To the connected peer; errc::destination_required without one.
    send_datagram send(std::span<const std::byte> from) noexcept {
        return {socket_, from, nullptr};
    }

    result<datagram> try_recv_from(std::span<std::byte> into) noexcept {
        if (socket_ == nullptr) {
            return fail(errc::bad_handle);
        }
        return socket_->try_recv_from(into);
    }
    result<std::size_t> try_send_to(std::span<const std::byte> from, const endpoint& to) noexcept {
        if (socket_ == nullptr) {
            return fail(errc::bad_handle);
        }
        return to_result(socket_->try_send_to(from, &to));
    }

    result<> connect(const endpoint& to) noexcept {
        return socket_ != nullptr ? socket_->connect(to) : result<>(fail(errc::bad_handle));
    }
    void close() noexcept {
        if (socket_ != nullptr) {
            socket_->close();
        }
    }
    /// Datagrams lost because the receive queue was full.
    [[nodiscard]] std::uint64_t dropped() const noexcept {
        return socket_ != nullptr ? socket_->dropped() : 0;
    }
    result<endpoint> local() const noexcept {
        return socket_ != nullptr ? socket_->local() : result<endpoint>(fail(errc::bad_handle));
    }
    [[nodiscard]] bool is_open() const noexcept { return socket_ != nullptr && !socket_->closed(); }
    [[nodiscard]] datagram_socket* socket() const noexcept { return socket_; }
    [[nodiscard]] datagram_socket* detach() noexcept { return std::exchange(socket_, nullptr); }

  private:
    datagram_socket* socket_ = nullptr;
};

} // namespace weft
