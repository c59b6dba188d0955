// A connected socket of lwIP: receiving and sending.

#include "stack/lwip/tcp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/retransmission.hpp"

#include <algorithm>
#include <cstring>

namespace weft::lwip {

namespace {
// A header that ends with a fragment leaves a part without bytes; in the queue it would look like
// the end of the stream.
pbuf* without_empty_parts(pbuf* p) noexcept {
    pbuf* first = nullptr;
    pbuf** end = &first;
    while (p != nullptr) {
        pbuf* const next = p->next;
        if (p->len == 0) {
            p->next = nullptr;
            pbuf_free(p);
        } else {
            *end = p;
            end = &p->next;
        }
        p = next;
    }
    *end = nullptr;
    return first;
}
} // namespace

err_t tcp::on_received(void* arg, tcp_pcb* pcb, pbuf* p, err_t) noexcept {
    auto* self = static_cast<tcp*>(arg);
    if (self == nullptr) {
        if (p != nullptr) {
            tcp_recved(pcb, p->tot_len);
            pbuf_free(p);
        }
        return ERR_OK;
    }
    if (p == nullptr) {
        self->end_seen_ = true; // FIN: lwIP tells it once
        if (pcb->state == CLOSING || pcb->state == TIME_WAIT) {
            // both sides have finished: lwIP frees such a pcb without a word
            self->forget_pcb();
            static_cast<flush_link*>(self)->unlink();
            static_cast<starved_link*>(self)->unlink();
            self->both_ended();
            return ERR_OK;
        }
    } else {
        if (p->next != nullptr) {
            p = without_empty_parts(p);
        }
        if (self->last_ != nullptr) {
            self->last_->next = p;
        } else {
            self->first_ = p;
        }
        while (p->next != nullptr) {
            p = p->next;
        }
        self->last_ = p;
    }
    self->raise(readiness::readable);
    return ERR_OK;
}

io_count tcp::end_of_input() noexcept {
    if (closed()) {
        return io_error(errc::bad_handle);
    }
    if (pending_error_ != errc::ok) {
        const errc why = pending_error_;
        pending_error_ = errc::ok;
        end_seen_ = true;
        return io_error(why);
    }
    if (end_seen_) {
        return 0;
    }
    lower(readiness::readable);
    switch (state_) {
    case state::connected:
    case state::connecting:
        return io_error(errc::would_block);
    default:
        return io_error(errc::not_connected);
    }
}

io_count tcp::receive_some(std::span<std::byte> into) noexcept {
    if (state_ == state::listening) {
        return io_error(errc::not_connected);
    }
    if (first_ == nullptr) {
        return into.empty() && !closed() ? 0 : end_of_input();
    }
    std::size_t taken = 0;
    std::size_t room = into.size();
    pbuf* at = first_;
    std::size_t offset = offset_;
    do {
        const std::size_t left = at->len - offset;
        const std::size_t n = left < room ? left : room;
        std::memcpy(into.data() + taken, static_cast<const std::byte*>(at->payload) + offset, n);
        taken += n;
        room -= n;
        if (n < left) {
            offset += n;
            break;
        }
        offset = 0;
        at = pop_consumed(at);
    } while (at != nullptr && room != 0);
    first_ = at;
    offset_ = static_cast<std::uint16_t>(offset);
    owe(taken);
    return static_cast<io_count>(taken);
}

// Frees the first pbuf of the queue; the one behind it.
pbuf* tcp::pop_consumed(pbuf* first) noexcept {
    pbuf* const next = first->next;
    first->next = nullptr; // or the rest of the queue would go with it
    pbuf_free(first);
    return next;
}

// `n` bytes left the queue: the window has them back at the end of the turn, a segment's worth at
// once.
void tcp::owe(std::size_t n) noexcept {
    owed_ += static_cast<std::uint32_t>(n);
    if (first_ == nullptr) {
        last_ = nullptr;
        if (!end_seen_ && pending_error_ == errc::ok) {
            lower(readiness::readable);
        }
    }
    if (pcb_ != nullptr && owed_ >= tcp_mss(pcb_)) {
        core::instance().flush_later(*this);
    }
}

result<std::span<const std::byte>> tcp::peek() noexcept {
    if (state_ == state::listening) {
        return fail(errc::not_connected);
    }
    if (first_ == nullptr) {
        const io_count end = end_of_input();
        if (end < 0) {
            return fail(error_of(end));
        }
        return std::span<const std::byte>();
    }
    return std::span(static_cast<const std::byte*>(first_->payload), first_->len).subspan(offset_);
}

void tcp::consume(std::size_t n) noexcept {
    std::size_t consumed = 0;
    while (first_ != nullptr && n != 0) {
        const std::size_t left = first_->len - std::size_t{offset_};
        const std::size_t step = n < left ? n : left;
        consumed += step;
        n -= step;
        if (step < left) {
            offset_ = static_cast<std::uint16_t>(offset_ + step);
            break;
        }
        offset_ = 0;
        first_ = pop_consumed(first_);
    }
    owe(consumed);
}

void tcp::settle_window() noexcept {
    while (owed_ != 0 && pcb_ != nullptr) {
        const auto step = static_cast<u16_t>(std::min<std::uint32_t>(owed_, 0xffff));
        owed_ -= step;
        tcp_recved(pcb_, step); // takes 16 bits
    }
}

// --- sending
// ----------------------------------------------------------------------------------------

io_count tcp::cannot_send() noexcept {
    if (closed()) {
        return io_error(errc::bad_handle);
    }
    if (pending_error_ != errc::ok) {
        const errc why = pending_error_;
        pending_error_ = errc::ok;
        end_seen_ = true;
        return io_error(why);
    }
    if (state_ == state::connecting) {
        lower(readiness::writable);
        return io_error(errc::would_block);
    }
    const bool ended = state_ == state::connected || state_ == state::finished;
    return io_error(ended ? errc::broken_pipe : errc::not_connected);
}

io_count tcp::send_some(std::span<const std::byte> from) noexcept {
    if (state_ != state::connected || send_ended_) [[unlikely]] {
        return cannot_send();
    }
    std::size_t n = from.size();
    if (n > tcp_sndbuf(pcb_) || n > 0xffff) [[unlikely]] {
        n = std::min<std::size_t>(tcp_sndbuf(pcb_), 0xffff);
    }
    if (n == 0) [[unlikely]] {
        return from.empty() ? 0 : no_room();
    }
    err_t written = tcp_write(pcb_, from.data(), static_cast<u16_t>(n), TCP_WRITE_FLAG_COPY);
    if (written == ERR_MEM && n > tcp_mss(pcb_)) {
        n = tcp_mss(pcb_); // the whole did not fit lwIP's pools; one segment may
        written = tcp_write(pcb_, from.data(), static_cast<u16_t>(n), TCP_WRITE_FLAG_COPY);
    }
    if (written != ERR_OK) [[unlikely]] {
        return written == ERR_MEM ? no_room() : io_error(to_errc(written));
    }
    output_due_ = true;
    core::instance().flush_later(*this);
    return static_cast<io_count>(n);
}

io_count tcp::no_room() noexcept {
    lower(readiness::writable);
    if (tcp_sndbuf(pcb_) != 0) {
        core::instance().starve(*this);
    }
    output_due_ = true; // what waits unsent must go for `sent` to come
    core::instance().flush_later(*this);
    return io_error(errc::would_block);
}

err_t tcp::on_sent(void* arg, tcp_pcb* pcb, u16_t) noexcept {
    auto* self = static_cast<tcp*>(arg);
    core::instance().memory_available();
    if (self != nullptr && !any(self->ready() & readiness::writable) &&
        tcp_sndbuf(pcb) >= TCP_SNDLOWAT && tcp_sndqueuelen(pcb) <= TCP_SNDQUEUELOWAT) {
        self->raise(readiness::writable);
    }
    return ERR_OK;
}

err_t tcp::on_poll(void* arg, tcp_pcb* pcb) noexcept {
    core::instance().memory_available();
    return mend_retransmission(arg, pcb);
}

void tcp::flush() noexcept {
    if (doomed_) {
        if (tcp_pcb* pcb = forget_pcb()) {
            tcp_abort(pcb);
        }
        return;
    }
    if (pcb_ == nullptr || state_ == state::listening) {
        return;
    }
    if (owed_ >= tcp_mss(pcb_)) {
        settle_window();
    }
    if (output_due_) {
        output_due_ = false;
        tcp_output(pcb_);
    }
}

result<> tcp::shutdown_send() noexcept {
    if (const result<> ok = usable(); !ok) {
        return ok;
    }
    if (state_ != state::connected) {
        return fail(errc::not_connected);
    }
    if (send_ended_) {
        return {};
    }
    const err_t ended = tcp_shutdown(pcb_, 0, 1);
    if (ended != ERR_OK) {
        return fail(to_errc(ended));
    }
    send_ended_ = true;
    raise(readiness::writable); // a writer that waits is told broken_pipe
    return {};
}

} // namespace weft::lwip
