// stream: a TCP connection that is read in lines and messages and written through a buffer, as
// MicroPython's asyncio has it. The reader and the writer are one object.
//
//     while (true) {
//         auto line = co_await peer.readline();    // weft::result<bytes>; empty: the end
//         if (!line || line->empty()) { co_return; }
//         peer.write(*line);
//         auto sent = co_await peer.drain();
//     }
//
// A limit on how long: `co_await weft::timeout(peer.readline(), 5s)`, asyncio's wait_for.
#pragma once

#include <uasyncio/bytes.hpp>
#include <uasyncio/connection.hpp>

#include <weft/address.hpp>
#include <weft/result.hpp>
#include <weft/tcp.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace uasyncio {

/// Move-only, also while its operations wait. One reader at a time, and beside it any number of
/// tasks that write and drain.
///
/// No byte is lost by cancelling a read, a timeout or a shortage of memory: what has been received
/// stays in the stream, first in line for the next read of any kind.
///
/// Destroying it closes the socket at once: what the socket has taken is delivered, what drain()
/// has not seen go is dropped, and operations of other tasks end with errc::bad_handle.
class stream {
  public:
    stream() noexcept = default;
    stream(stream&&) noexcept = default;
    stream& operator=(stream&& other) noexcept {
        stream taken(std::move(other));
        std::swap(on_, taken.on_);
        return *this;
    }
    ~stream() {
        if (on_) {
            on_->close_now();
        }
    }

    /// A stream on a connected socket. errc::no_memory: the socket is closed then.
    [[nodiscard]] static weft::result<stream> over(weft::tcp_stream connected) noexcept;

    // --- reading ----------------------------------------------------------------------------
    // All fail with errc::connection_reset once, after the bytes before it, and are at the end
    // from then on; errc::already while another read waits; errc::bad_handle once closed;
    // errc::canceled and errc::no_memory: nothing is lost.

    /// Completes with 1 to `n` bytes, or none at the end of the stream. n < 0: with everything up
    /// to the end.
    [[nodiscard]] reading read(std::ptrdiff_t n = -1) noexcept {
        return n < 0 ? reading(on_, until::end, connection::any_size)
                     : reading(on_, until::some, static_cast<std::size_t>(n));
    }

    /// Completes with how many bytes it wrote to `into`, at least 1; 0: the end of the stream.
    /// `into` must stay until then.
    [[nodiscard]] reading_into readinto(std::span<std::byte> into) noexcept { return {on_, into}; }

    /// Completes with `n` bytes. errc::end_of_stream if the peer finishes before: what came is
    /// there for another read.
    [[nodiscard]] reading readexactly(std::size_t n) noexcept { return {on_, until::exactly, n}; }

    /// Completes with the next line and its '\n'; at the end of the stream with what is there
    /// without one, then with nothing. A line longer than `most` comes in pieces of that size.
    [[nodiscard]] reading readline(std::size_t most = connection::any_size) noexcept {
        return {on_, until::line, most};
    }

    /// Received bytes that the next read gets first; valid until the next call on this stream.
    [[nodiscard]] std::span<const std::byte> buffered() const noexcept {
        return on_ ? on_->received().filled() : std::span<const std::byte>();
    }

    // --- writing ----------------------------------------------------------------------------

    /// Hands `from` to the socket as far as it takes it now, copies the rest, and never waits. What
    /// was copied goes out by itself; drain() tells when. Gives how many bytes were taken: all of
    /// them, or less when there was no memory for the rest. From then on nothing is taken
    /// (errc::no_memory) until drain() has told.
    /// errc::broken_pipe, errc::connection_reset: for good; errc::bad_handle once closed.
    weft::result<std::size_t> write(std::span<const std::byte> from) noexcept {
        return on_ ? on_->write(from) : weft::fail(weft::errc::bad_handle);
    }
    weft::result<std::size_t> write(std::string_view text) noexcept {
        return write(std::as_bytes(std::span(text)));
    }
    weft::result<std::size_t> write(const bytes& from) noexcept { return write(from.span()); }

    /// Completes when the socket has taken everything written. Any number of tasks may wait; an
    /// error is told to each: that of a write() before, and errc::no_memory once. Cancelling ends
    /// the waiting alone (errc::canceled): sending goes on, and drain() can be called again.
    /// errc::bad_handle once closed.
    [[nodiscard]] flushing drain() noexcept { return {on_, flushing::closing::no}; }

    // --- closing ----------------------------------------------------------------------------

    /// No more reads (one that waits ends with errc::bad_handle) and writes; what was written
    /// still goes out, while this object lives, and then FIN. Idempotent.
    void close() noexcept {
        if (on_) {
            on_->close();
        }
    }
    /// Closes, and completes when the socket has taken what was written and is closed. The errors
    /// of drain(); errc::canceled ends the waiting alone.
    [[nodiscard]] flushing wait_closed() noexcept { return {on_, flushing::closing::yes}; }
    [[nodiscard]] bool is_closing() const noexcept { return !on_ || !on_->is_open(); }

    /// The socket, for another use of it; this is closed. Not open: so it was, or bytes are kept
    /// here, or a task waits.
    [[nodiscard]] weft::tcp_stream detach() noexcept {
        return on_ ? on_->detach() : weft::tcp_stream();
    }

    /// "peername" (as it was when the connection was made), "sockname" (while it is open); nothing
    /// for other names.
    [[nodiscard]] std::optional<weft::endpoint>
    get_extra_info(std::string_view name) const noexcept;

  private:
    explicit stream(connection_share on) noexcept : on_(std::move(on)) {}

    connection_share on_;
};

} // namespace uasyncio
