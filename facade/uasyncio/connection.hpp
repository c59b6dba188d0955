// connection: what a stream and the operations that wait on it share. For those who read the
// source; users name uasyncio::stream.
#pragma once

#include <uasyncio/buffer.hpp>

#include <weft/io.hpp>
#include <weft/list.hpp>
#include <weft/tcp.hpp>
#include <weft/wait.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace uasyncio {

class connection;

/// A share in a connection: the stream's, or that of an operation which may outlive the stream.
/// Not atomic: all belong to one loop.
class connection_share {
  public:
    connection_share() noexcept = default;
    explicit connection_share(connection* first) noexcept : to_(first) {} // takes over one share
    connection_share(const connection_share& other) noexcept;
    connection_share(connection_share&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
    connection_share& operator=(connection_share&& other) noexcept {
        connection_share taken(std::move(other));
        std::swap(to_, taken.to_);
        return *this;
    }
    ~connection_share();

    [[nodiscard]] connection* get() const noexcept { return to_; }
    connection* operator->() const noexcept { return to_; }
    explicit operator bool() const noexcept { return to_ != nullptr; }

  private:
    connection* to_ = nullptr;
};

/// What ends a read.
enum class until : std::uint8_t {
    some,    // anything, up to the size
    exactly, // the size
    line,    // a newline, or the size
    end,     // the end of the stream
};

class flushing;

/// The socket, what was received and not read, and what was written and not sent.
///
///     open -> close(), something unsent -> closing -> all is sent, or cannot be -> closed
///     open -> close(), nothing unsent ------------------------------------------> closed
///     any  -> close_now() ------------------------------------------------------> closed
class connection {
  public:
    static constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();

    /// Null: no memory; `over` is closed then.
    [[nodiscard]] static connection_share make(weft::tcp_stream over) noexcept;
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    [[nodiscard]] weft::tcp_socket* socket() const noexcept { return over_.socket(); }
    [[nodiscard]] bool is_open() const noexcept { return phase_ == phase::open; }
    [[nodiscard]] const std::optional<weft::endpoint>& peer() const noexcept { return peer_; }

    // --- receiving --------------------------------------------------------------------------

    /// One try of a read: how many bytes of received() it gets, or why none. `seen`: how many of
    /// them were looked at for a newline.
    weft::io_count collect(until what, std::size_t size, std::size_t& seen) noexcept;
    weft::io_count receive_into(std::span<std::byte> into) noexcept;
    [[nodiscard]] buffer& received() noexcept { return in_; }

    // --- sending ----------------------------------------------------------------------------

    weft::result<std::size_t> write(std::span<const std::byte> from) noexcept;
    /// The socket has taken everything, or never will.
    [[nodiscard]] bool flushed() const noexcept { return out_.empty(); }
    /// How that ended; a shortage of memory is told once.
    [[nodiscard]] weft::errc take_outcome() noexcept;
    void add(flushing& waiting) noexcept;

    /// Nothing more is read or written; what was written goes out, then the socket closes.
    void close() noexcept;
    /// The same without what has not gone out.
    void close_now() noexcept;
    /// Gives the socket up, if it can: nothing is kept here, and nobody waits.
    weft::tcp_stream detach() noexcept;

  private:
    friend class connection_share;
    enum class phase : std::uint8_t { open, closing, closed };

    explicit connection(weft::tcp_stream over) noexcept;

    weft::io_count receive(std::size_t least, std::size_t wanted) noexcept;
    weft::io_count tell_reset_once(weft::io_count received, std::size_t room) noexcept;
    void flush() noexcept;
    void wait_until_writable() noexcept;
    void stop_waiting() noexcept;
    void sending_ended(weft::errc why) noexcept;
    void release_flushing(weft::errc told) noexcept;

    weft::tcp_stream over_;
    buffer in_;
    buffer out_;
    weft::list<flushing> waiting_;
    std::optional<weft::endpoint> peer_;
    std::size_t shares_ = 1;
    weft::errc broken_ = weft::errc::ok; // why nothing can be sent any more
    phase phase_ = phase::open;
    bool short_of_memory_ = false; // a write took less than all, and no drain has told
    bool reset_untold_ = false;    // a send met the reset that a read is still to tell
};

inline connection_share::connection_share(const connection_share& other) noexcept : to_(other.to_) {
    if (to_ != nullptr) {
        ++to_->shares_;
    }
}
inline connection_share::~connection_share() {
    if (to_ != nullptr && --to_->shares_ == 0) {
        delete to_;
    }
}

/// `co_await s.read(...)`, `readexactly`, `readline`.
class [[nodiscard]] reading : public weft::io_wait<reading, weft::direction::in> {
  public:
    reading(const connection_share& on, until what, std::size_t size) noexcept
        : io_wait(on ? on->socket() : nullptr), on_(on), size_(size), what_(what) {}
    weft::result<bytes> await_resume() noexcept {
        const weft::io_count n = finish();
        if (n < 0) {
            return weft::fail(weft::error_of(n));
        }
        return on_->received().take(static_cast<std::size_t>(n));
    }

  private:
    friend class weft::io_wait<reading, weft::direction::in>;
    weft::io_count attempt() noexcept { return on_->collect(what_, size_, seen_); }

    connection_share on_;
    std::size_t size_;
    std::size_t seen_ = 0;
    until what_;
};

/// `co_await s.readinto(...)`.
class [[nodiscard]] reading_into : public weft::io_wait<reading_into, weft::direction::in> {
  public:
    reading_into(const connection_share& on, std::span<std::byte> into) noexcept
        : io_wait(on ? on->socket() : nullptr), on_(on), into_(into) {}
    weft::result<std::size_t> await_resume() noexcept { return weft::to_result(finish()); }

  private:
    friend class weft::io_wait<reading_into, weft::direction::in>;
    weft::io_count attempt() noexcept { return on_->receive_into(into_); }

    connection_share on_;
    std::span<std::byte> into_;
};

/// `co_await s.drain()` and `co_await s.wait_closed()`.
class [[nodiscard]] flushing : public weft::wait_node {
  public:
    enum class closing : bool { no, yes };

    flushing(const connection_share& on, closing c) noexcept : on_(on), closing_(c) {}

    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        const bool may_try = enter(caller).spend();
        return !refused() && wait(caller, may_try);
    }
    weft::result<> await_resume() noexcept {
        finish();
        if (ended_ != weft::errc::ok) {
            return weft::fail(ended_);
        }
        return {};
    }

    /// All is sent, or never will be; for the connection.
    void release(weft::errc told) noexcept {
        ended_ = told;
        home().make_unlinked_ready(*this);
    }

  private:
    bool refused() noexcept;
    bool wait(std::coroutine_handle<> caller, bool may_try) noexcept;
    static void run_now(weft::waiter& node);

    connection_share on_;
    weft::errc ended_ = weft::errc::ok;
    closing closing_;
};

} // namespace uasyncio
