#include <uasyncio/connection.hpp>

#include <algorithm>
#include <cstring>
#include <new>

namespace uasyncio {

using weft::errc;
using weft::io_count;
using weft::io_error;

namespace {

/// Received ahead of what was asked for: small lines and headers come with one receive.
constexpr std::size_t chunk = 1024;
/// At most this, or as much again as is there already, is allocated before bytes have come for it.
constexpr std::size_t most_trusted = 16 * 1024;
/// After so many receives in a row a read goes through the ready queue.
constexpr int receives_in_a_row = 32;

} // namespace

connection_share connection::make(weft::tcp_stream over) noexcept {
    return connection_share(new (std::nothrow) connection(std::move(over)));
}

connection::connection(weft::tcp_stream over) noexcept : over_(std::move(over)) {
    if (const weft::result<weft::endpoint> remote = over_.remote()) {
        peer_ = *remote;
    }
}

connection::~connection() {
    close_now();
}

// --- receiving --------------------------------------------------------------------------------

io_count connection::collect(until what, std::size_t size, std::size_t& seen) noexcept {
    if (!is_open()) {
        return io_error(errc::bad_handle);
    }
    for (int round = 0; round < receives_in_a_row; ++round) {
        const std::size_t there = in_.size();
        std::size_t least = 1;
        std::size_t wanted = std::max(chunk, there);
        switch (what) {
        case until::some:
            if (there != 0 || size == 0) {
                return static_cast<io_count>(std::min(size, there));
            }
            wanted = std::clamp(size, chunk, most_trusted);
            least = std::min(size, wanted);
            break;
        case until::exactly:
            if (there >= size) {
                return static_cast<io_count>(size);
            }
            wanted = std::clamp(size - there, chunk, std::max(most_trusted, there));
            break;
        case until::line: {
            const std::span<const std::byte> all = in_.filled();
            const std::span<const std::byte> unseen =
                all.first(std::min(size, there)).subspan(seen);
            if (!unseen.empty()) {
                if (const void* newline = std::memchr(unseen.data(), '\n', unseen.size())) {
                    return static_cast<const std::byte*>(newline) - all.data() + 1;
                }
            }
            if (there >= size) {
                return static_cast<io_count>(size);
            }
            seen = there;
            break;
        }
        case until::end:
            break;
        }
        const io_count n = receive(least, wanted);
        if (n < 0) {
            return n;
        }
        if (n == 0) {
            return what == until::exactly ? io_error(errc::end_of_stream)
                                          : static_cast<io_count>(in_.size());
        }
    }
    socket()->home().make_ready(socket()->reader()); // others' turn
    return io_error(errc::would_block);
}

io_count connection::receive_into(std::span<std::byte> into) noexcept {
    if (!is_open()) {
        return io_error(errc::bad_handle);
    }
    if (in_.empty()) {
        return tell_reset_once(socket()->try_recv(into), into.size());
    }
    const std::size_t count = std::min(into.size(), in_.size());
    std::copy_n(in_.filled().data(), count, into.data());
    in_.consume(count);
    return static_cast<io_count>(count);
}

/// Receives behind what is there. If there is room for less than `least`, it makes some for
/// `wanted`.
io_count connection::receive(std::size_t least, std::size_t wanted) noexcept {
    if (!weft::any(socket()->ready() & weft::readiness::readable)) {
        return io_error(errc::would_block); // and an idle connection holds no memory
    }
    if (in_.room().size() < least && !in_.reserve(wanted)) {
        return io_error(errc::no_memory);
    }
    const std::size_t room = in_.room().size();
    const io_count n = tell_reset_once(socket()->try_recv(in_.room()), room);
    if (n > 0) {
        in_.commit(static_cast<std::size_t>(n));
    }
    return n;
}

/// What a receive into `room` bytes gave. A socket tells of a reset once: if that was to a send, a
/// reader would take it for the end.
io_count connection::tell_reset_once(io_count received, std::size_t room) noexcept {
    if (received == io_error(errc::connection_reset)) {
        reset_untold_ = false;
    } else if (received == 0 && room != 0 && std::exchange(reset_untold_, false)) {
        return io_error(errc::connection_reset);
    }
    return received;
}

// --- sending ----------------------------------------------------------------------------------

weft::result<std::size_t> connection::write(std::span<const std::byte> from) noexcept {
    if (!is_open()) {
        return weft::fail(errc::bad_handle);
    }
    if (broken_ != errc::ok) {
        return weft::fail(broken_);
    }
    if (short_of_memory_) {
        return weft::fail(errc::no_memory);
    }
    std::size_t taken = 0;
    while (out_.empty() && taken < from.size()) {
        const io_count n = socket()->try_send(from.subspan(taken));
        if (weft::would_block(n)) {
            break;
        }
        if (n < 0) {
            sending_ended(weft::error_of(n));
            return weft::fail(broken_);
        }
        taken += static_cast<std::size_t>(n);
    }
    const std::span<const std::byte> rest = from.subspan(taken);
    if (rest.empty()) {
        return taken;
    }
    if (!out_.reserve(rest.size())) {
        short_of_memory_ = true;
        if (taken == 0) {
            return weft::fail(errc::no_memory);
        }
        return taken;
    }
    std::copy_n(rest.data(), rest.size(), out_.room().data());
    out_.commit(rest.size());
    wait_until_writable();
    return from.size();
}

void connection::wait_until_writable() noexcept {
    weft::wait_side& side = socket()->writer();
    if (side.operation == nullptr) {
        side.operation = this;
        side.run = [](weft::waiter& node) {
            static_cast<connection*>(static_cast<weft::wait_side&>(node).operation)->flush();
        };
    }
}

void connection::stop_waiting() noexcept {
    if (weft::tcp_socket* s = socket()) {
        s->writer().operation = nullptr;
        s->writer().unlink();
    }
}

void connection::flush() noexcept {
    while (!out_.empty()) {
        const io_count n = socket()->try_send(out_.filled());
        if (weft::would_block(n)) {
            return; // the writer's side of the socket stays ours
        }
        if (n < 0) {
            sending_ended(weft::error_of(n));
            return;
        }
        out_.consume(static_cast<std::size_t>(n));
    }
    sending_ended(errc::ok);
}

/// Nothing is left to send: all of it went, or `why`.
void connection::sending_ended(errc why) noexcept {
    broken_ = why;
    reset_untold_ |= why == errc::connection_reset;
    out_.clear();
    stop_waiting();
    if (phase_ == phase::closing) {
        phase_ = phase::closed;
        over_.close();
    }
    if (!waiting_.empty()) {
        release_flushing(take_outcome());
    }
}

errc connection::take_outcome() noexcept {
    if (broken_ == errc::ok && std::exchange(short_of_memory_, false)) {
        return errc::no_memory;
    }
    return broken_;
}

void connection::add(flushing& waiting) noexcept {
    waiting_.push_back(waiting);
}

void connection::release_flushing(errc told) noexcept {
    while (!waiting_.empty()) {
        waiting_.pop_front().release(told);
    }
}

// --- closing ----------------------------------------------------------------------------------

void connection::close() noexcept {
    if (!is_open()) {
        return;
    }
    if (flushed()) {
        phase_ = phase::closed;
        over_.close();
        return;
    }
    phase_ = phase::closing;
    if (weft::wait_side& reader = socket()->reader(); reader.operation != nullptr) {
        socket()->home().make_ready(reader); // it sees that this is closed
    }
}

void connection::close_now() noexcept {
    if (phase_ == phase::closed) {
        return;
    }
    phase_ = phase::closed;
    if (!flushed()) {
        broken_ = errc::bad_handle;
        out_.clear();
        stop_waiting();
        release_flushing(errc::bad_handle);
    }
    over_.close();
}

weft::tcp_stream connection::detach() noexcept {
    const bool unused = is_open() && in_.filled().empty() && flushed() && waiting_.empty() &&
                        broken_ == errc::ok && socket()->reader().operation == nullptr;
    if (!unused) {
        return {};
    }
    phase_ = phase::closed;
    return std::move(over_);
}

// --- waiting until all is sent ----------------------------------------------------------------

bool flushing::refused() noexcept {
    if (!on_) {
        ended_ = errc::bad_handle;
    } else if (closing_ == closing::yes) {
        on_->close();
    } else if (!on_->is_open()) {
        ended_ = errc::bad_handle;
    }
    return ended_ != errc::ok;
}

bool flushing::wait(std::coroutine_handle<> caller, bool may_try) noexcept {
    if (may_try && on_->flushed()) {
        ended_ = on_->take_outcome();
        return false;
    }
    if (chain().canceled()) {
        chain().note_interrupted();
        ended_ = errc::canceled;
        return false;
    }
    suspend(caller, &run_now);
    if (on_->flushed()) {
        release(on_->take_outcome());
    } else {
        on_->add(*this);
    }
    return true;
}

// In the ready queue: released, or cancelled. How sending ended is told even if both.
void flushing::run_now(weft::waiter& node) {
    auto& self = static_cast<flushing&>(node);
    if (self.ended_ == errc::ok && self.chain().canceled()) {
        self.chain().note_interrupted();
        self.ended_ = errc::canceled;
    }
    self.resume();
}

} // namespace uasyncio
