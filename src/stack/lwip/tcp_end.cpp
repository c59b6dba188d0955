// How a socket of lwIP ends: lost by the peer or the network, closed, aborted.

#include "stack/lwip/tcp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/retransmission.hpp"

#ifndef WEFT_LWIP_CLOSED_WINDOW
#define WEFT_LWIP_CLOSED_WINDOW 120'000
#endif

namespace weft::lwip {

namespace {
/// In polls. Whoever closed waits no longer for a peer that does not read.
constexpr std::uintptr_t longest_closed_window = WEFT_LWIP_CLOSED_WINDOW / (2 * TCP_SLOW_INTERVAL);
constexpr std::uintptr_t most_polls = 0xfff; // that are counted
static_assert(longest_closed_window < most_polls / 2);
} // namespace

// The pcb is freed already. ERR_ABRT: lwIP gave up, after retransmissions or keep-alives.
void tcp::on_error(void* arg, err_t error) noexcept {
    auto* const self = static_cast<tcp*>(arg);
    self->pcb_ = nullptr;
    self->lost(error);
}

inline void tcp::lost(err_t why) noexcept {
    leave_lists();
    if (listening_ != nullptr) {
        leave_queue();
        discard();
        return;
    }
    if (doomed()) {
        return; // it was told already why
    }
    errc told = errc::timed_out;
    if (why == ERR_CLSD) {
        told = errc::ok; // both ended
    } else if (why == ERR_RST) {
        told = state_ == state::connecting ? errc::connection_refused : errc::connection_reset;
    }
    end_with(told);
}

// The pcb is gone, or is lwIP's business now. errc::ok: both ended.
void tcp::end_with(errc why) noexcept {
    readiness gained = readiness::readable | readiness::writable | readiness::hangup;
    if (why != errc::ok) {
        gained |= readiness::error;
    }
    state_ = state::finished;
    pending_error_ = static_cast<std::uint8_t>(why);
    end_seen_ = true;
    raise(gained);
}

#if !WEFT_ONE_STACK
void tcp::enter_fresh() noexcept {
    host_->fresh_sockets().push_back(*this);
}

void tcp::leave_fresh() noexcept {
    static_cast<flush_link*>(this)->unlink();
}
#endif

// Reset before anybody accepted it: the listener's backlog has room again.
void tcp::leave_queue() noexcept {
    tcp& listener = *listening_;
    tcp** at = &listener.first_pending_;
    while (*at != this) {
        at = &(*at)->next_pending_;
    }
    *at = next_pending_;
    if (listener.first_pending_ == nullptr) {
        listener.queue_emptied();
    }
}

void tcp::unreachable(errc why) noexcept {
    if (state_ != state::connecting) {
        return; // RFC 1122 4.2.3.9: a soft error once connected
    }
    due_ |= due_abort;
    flush_later(due_abort); // this runs inside lwIP
    end_with(why);
}

void tcp::abort_all(host& going) noexcept {
    const u8_t index = netif_get_index(&going.interface());
    // What tcp_new made is in none of lwIP's lists until it is bound. A board, which hardly ever
    // takes its stack down, keeps no list of these: binding tells them that it is gone.
#if !WEFT_ONE_STACK
    while (!going.fresh_sockets().empty()) {
        auto& fresh = static_cast<tcp&>(going.fresh_sockets().front());
        fresh.leave_fresh();
        tcp_abort(fresh.forget_pcb());
        fresh.end_with(errc::network_down);
    }
#endif
    for (tcp_pcb_listen* each = tcp_listen_pcbs.listen_pcbs; each != nullptr;) {
        tcp_pcb_listen* next = each->next;
        if (each->netif_idx == index && each->callback_arg != nullptr) {
            static_cast<tcp*>(each->callback_arg)->close();
        }
        each = next;
    }
    const auto abort_first = [index](tcp_pcb* list) {
        for (tcp_pcb* pcb = list; pcb != nullptr; pcb = pcb->next) {
            if (pcb->netif_idx != index) {
                continue;
            }
            auto* socket = is_ours(pcb) ? static_cast<tcp*>(pcb->callback_arg) : nullptr;
            if (socket != nullptr) {
                socket->forget_pcb();
                socket->leave_lists();
                if (!socket->doomed()) {
                    socket->end_with(errc::network_down);
                }
            }
            // Closed, all delivered, only the peer's end is awaited: a RST would take back what
            // some peers have not read yet.
            const bool delivered = pcb->state == FIN_WAIT_2 && socket == nullptr;
            tcp_abandon(pcb, pcb->state != TIME_WAIT && !delivered);
            return true;
        }
        return false;
    };
    while (abort_first(tcp_bound_pcbs) || abort_first(tcp_active_pcbs) ||
           abort_first(tcp_tw_pcbs)) {
    }
}

inline void tcp::drop_received() noexcept {
#if WEFT_ONE_STACK
    if (first_ != nullptr) {
        owed_ = static_cast<byte_count>(owed_ + first_->tot_len);
        pbuf_free(std::exchange(first_, nullptr));
    }
#else
    while (first_ != nullptr) {
        owed_ = static_cast<byte_count>(owed_ + first_->len);
        pop_consumed();
    }
    end_is(&first_);
#endif
}

void tcp::do_close() noexcept {
    leave_fresh();
    leave_lists();
    if (state_ == state::listening) {
        stop_listening();
        return;
    }
    drop_received();
    tcp_pcb* const pcb = forget_pcb();
    if (pcb != nullptr) {
        if (state_ != state::connecting && !doomed()) {
            settle_window(pcb); // or tcp_close() would answer with RST, and drop what was not sent
            close_pcb(*pcb);
        } else {
            tcp_abort(pcb);
        }
    }
    state_ = state::finished;
}

// Of a connection that nobody accepted.
WEFT_SMALL void tcp::discard() noexcept {
    do_close();
    dispose();
}

void tcp::stop_listening() noexcept {
    auto* const pcb = reinterpret_cast<tcp_pcb*>(std::exchange(listener_, nullptr));
    state_ = state::finished;
    while (tcp* pending = first_pending_) {
        first_pending_ = pending->next_pending_;
        pending->listening_ = nullptr;
        pending->due_ = due_abort;
        pending->discard();
    }
    tcp_close(pcb); // frees it
}

// After tcp_close() lwIP answers data with RST, and drops what was not sent. So while something is
// to be delivered the pcb goes on to take in what comes, and forgets it.
inline void tcp::close_pcb(tcp_pcb& pcb) noexcept {
    const bool delivering = pcb.state == ESTABLISHED || pcb.state == FIN_WAIT_1;
    tcp_close(&pcb);  // that fails for none of its states: without memory for FIN lwIP tries again
    if (delivering) { // what tcp_shutdown() for sending alone leaves as it is
        tcp_clear_flags(&pcb, TF_RXCLOSED);
    }
}

err_t tcp::on_received_after_close(void*, tcp_pcb* pcb, pbuf* p, err_t) noexcept {
    if (p != nullptr) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    }
    end_if_delivered(*pcb);
    return ERR_OK;
}

// All is delivered: the peer is told with RST that nobody listens, and has 20 seconds to finish.
void tcp::end_if_delivered(tcp_pcb& pcb) noexcept {
    if (pcb.state == FIN_WAIT_2) {
        tcp_set_flags(&pcb, TF_RXCLOSED);
    }
}

// lwIP itself probes a closed window for as long as the peer answers; but in LAST_ACK it takes no
// answer for a sign of life, and drops what is unsent after two MSL. `arg` counts for how many
// polls the window has been closed, above what was acknowledged then: it may have been open between
// two polls.
err_t tcp::on_poll_after_close(void* arg, tcp_pcb* pcb) noexcept {
    end_if_delivered(*pcb);
    const auto before = reinterpret_cast<std::uintptr_t>(arg);
    const std::uintptr_t delivered = std::uintptr_t{pcb->lastack & 0xfffffU} * (most_polls + 1);
    const bool still = pcb->persist_backoff != 0 && before - before % (most_polls + 1) == delivered;
    const std::uintptr_t polls = still ? before % (most_polls + 1) + 1 : 0;
    pcb->callback_arg = reinterpret_cast<void*>(delivered + polls);
    if (polls >= longest_closed_window) {
        pcb->persist_probe = TCP_MAXRTX; // lwIP's limit for probes without an answer
    } else if (pcb->unsent != nullptr) {
        pcb->tmr = tcp_ticks;
    }
    return mend_retransmission(arg, pcb);
}

void tcp::abort() noexcept {
    due_ |= due_abort;
    close();
}

} // namespace weft::lwip
