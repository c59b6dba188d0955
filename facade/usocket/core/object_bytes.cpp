// A socket of the façade: receiving and sending.

#include "usocket/core/object.hpp"

#include "usocket/constants.hpp"
#include "usocket/error.hpp"

#include <algorithm>
#include <cstring>

namespace usocket {

using weft::error_of;
using weft::io_error;
using weft::readiness;
using weft::would_block;

namespace {
constexpr std::size_t line_step = 256; // what is asked of the stack at a time for a line
constexpr std::size_t read_step = 65536;
constexpr std::size_t largest_datagram = 65535;
constexpr char end_of_line = '\n';
} // namespace

/// Why bytes cannot be sent or received in a state that is not connected.
errc object::not_sendable() noexcept {
    if (state_ == state::refused && pending_ != errc::ok) {
        return take_error();
    }
    return state_ == state::connecting ? errc::would_block : errc::not_connected;
}

/// errc::ok: the end of the stream.
errc object::not_readable() noexcept {
    switch (state_) {
    case state::connecting:
        return errc::would_block;
    case state::half_deaf:
        return errc::ok;
    case state::refused:
        return pending_ != errc::ok ? take_error() : errc::ok;
    default:
        return errc::not_connected;
    }
}

/// `attempt` until it does not block. Whoever calls keeps the object alive.
template <class Try>
io_count object::until_done(patience& p, readiness wanted, Try attempt) noexcept {
    while (true) {
        if (core_ != nullptr && p.limit_ == weft::duration::zero()) {
            core_->presume(wanted);
        }
        const io_count n = attempt();
        if (!would_block(n)) {
            return n;
        }
        if (const errc waited = wait(p); waited != errc::ok) {
            return io_error(waited);
        }
    }
}

// --- streams: receiving

/// At least one byte from the stack; 0 at the end.
io_count object::receive(std::span<std::byte> into, patience& p) noexcept {
    return until_done(p, readiness::readable, [&]() -> io_count {
        if (state_ == state::connecting) {
            advance_connect();
        }
        return state_ == state::connected ? received(tcp().try_recv(into))
                                          : io_error(not_readable());
    });
}

/// `n`, or at the end of the stream the error that more_now() met before it.
io_count object::received(io_count n) noexcept {
    return n == 0 && pending_ != errc::ok ? io_error(std::exchange(pending_, errc::ok)) : n;
}

/// What has come already, behind what was held. An error met here is told where the end would be.
std::size_t object::more_now(std::span<std::byte> into) noexcept {
    if (into.empty() || state_ != state::connected) {
        return 0;
    }
    core_->presume(readiness::readable);
    const io_count n = tcp().try_recv(into);
    if (n < 0 && !would_block(n)) {
        pending_ = error_of(n);
    }
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

/// Until `into` is full from `got` on. errc::end_of_stream, or what stopped it; `got` is exact.
errc object::fill(std::span<std::byte> into, std::size_t& got, patience& p) noexcept {
    got += held_.take(into.subspan(got));
    while (got != into.size()) {
        const io_count n = receive(into.subspan(got), p);
        if (n <= 0) {
            return n == 0 ? errc::end_of_stream : error_of(n);
        }
        got += static_cast<std::size_t>(n);
        const bool more = got != into.size() && core_ != nullptr;
        if (more && p.limit_ == weft::duration::zero() &&
            !weft::any(core_->ready() & readiness::readable)) {
            return errc::would_block; // the stack need not be asked to say so
        }
    }
    return errc::ok;
}

/// Until `n` bytes are held.
errc object::fill_held(std::size_t n, patience& p) noexcept {
    while (held_.size() < n) {
        std::size_t wanted = std::min(n - held_.size(), read_step);
        std::span<std::byte> room = held_.room(wanted);
        while (room.empty() && wanted > line_step) {
            wanted /= 2; // a board has little
            room = held_.room(wanted);
        }
        if (room.empty()) {
            return errc::no_memory;
        }
        const io_count got = receive(room.first(wanted), p);
        if (got <= 0) {
            return got == 0 ? errc::end_of_stream : error_of(got);
        }
        held_.commit(static_cast<std::size_t>(got));
    }
    return errc::ok;
}

io_count object::recv(std::span<std::byte> into, int flags) noexcept {
    if (!quick_ || flags != 0 || into.empty() || loop_->running()) {
        return recv_apart(into, flags);
    }
    const bool waits = limit_ != weft::duration::zero();
    const io_count n = waits ? tcp().try_recv(into) : tcp().ask_recv(into);
    return waits && would_block(n) ? wait_and_recv(into) : n;
}

/// When the stack had nothing.
io_count object::wait_and_recv(std::span<std::byte> into) noexcept {
    const in_call alive(*this);
    patience p(limit_);
    if (const errc waited = wait(p); waited != errc::ok) {
        return io_error(waited);
    }
    if (quick_) { // else a callback changed it meanwhile
        const io_count n = tcp().try_recv(into);
        if (!would_block(n)) {
            return n;
        }
    }
    return receive(into, p);
}

io_count object::recv_apart(std::span<std::byte> into, int flags) noexcept {
    if (kind_ == kind::datagram) {
        endpoint from;
        return recv_from(into, flags, from);
    }
    if (into.empty()) {
        return 0;
    }
    const in_call alive(*this);
    patience p = patience_for(flags);
    if (const errc error = may_wait(p, "recv", "tcp_stream::recv"); error != errc::ok) {
        return io_error(error);
    }
    if ((flags & MSG_PEEK) != 0) {
        const std::size_t most = std::min(into.size(), read_step);
        const std::size_t wanted = most - std::min(most, held_.size());
        const std::span<std::byte> room = held_.room(wanted);
        if (held_.empty()) {
            if (room.empty()) {
                return io_error(errc::no_memory);
            }
            const io_count n = receive(room.first(wanted), p);
            if (n <= 0) {
                return n;
            }
            held_.commit(static_cast<std::size_t>(n));
        } else if (room.size() >= wanted) {
            held_.commit(more_now(room.first(wanted)));
        }
        const std::size_t n = std::min(into.size(), held_.size());
        std::memcpy(into.data(), held_.bytes().data(), n);
        return static_cast<io_count>(n);
    }
    if (!held_.empty()) {
        const std::size_t n = held_.take(into);
        return static_cast<io_count>(n + more_now(into.subspan(n)));
    }
    return receive(into, p);
}

io_count object::read(std::span<std::byte> into) noexcept {
    if (kind_ == kind::datagram || into.empty()) {
        return recv_apart(into, 0);
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "read", "tcp_stream::read_exactly"); error != errc::ok) {
        return io_error(error);
    }
    std::size_t got = 0;
    const errc stopped = fill(into, got, p);
    const bool partial = got != 0 && stopped == errc::would_block;
    if (stopped == errc::ok || stopped == errc::end_of_stream || partial) {
        return static_cast<io_count>(got);
    }
    if (got != 0 && place_ != nullptr && !held_.put_front(into.first(got))) {
        return static_cast<io_count>(got); // no memory to keep it: better a short read than a loss
    }
    return io_error(stopped);
}

io_count object::hold(std::size_t n) noexcept {
    if (kind_ == kind::datagram) {
        return io_error(errc::not_supported);
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "read", "tcp_stream::read_exactly"); error != errc::ok) {
        return io_error(error);
    }
    const errc stopped = fill_held(n, p);
    const bool partial = stopped == errc::would_block && !held_.empty();
    if (stopped == errc::ok || stopped == errc::end_of_stream || partial) {
        return static_cast<io_count>(std::min(n, held_.size()));
    }
    return io_error(stopped);
}

/// The length of the line that is held; at most `longest`.
io_count object::hold_line(std::size_t longest, patience& p) noexcept {
    std::size_t seen = 0; // has no end of a line
    while (true) {
        const std::span<const std::byte> held = held_.bytes();
        const void* const found =
            held.size() > seen ? std::memchr(held.data() + seen, end_of_line, held.size() - seen)
                               : nullptr;
        std::size_t length = held.size();
        if (found != nullptr) {
            length =
                static_cast<std::size_t>(static_cast<const std::byte*>(found) - held.data()) + 1;
        }
        if (found != nullptr || length >= longest) {
            return static_cast<io_count>(std::min(length, longest));
        }
        seen = length;
        const errc stopped = [&] {
            const std::span<std::byte> room = held_.room(line_step);
            if (room.empty()) {
                return errc::no_memory;
            }
            const io_count n = receive(room.first(line_step), p);
            if (n > 0) {
                held_.commit(static_cast<std::size_t>(n));
                return errc::ok;
            }
            return n == 0 ? errc::end_of_stream : error_of(n);
        }();
        if (stopped == errc::end_of_stream || (stopped == errc::would_block && seen != 0)) {
            return static_cast<io_count>(seen); // a partial line as far as it goes
        }
        if (stopped != errc::ok) {
            return io_error(stopped);
        }
    }
}

io_count object::hold_line() noexcept {
    if (kind_ == kind::datagram) {
        return io_error(errc::not_supported);
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "readline", "tcp_stream::recv"); error != errc::ok) {
        return io_error(error);
    }
    return hold_line(SIZE_MAX, p);
}

io_count object::read_line(std::span<std::byte> into) noexcept {
    if (kind_ == kind::datagram) {
        return io_error(errc::not_supported);
    }
    if (into.empty()) {
        return 0;
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "readline", "tcp_stream::recv"); error != errc::ok) {
        return io_error(error);
    }
    const io_count length = hold_line(into.size(), p);
    if (length > 0) {
        held_.take(into.first(static_cast<std::size_t>(length)));
    }
    return length;
}

// --- streams: sending

/// All of `from` from `done` on, or once if it may not wait.
errc object::push(std::span<const std::byte> from, std::size_t& done, patience& p) noexcept {
    const auto attempt = [&]() -> io_count {
        if (state_ == state::connecting) {
            advance_connect();
        }
        const bool connected = state_ == state::connected || state_ == state::half_deaf;
        return connected ? tcp().try_send(from.subspan(done)) : io_error(not_sendable());
    };
    do {
        const io_count n = until_done(p, readiness::writable, attempt);
        if (n < 0) {
            return error_of(n);
        }
        done += static_cast<std::size_t>(n);
    } while (done != from.size() && p.limit_ != weft::duration::zero());
    if (secured_ && p.limit_ != weft::duration::zero()) {
        settle_record(p);
    }
    push_out();
    return place_ != nullptr ? errc::ok : errc::bad_handle;
}

/// TLS takes a record whole, and gives it to the socket below as there is room. Who may wait does,
/// since nobody turns the loop behind the last send.
void object::settle_record(patience& p) noexcept {
    while (core_ != nullptr && !weft::any(core_->ready() & readiness::writable)) {
        if (wait(p) != errc::ok) {
            return; // it goes on with later turns
        }
    }
}

io_count object::send(std::span<const std::byte> from, int flags) noexcept {
    if (!quick_ || flags != 0 || limit_ == weft::duration::zero() || loop_->running()) {
        return send_apart(from, 0, flags);
    }
    const io_count n = tcp().try_send(from);
    if (n == static_cast<io_count>(from.size()) || (n < 0 && !would_block(n))) {
        return n;
    }
    return send_apart(from, n < 0 ? 0 : static_cast<std::size_t>(n), flags);
}

/// `done` bytes were taken already.
io_count object::send_apart(std::span<const std::byte> from, std::size_t done, int flags) noexcept {
    if (kind_ == kind::datagram) {
        return send_to(from, nullptr, flags);
    }
    const in_call alive(*this);
    patience p = patience_for(flags);
    if (const errc error = may_wait(p, "send", "tcp_stream::send_all"); error != errc::ok) {
        return io_error(error);
    }
    const errc stopped = push(from, done, p);
    const bool in_time = stopped != errc::timed_out && stopped != errc::interrupted;
    if (stopped == errc::ok || (done != 0 && !in_time)) {
        return static_cast<io_count>(done);
    }
    return io_error(stopped);
}

errc object::send_all(std::span<const std::byte> from, std::size_t& done) noexcept {
    done = 0;
    if (kind_ == kind::datagram) {
        const io_count n = send_to(from, nullptr, 0);
        done = n > 0 ? static_cast<std::size_t>(n) : 0;
        return n < 0 ? error_of(n) : errc::ok;
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "sendall", "tcp_stream::send_all"); error != errc::ok) {
        return error;
    }
    if (p.limit_ == weft::duration::zero() && core_ != nullptr && state_ == state::connected &&
        tcp().send_space() < from.size()) {
        push_out(); // there may be room next time
        return errc::would_block;
    }
    const errc stopped = push(from, done, p);
    return stopped == errc::ok && done != from.size() ? errc::would_block : stopped;
}

errc object::write(std::span<const std::byte> from, std::size_t& done) noexcept {
    done = 0;
    if (kind_ == kind::datagram) {
        return send_all(from, done);
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "write", "tcp_stream::send_all"); error != errc::ok) {
        return error;
    }
    return push(from, done, p);
}

// --- datagrams

io_count object::take_datagram(std::span<std::byte> into, endpoint& from) noexcept {
    const std::size_t n = held_.take(into);
    held_.drop(held_.size());
    held_datagram_ = false;
    from = held_from_;
    return static_cast<io_count>(n);
}

io_count object::receive_datagram(std::span<std::byte> into, patience& p, endpoint& from) noexcept {
    return until_done(p, readiness::readable, [&]() -> io_count {
        const result<weft::datagram> next = udp().try_recv_from(into);
        if (!next) {
            return io_error(next.error());
        }
        from = next->from;
        return static_cast<io_count>(next->size);
    });
}

io_count object::peek_datagram(std::span<std::byte> into, patience& p, endpoint& from) noexcept {
    if (!held_datagram_) {
        const std::span<std::byte> room = held_.room(largest_datagram);
        if (room.empty()) {
            return io_error(errc::no_memory);
        }
        const io_count n = receive_datagram(room, p, held_from_);
        if (n < 0) {
            return n;
        }
        held_.commit(static_cast<std::size_t>(n));
        held_datagram_ = true;
    }
    const std::size_t n = std::min(into.size(), held_.size());
    if (n != 0) {
        std::memcpy(into.data(), held_.bytes().data(), n);
    }
    from = held_from_;
    return static_cast<io_count>(n);
}

io_count object::recv_from(std::span<std::byte> into, int flags, endpoint& from) noexcept {
    if (kind_ == kind::stream) {
        const io_count n = recv(into, flags);
        if (n >= 0 && core_ != nullptr) {
            from = core_->remote().value_or(endpoint{weft::address::any(family_), 0});
        }
        return n;
    }
    if (into.empty()) {
        return 0;
    }
    const in_call alive(*this);
    patience p = patience_for(flags);
    if (const errc error = may_wait(p, "recvfrom", "udp_socket::recv_from"); error != errc::ok) {
        return io_error(error);
    }
    if ((flags & MSG_PEEK) != 0) {
        return peek_datagram(into, p, from);
    }
    return held_datagram_ ? take_datagram(into, from) : receive_datagram(into, p, from);
}

io_count
object::send_datagram(std::span<const std::byte> from, const endpoint* to, patience& p) noexcept {
    const io_count n =
        until_done(p, readiness::writable, [&] { return udp().try_send_to(from, to); });
    if (n >= 0) {
        push_out();
    }
    return n;
}

io_count object::send_to(std::span<const std::byte> from, const endpoint* to, int flags) noexcept {
    if (kind_ == kind::stream) {
        return send(from, flags); // it has its peer
    }
    const in_call alive(*this);
    patience p = patience_for(flags);
    if (const errc error = may_wait(p, "sendto", "udp_socket::send_to"); error != errc::ok) {
        return io_error(error);
    }
    return send_datagram(from, to, p);
}

// --- MicroPython's stream protocol

namespace {
constexpr std::size_t stream_failed = static_cast<std::size_t>(-1);

std::size_t as_stream(io_count n, int* error) noexcept {
    if (n >= 0) {
        return static_cast<std::size_t>(n);
    }
    *error = python_error(error_of(n)).number;
    return stream_failed;
}
} // namespace

std::size_t object::stream_read(std::span<std::byte> into, int* error) noexcept {
    return as_stream(recv(into), error);
}

std::size_t object::stream_write(std::span<const std::byte> from, int* error) noexcept {
    return as_stream(send(from), error);
}

} // namespace usocket
