// A TCP socket whose other end is the fuzzer: what it sends and is to receive are in `wire`.
#pragma once

#include <weft/socket.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace fuzz {

using weft::errc;
using weft::io_count;
using weft::io_error;
using weft::readiness;

class pipe_socket;

/// Outlives its socket.
struct wire {
    std::vector<std::byte> sent; // and not yet taken away
    std::vector<std::byte> coming;
    std::size_t room = static_cast<std::size_t>(-1); // how much more it takes
    bool finished = false;                           // by the socket: FIN, close or RST
    bool ended = false;                              // by the other end
    pipe_socket* socket = nullptr;                   // null once it is gone
};

class pipe_socket final : public weft::tcp_socket {
    static auto no() noexcept { return weft::fail(errc::not_supported); }

  public:
    pipe_socket(weft::loop& home, wire& at) noexcept : tcp_socket(home), wire_(&at) {
        at.socket = this;
        raise(readiness::writable);
    }
    /// The wire has changed.
    void look() noexcept {
        raise(
            (wire_->coming.empty() && !wire_->ended ? readiness::none : readiness::readable) |
            (wire_->room > 0 ? readiness::writable : readiness::none));
    }

    weft::result<> bind(const weft::endpoint&) noexcept override { return no(); }
    weft::result<> listen(std::size_t) noexcept override { return no(); }
    weft::result<weft::tcp_socket*> try_accept() noexcept override { return no(); }
    weft::result<> start_connect(const weft::endpoint&) noexcept override { return no(); }
    weft::result<> connect_result() noexcept override { return {}; }
    weft::result<std::span<const std::byte>> peek() noexcept override { return no(); }
    void consume(std::size_t) noexcept override {}
    weft::result<> shutdown_send() noexcept override {
        wire_->finished = true;
        return {};
    }
    void abort() noexcept override {
        wire_->sent.clear();
        close();
    }
    std::size_t send_space() noexcept override { return wire_->room; }
    readiness confirmed() noexcept override { return ready(); }
    errc take_error() noexcept override { return errc::ok; }
    weft::result<> set_option(weft::socket_option, int) noexcept override { return {}; }
    weft::result<int> get_option(weft::socket_option) const noexcept override { return 0; }
    weft::result<weft::endpoint> local() const noexcept override { return no(); }
    weft::result<weft::endpoint> remote() const noexcept override { return no(); }

  protected:
    io_count receive_some(std::byte* into, std::size_t size) noexcept override {
        std::vector<std::byte>& from = wire_->coming;
        if (from.empty()) {
            if (wire_->ended) {
                return 0;
            }
            lower(readiness::readable);
            return io_error(errc::would_block);
        }
        const std::size_t n = std::min(size, from.size());
        std::copy_n(from.begin(), n, into);
        from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
        return static_cast<io_count>(n);
    }
    io_count send_some(const std::byte* from, std::size_t size) noexcept override {
        const std::size_t n = std::min(size, wire_->room);
        if (n == 0) {
            lower(readiness::writable);
            return io_error(errc::would_block);
        }
        wire_->room -= n;
        wire_->sent.insert(wire_->sent.end(), from, from + n);
        return static_cast<io_count>(n);
    }
    void do_close() noexcept override { wire_->finished = true; }
    void dispose() noexcept override {
        wire_->socket = nullptr;
        delete this;
    }

  private:
    wire* wire_;
};

} // namespace fuzz
