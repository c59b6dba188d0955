// tcp_stream and tcp_listener: what a program holds of a TCP socket.
//
//     auto n = co_await peer.recv(buffer);          // result<size_t>; 0: the peer finished
//     auto sent = co_await peer.send_all(reply);    // transfer: count and error
//     auto next = co_await listener.accept();       // result<tcp_stream>
#pragma once

#include <weft/io.hpp>
#include <weft/socket.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace weft {

/// A connected TCP socket. Move-only; destroying it closes it: what was sent is still delivered,
/// then FIN. One reader and one writer at a time; a second is told errc::already at once.
class tcp_stream {
  public:
    tcp_stream() noexcept = default;
    explicit tcp_stream(tcp_socket* owned) noexcept : socket_(owned) {}
    tcp_stream(tcp_stream&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    tcp_stream& operator=(tcp_stream&& other) noexcept {
        tcp_stream taken(std::move(other));
        std::swap(socket_, taken.socket_);
        return *this;
    }
    [[gnu::always_inline]] ~tcp_stream() { // for where it was moved from
        if (socket_ != nullptr) {
            socket_->release();
        }
    }

    /// Completes with 1..into.size() bytes, or 0 when the peer has finished (or into is empty).
    /// errc::connection_reset once, after the data before it; errc::canceled: nothing was taken;
    /// errc::bad_handle: closed meanwhile; errc::already: another recv is waiting.
    /// `into` must stay until it completes.
    recv_some recv(std::span<std::byte> into) noexcept { return {socket_, into}; }
    /// Arrays, and a pointer with a size below, spare the coroutine's frame the span.
    template <std::size_t N>
    recv_some recv(std::array<std::byte, N>& into) noexcept {
        return {socket_, into};
    }

    /// Completes with 1..from.size() bytes taken for delivery; they are copied.
    /// errc::broken_pipe, errc::connection_reset, errc::canceled (nothing was taken), already.
    send_some send(std::span<const std::byte> from) noexcept { return {socket_, from}; }
    send_some send(const std::byte* from, std::size_t size) noexcept {
        return {socket_, {from, size}};
    }
    send_some send(std::string_view text) noexcept {
        return {socket_, std::as_bytes(std::span(text))};
    }

    /// Takes all of `from` for delivery. The transfer tells how much was taken on failure too.
    send_whole send_all(std::span<const std::byte> from) noexcept { return {socket_, from}; }
    send_whole send_all(const std::byte* from, std::size_t size) noexcept {
        return {socket_, {from, size}};
    }
    template <std::size_t N>
    send_whole send_all(const std::array<std::byte, N>& from) noexcept {
        return {socket_, from};
    }
    send_whole send_all(std::string_view text) noexcept {
        return {socket_, std::as_bytes(std::span(text))};
    }

    /// Fills `into`. errc::end_of_stream if the peer finishes first; count tells what has come.
    recv_whole read_exactly(std::span<std::byte> into) noexcept { return {socket_, into}; }
    template <std::size_t N>
    recv_whole read_exactly(std::array<std::byte, N>& into) noexcept {
        return {socket_, into};
    }

    /// Completes when at least one byte, the end or an error can be read; takes nothing.
    wait_readable readable() noexcept { return wait_readable(socket_); }
    wait_writable writable() noexcept { return wait_writable(socket_); }

    result<std::size_t> try_recv(std::span<std::byte> into) noexcept {
        return socket_ != nullptr ? to_result(socket_->try_recv(into)) : closed_count();
    }
    result<std::size_t> try_send(std::span<const std::byte> from) noexcept {
        return socket_ != nullptr ? to_result(socket_->try_send(from)) : closed_count();
    }

    /// Received bytes in place, without a copy; valid until the next call on this stream.
    result<std::span<const std::byte>> peek() noexcept {
        if (socket_ == nullptr) {
            return fail(errc::bad_handle);
        }
        return socket_->peek();
    }
    void consume(std::size_t n) noexcept {
        if (socket_ != nullptr) {
            socket_->consume(n);
        }
    }

    /// FIN after everything sent; receiving goes on.
    result<> shutdown_send() noexcept {
        return socket_ != nullptr ? socket_->shutdown_send() : result<>(fail(errc::bad_handle));
    }
    /// Delivers what was sent, then FIN; unread input is dropped. Waiters end with bad_handle. On
    /// lwIP a peer whose window stays closed for two minutes gets no more of it.
    void close() noexcept {
        if (socket_ != nullptr) {
            socket_->close();
        }
    }
    /// RST at once; what was not delivered is lost.
    void abort() noexcept {
        if (socket_ != nullptr) {
            socket_->abort();
        }
    }

    result<> set_no_delay(bool on) noexcept {
        return socket_ != nullptr ? socket_->set_no_delay(on) : result<>(fail(errc::bad_handle));
    }
    result<endpoint> local() const noexcept {
        return socket_ != nullptr ? socket_->local() : result<endpoint>(fail(errc::bad_handle));
    }
    result<endpoint> remote() const noexcept {
        return socket_ != nullptr ? socket_->remote() : result<endpoint>(fail(errc::bad_handle));
    }

    [[nodiscard]] bool is_open() const noexcept { return socket_ != nullptr && !socket_->closed(); }
    /// The socket underneath, for readiness observers and options; still owned by this.
    [[nodiscard]] tcp_socket* socket() const noexcept { return socket_; }
    /// Gives up ownership.
    [[nodiscard]] tcp_socket* detach() noexcept { return std::exchange(socket_, nullptr); }

  private:
    static result<std::size_t> closed_count() noexcept { return fail(errc::bad_handle); }

    tcp_socket* socket_ = nullptr;
};

/// `co_await listener.accept()`.
class [[nodiscard]] accept_one : public io_wait<accept_one, direction::in> {
  public:
    explicit accept_one(tcp_socket* listener) noexcept : io_wait(listener) {}
    result<tcp_stream> await_resume() noexcept {
        if (const errc error = finish_error(); error != errc::ok) {
            return fail(error);
        }
        return tcp_stream(accepted_);
    }

  private:
    friend class io_wait<accept_one, direction::in>;
    io_count attempt() noexcept {
#if WEFT_ONE_STACK
        return io_error(static_cast<tcp_socket*>(core())->take_pending(accepted_));
#else
        const result<tcp_socket*> next = static_cast<tcp_socket*>(core())->try_accept();
        if (!next) {
            return io_error(next.error());
        }
        accepted_ = *next;
        return 0;
#endif
    }
    tcp_socket* accepted_ = nullptr;
};

/// A listening socket. Move-only; destroying it closes it and resets the connections still queued.
class tcp_listener {
  public:
    tcp_listener() noexcept = default;
    explicit tcp_listener(tcp_socket* owned) noexcept : socket_(owned) {}
    tcp_listener(tcp_listener&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    tcp_listener& operator=(tcp_listener&& other) noexcept {
        tcp_listener taken(std::move(other));
        std::swap(socket_, taken.socket_);
        return *this;
    }
    ~tcp_listener() {
        if (socket_ != nullptr) {
            socket_->release();
        }
    }

    /// The next connection. errc::canceled: none was taken; errc::bad_handle: closed meanwhile.
    /// When descriptors, pcbs or memory have run out it waits until there are some again.
    accept_one accept() noexcept { return accept_one(socket_); }
    result<tcp_stream> try_accept() noexcept {
        if (socket_ == nullptr) {
            return fail(errc::bad_handle);
        }
        result<tcp_socket*> next = socket_->try_accept();
        if (!next) {
            return fail(next.error());
        }
        return tcp_stream(*next);
    }

    void close() noexcept {
        if (socket_ != nullptr) {
            socket_->close();
        }
    }
    result<endpoint> local() const noexcept {
        return socket_ != nullptr ? socket_->local() : result<endpoint>(fail(errc::bad_handle));
    }
    [[nodiscard]] bool is_open() const noexcept { return socket_ != nullptr && !socket_->closed(); }
    [[nodiscard]] tcp_socket* socket() const noexcept { return socket_; }
    [[nodiscard]] tcp_socket* detach() noexcept { return std::exchange(socket_, nullptr); }

  private:
    tcp_socket* socket_ = nullptr;
};

} // namespace weft
