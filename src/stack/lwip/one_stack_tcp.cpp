// A board's TCP sockets, where an image's size counts more than instructions: what was received is
// one chain of lwIP's, and sockets that wait for something are found among its pcbs. What hosts
// have instead is in tcp_data.cpp and tcp_setup.cpp.

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/tcp.hpp"

#include <algorithm>
#include <cstring>

#if WEFT_ONE_STACK

namespace weft::lwip {

// --- listening

namespace {

/// What `a` is among the addresses of this interface, any included; null: it is none of them.
const ip_addr_t* find_own(const netif& n, const address& a) noexcept {
    const auto is = [&a](const ip_addr_t& ip) { // with IPv6, IPv4 has zeros behind it, as here
        return std::memcmp(&ip, a.bytes().data(), LWIP_IPV6 ? 16 : 4) == 0;
    };
#if LWIP_IPV6
    const ip_addr_t* const any = a.is_v4() ? IP4_ADDR_ANY : IP6_ADDR_ANY;
#else
    const ip_addr_t* const any = IP4_ADDR_ANY;
#endif
    if (a.is_any()) {
        return any;
    }
    if (a.is_v4()) {
        return is(n.ip_addr) ? &n.ip_addr : nullptr;
    }
#if LWIP_IPV6
    for (s8_t i = 0; i != LWIP_IPV6_NUM_ADDRESSES; ++i) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(&n, i)) && is(n.ip6_addr[i])) {
            return &n.ip6_addr[i];
        }
    }
#endif
    return nullptr;
}

} // namespace

// A socket is made first: it takes everything down if anything fails. Port 0 is left to lwIP, which
// takes one that nobody has.
result<tcp_listener>
tcp::open_listening(const host& on, const endpoint& at, std::size_t backlog) noexcept {
#if !LWIP_IPV6
    if (!at.address.is_v4()) {
        return fail(errc::family_not_supported);
    }
#endif
    const ip_addr_t* const ip = find_own(on.interface(), at.address);
    if (ip == nullptr) {
        return fail(errc::address_not_available);
    }
    tcp* const self = make(nullptr, at.address.family());
    err_t error = ERR_MEM;
    if (self != nullptr) {
        tcp_pcb* pcb = tcp_new_ip_type(type_of(at.address.family()));
        if (pcb != nullptr) {
            self->pcb_ = pcb;
            ip_set_option(pcb, SOF_REUSEADDR);
            error = tcp_bind(pcb, ip, at.port);
            if (error == ERR_OK) {
                pcb = tcp_listen_with_backlog_and_err(pcb, limit_of(backlog), &error);
                if (pcb != nullptr) {
                    self->listens(pcb);
                    return tcp_listener(self);
                }
            }
        }
        self->release();
    }
    return fail(error == ERR_MEM ? errc::no_memory : errc::address_in_use);
}

// --- receiving

static_assert(TCP_WND <= 0xffff); // what the chain may be long

err_t tcp::on_received(void* arg, tcp_pcb* pcb, pbuf* p, err_t) noexcept {
    auto* self = static_cast<tcp*>(arg);
    if (p == nullptr) {
        self->received_end(*pcb);
    } else if (self->first_ != nullptr) {
        pbuf_cat(self->first_, p);
    } else {
        self->first_ = p;
    }
    self->raise(readiness::readable);
    return ERR_OK;
}

io_count tcp::receive_some(std::byte* into, std::size_t size) noexcept {
    if (first_ != nullptr) {
        const auto n = static_cast<u16_t>(std::min<std::size_t>(size, first_->tot_len));
        pbuf_copy_partial(first_, into, n, 0);
        take_off(n);
        return n;
    }
    return size == 0 && !closed() ? 0 : end_of_input();
}

void tcp::consume(std::size_t n) noexcept {
    if (first_ != nullptr) {
        take_off(n);
    }
}

// Of what there is.
inline void tcp::take_off(std::size_t n) noexcept {
    owed_ = static_cast<byte_count>(owed_ + n);
    flush_later(due_window);
    if (n < first_->tot_len) {
        first_ = pbuf_free_header(first_, static_cast<u16_t>(n));
        return;
    }
    pbuf_free(std::exchange(first_, nullptr));
    if (!end_seen_) {
        lower(readiness::readable);
    }
}

result<std::span<const std::byte>> tcp::peek() noexcept {
    const pbuf* p = first_;
    while (p != nullptr && p->len == 0) {
        p = p->next;
    }
    if (p == nullptr) {
        const io_count end = end_of_input();
        if (end < 0) {
            return fail(error_of(end));
        }
        return std::span<const std::byte>();
    }
    return std::span(static_cast<const std::byte*>(p->payload), p->len);
}

// --- sending

io_count tcp::send_some(const std::byte* from, std::size_t size) noexcept {
    if (state_ != state::connected) {
        return cannot_send();
    }
    std::size_t n = std::min<std::size_t>(size, tcp_sndbuf(pcb_));
    while (n != 0) {
        const err_t failed = write(from, n);
        if (failed == ERR_OK) {
            flush_later(due_output);
            return static_cast<io_count>(n);
        }
        if (failed != ERR_MEM) {
            return io_error(errc::broken_pipe);
        }
        n = n > tcp_mss(pcb_) ? tcp_mss(pcb_) : 0; // one segment may fit lwIP's pools
    }
    return size == 0 ? 0 : no_room();
}

io_count tcp::no_room() noexcept {
    lower(readiness::writable);
    if (tcp_sndbuf(pcb_) != 0) {
        due_ = due_memory;
    }
    core::instance().starve();
    flush_later(due_output); // what waits unsent must go, for room to come
    return io_error(errc::would_block);
}

void tcp::settle_window(tcp_pcb* pcb) noexcept {
    tcp_recved(pcb, std::exchange(owed_, byte_count{0}));
}

// A closed socket's pcb is not its own any more: none is met here that is gone. Whoever waits for
// room in its send buffer waits for much of it, or would take what memory there is in small pieces;
// one that had room and no memory tries again.
void tcp::serve_every() noexcept {
    for (tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr;) {
        tcp_pcb* const next = pcb->next; // this one may be aborted
        if (pcb->errf == &on_error) {
            static_cast<tcp*>(pcb->callback_arg)->serve(pcb);
        }
        pcb = next;
    }
}

inline void tcp::serve(tcp_pcb* pcb) noexcept {
    if (doomed()) {
        tcp_abort(pcb); // which on_error() hears of, and tells nobody
        return;
    }
    if (state_ == state::connected && !any(ready() & readiness::writable)) {
        if (due_ != 0 ||
            (tcp_sndbuf(pcb) >= TCP_SNDLOWAT && tcp_sndqueuelen(pcb) <= TCP_SNDQUEUELOWAT)) {
            due_ = 0;
            raise(readiness::writable);
        } else {
            core::instance().starve(); // and is looked at again
        }
    }
    if (owed_ >= TCP_MSS) {
        settle_window(pcb);
    }
    tcp_output(pcb);
}

} // namespace weft::lwip

#endif
