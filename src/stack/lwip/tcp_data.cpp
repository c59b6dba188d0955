// A connected socket of lwIP: receiving and sending.

#include "stack/lwip/tcp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/retransmission.hpp"

#include <algorithm>
#include <cstring>

namespace weft::lwip {

// The peer's FIN: lwIP tells it once.
void tcp::received_end(const tcp_pcb& pcb) noexcept {
    end_seen_ = true;
    if (pcb.state == CLOSING || pcb.state == TIME_WAIT) {
        // both sides have finished: lwIP frees such a pcb without a word
        forget_pcb();
        on_error(this, ERR_CLSD);
    }
}

[[gnu::noinline]] io_count tcp::told() noexcept {
    errc said = errc::not_connected;
    if (closed()) {
        said = errc::bad_handle;
    } else if (state_ > state::listening) {
        said = tell_error();
    }
    return io_error(said);
}

io_count tcp::end_of_input() noexcept {
    if (const io_count said = told(); said != 0 || end_seen_) {
        return said;
    }
    lower(readiness::readable);
    return io_error(errc::would_block);
}

// --- sending

io_count tcp::cannot_send() noexcept {
    if (const io_count said = told(); said != 0) {
        return said;
    }
    if (state_ != state::connecting) {
        return io_error(errc::broken_pipe);
    }
    lower(readiness::writable);
    return io_error(errc::would_block);
}

err_t tcp::on_poll(void* arg, tcp_pcb* pcb) noexcept {
    core::instance().memory_available();
    return mend_retransmission(arg, pcb);
}

result<> tcp::shutdown_send() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ == state::half_closed) {
        return {};
    }
    if (state_ != state::connected) {
        return fail(errc::not_connected);
    }
    const err_t ended = tcp_shutdown(pcb_, 0, 1);
    if (ended != ERR_OK) {
        return fail(to_errc(ended));
    }
    state_ = state::half_closed;
    raise(readiness::writable); // a writer that waits is told broken_pipe
    return {};
}

#if !WEFT_ONE_STACK // a board's are in one_stack_tcp.cpp

void tcp::settle_window(tcp_pcb* pcb) noexcept {
    while (owed_ != 0) {
        const auto step = static_cast<u16_t>(std::min<std::uint32_t>(owed_, 0xffff));
        owed_ = static_cast<byte_count>(owed_ - step);
        tcp_recved(pcb, step); // takes 16 bits
    }
}

[[gnu::noinline]] err_t tcp::received_parts(pbuf* parts) noexcept {
    pbuf** last = end();
    while (parts != nullptr) {
        pbuf* const next = parts->next;
        if (parts->len != 0) {
            *last = parts;
            last = &parts->next;
        } else { // behind a header that ends with a fragment; it would look like the stream's end
            parts->next = nullptr;
            pbuf_free(parts);
        }
        parts = next;
    }
    *last = nullptr;
    end_is(last);
    raise(readiness::readable);
    return ERR_OK;
}

err_t tcp::on_received(void* arg, tcp_pcb* pcb, pbuf* p, err_t) noexcept {
    auto* self = static_cast<tcp*>(arg);
    if (p == nullptr) [[unlikely]] {
        self->received_end(*pcb);
        self->raise(readiness::readable);
        return ERR_OK;
    }
    if (p->next != nullptr) {
        return self->received_parts(p);
    }
    *self->end() = p;
    self->end_is(&p->next);
    self->raise(readiness::readable);
    return ERR_OK;
}

io_count tcp::receive_some(std::byte* into, std::size_t size) noexcept {
    pbuf* const only = first_;
    if (only == nullptr || only->next != nullptr || only->len > size) {
        return receive_across(into, size);
    }
    // Most often all that waits is one pbuf, and it fits. A board has the general case alone.
    const std::size_t n = only->len;
    first_ = nullptr;
    emptied();
    owe(n);
    std::memcpy(into, only->payload, n);
    pbuf_free(only);
    return static_cast<io_count>(n);
}

[[gnu::noinline]] io_count tcp::receive_across(std::byte* into, std::size_t size) noexcept {
    if (size == 0 && state_ != state::listening && !closed()) {
        return 0;
    }
    if (first_ == nullptr) {
        return end_of_input();
    }
    std::size_t taken = 0;
    do {
        const std::size_t left = first_->len;
        const std::size_t room = size - taken;
        const std::size_t n = left < room ? left : room;
        std::memcpy(into + taken, first_->payload, n);
        taken += n;
        if (n < left) {
            cut_consumed(n);
            break;
        }
        pop_consumed();
    } while (first_ != nullptr && taken != size);
    if (first_ == nullptr) {
        emptied();
    }
    owe(taken);
    return static_cast<io_count>(taken);
}

void tcp::pop_consumed() noexcept {
    pbuf* const consumed = first_;
    first_ = consumed->next;
    consumed->next = nullptr; // or the rest of the queue would go with it
    pbuf_free(consumed);
}

void tcp::cut_consumed(std::size_t n) noexcept {
    first_->payload = static_cast<std::byte*>(first_->payload) + n;
    first_->len = static_cast<u16_t>(first_->len - n);
}

// The last of the received pbufs was consumed.
inline void tcp::emptied() noexcept {
    end_is(&first_);
    if (!end_seen_) {
        lower(readiness::readable);
    }
}

// `n` bytes left the queue: the window has them back at the end of the turn, a segment's worth at
// once.
inline void tcp::owe(std::size_t n) noexcept {
    owed_ = static_cast<byte_count>(owed_ + n);
    if (owed_ >= TCP_MSS) {
        window_due();
    }
}

[[gnu::noinline]] void tcp::window_due() noexcept {
    if (pcb_ != nullptr) {
        flush_later(due_window);
    }
}

result<std::span<const std::byte>> tcp::peek() noexcept {
    if (first_ == nullptr) {
        const io_count end = end_of_input();
        if (end < 0) {
            return fail(error_of(end));
        }
        return std::span<const std::byte>();
    }
    return std::span(static_cast<const std::byte*>(first_->payload), first_->len);
}

void tcp::consume(std::size_t n) noexcept {
    std::size_t consumed = 0;
    while (first_ != nullptr && n != 0) {
        const std::size_t left = first_->len;
        const std::size_t step = n < left ? n : left;
        consumed += step;
        n -= step;
        if (step < left) {
            cut_consumed(step);
            break;
        }
        pop_consumed();
    }
    if (first_ == nullptr) {
        emptied();
    }
    owe(consumed);
}

io_count tcp::send_some(const std::byte* from, std::size_t size) noexcept {
    if (state_ != state::connected) [[unlikely]] {
        return cannot_send();
    }
    std::size_t n = size;
    if (n > tcp_sndbuf(pcb_)) [[unlikely]] { // which is cut to 16 bits
        n = tcp_sndbuf(pcb_);
        if (n == 0) {
            return no_room();
        }
    } else if (n == 0) [[unlikely]] {
        return 0;
    }
    err_t written = write(from, n);
    if (written == ERR_MEM && n > tcp_mss(pcb_)) [[unlikely]] {
        n = tcp_mss(pcb_); // the whole did not fit lwIP's pools; one segment may
        written = write(from, n);
    }
    if (written != ERR_OK) [[unlikely]] {
        return written == ERR_MEM ? no_room() : io_error(to_errc(written));
    }
    flush_later(due_output);
    return static_cast<io_count>(n);
}

io_count tcp::no_room() noexcept {
    lower(readiness::writable);
    tcp_sent(pcb_, &on_sent); // lwIP calls it for a socket that waits, and for no other
    if (tcp_sndbuf(pcb_) != 0) {
        core::instance().starve(*this);
    }
    flush_later(due_output); // what waits unsent must go for `sent` to come
    return io_error(errc::would_block);
}

err_t tcp::on_sent(void* arg, tcp_pcb* pcb, u16_t) noexcept {
    if (tcp_sndbuf(pcb) >= TCP_SNDLOWAT && tcp_sndqueuelen(pcb) <= TCP_SNDQUEUELOWAT) {
        tcp_sent(pcb, nullptr);
        static_cast<tcp*>(arg)->raise(readiness::writable);
    }
    return ERR_OK;
}

void tcp::flush_all(std::uint8_t due) noexcept {
    if ((due & due_abort) != 0) {
        tcp_abort(forget_pcb());
        return;
    }
    if ((due & due_window) != 0) {
        settle_window(pcb_);
    }
    if ((due & due_output) != 0) {
        tcp_output(pcb_);
    }
}

#endif

} // namespace weft::lwip
