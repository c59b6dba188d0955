#include "stack/lwip/host.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/names.hpp"
#include "stack/lwip/options.hpp"
#include "stack/lwip/parts.hpp"
#include "stack/lwip/tcp.hpp"
#include "stack/lwip/udp.hpp"

#include <array>
#include <cstring>
#include <new>
#include <utility>

namespace weft::lwip {

host* host::behind(const stack& s) noexcept {
    host* found = nullptr;
    if (core* const only = core::find(); only != nullptr) {
        only->for_each_host([&](host& h) { found = &h == &s ? &h : found; });
    }
    return found;
}

host::~host() {
    core& c = core::instance();
    if (c.names() != nullptr) {
        c.names()->host_goes(*this);
    }
    if (parts_in_use.ping_without_host != nullptr) {
        parts_in_use.ping_without_host(*this);
    }
    c.remove(*this);
    if (netif_ != nullptr) {
        tcp::abort_all(*this);
    }
    udp::close_all(*this);
    if (netif_ != nullptr && parts_in_use.interface_without_host != nullptr) {
        parts_in_use.interface_without_host(*this);
    }
#if !WEFT_ONE_STACK
    if (watching_) {
        driver_->remove(watch_);
    }
#endif
    remove_netif();
    if (spare_ != nullptr) {
        pbuf_free(spare_);
    }
}

void host::remove_netif() noexcept {
    if (netif_ == nullptr) {
        return;
    }
    while (netif_->loop_first != nullptr) {
        pbuf* first = netif_->loop_first;
        pbuf* last = first;
        while (last->len != last->tot_len) {
            last = last->next;
        }
        netif_->loop_first = last->next;
        last->next = nullptr;
        pbuf_free(first);
    }
    netif_->loop_last = nullptr;
    if (netif_ == &own_) {
        netif_remove(&own_);
#if WEFT_ONE_STACK
        own_ = {};
#endif
    }
}

// A frame that the link does not take is lost, as on a cable: TCP sends it again. That the link is
// down is no error of the program's that sends: it may be up again before anybody gives up.
err_t host::output(netif* n, pbuf* p) noexcept {
    auto& self = *static_cast<host*>(n->state);
    using part = std::span<const std::byte>;
    constexpr std::size_t most = 16;
    alignas(part) std::byte room[most * sizeof(part)]; // an array of spans would be cleared first
    auto* const parts = reinterpret_cast<part*>(room);
    std::size_t count = 0;
    for (pbuf* each = p; each != nullptr; each = each->next) {
        if (count == most) {
            pbuf* whole = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
            if (whole == nullptr) {
                return ERR_MEM;
            }
            const err_t sent = output(n, whole);
            pbuf_free(whole);
            return sent;
        }
        ::new (parts + count++) part(static_cast<const std::byte*>(each->payload), each->len);
    }
#if !WEFT_ONE_STACK
    self.link_->advance(self.loop().now());
#endif
    if (!self.link_->send({parts, count})) {
        ++self.frames_dropped_;
    }
    return ERR_OK;
}

#if !WEFT_ONE_STACK
void host::descriptor_ready(descriptor_watch& watch, unsigned) noexcept {
    static_cast<frame_watch&>(watch).owner->frames_waiting_ = true;
}
#endif

// A frame is read into a buffer of full size. Small ones are copied into one that fits, so that a
// peer cannot make small segments hold large buffers.
inline pbuf* host::receive_frame() noexcept {
    const std::size_t size = spare_->len;
    std::size_t n = link_->receive({static_cast<std::byte*>(spare_->payload), size});
    if (n == 0) {
#if !WEFT_ONE_STACK
        frames_waiting_ = false;
        if (watching_ && !driver_->edges()) {
            driver_->arm(watch_, descriptor_watch::readable);
        }
#endif
        return nullptr;
    }
    if (n < shortest_frame) {
        std::memset(static_cast<std::byte*>(spare_->payload) + n, 0, shortest_frame - n);
        n = shortest_frame;
    }
    const bool small = n * 2 <= size;
#if MEM_LIBC_MALLOC
    if (!small) {
        pbuf* const next = pbuf_alloc(PBUF_RAW, spare_->len, PBUF_RAM);
        if (next == nullptr) {
            return nullptr; // without memory the frame is lost, as on a cable
        }
        pbuf* const full = std::exchange(spare_, next);
        pbuf_realloc(full, static_cast<u16_t>(n));
        return full;
    }
#endif
    // lwIP's own heap is for what is sent: large frames never take it, or peers that neither read
    // nor stop sending would leave nothing for the ACKs of others.
    pbuf* kept = nullptr;
    for (pbuf_type from = small ? PBUF_RAM : PBUF_POOL;; from = PBUF_POOL) {
        kept = pbuf_alloc(PBUF_RAW, static_cast<u16_t>(n), from);
        if (kept != nullptr || from == PBUF_POOL) {
            break;
        }
    }
    if (kept != nullptr) {
        pbuf_take(kept, spare_->payload, static_cast<u16_t>(n));
    }
    return kept;
}

// netif_poll() without its draining: what a packet makes lwIP send back waits for the next time.
int host::take_looped_packets() noexcept {
    netif* const n = netif_;
    int taken = 0;
#if WEFT_ONE_STACK // with what comes back: a board's turns cost more than they hold back
    const bool more = true;
#else
    bool more = true;
#endif
    while (more && n->loop_first != nullptr && taken < frames_per_turn) {
        pbuf* const packet = n->loop_first;
        pbuf* last = packet;
        while (last->len != last->tot_len) {
            last = last->next;
        }
        n->loop_first = last->next;
#if !WEFT_ONE_STACK
        more = last->next != nullptr;
#endif
        last->next = nullptr;
        take(packet, n);
        ++taken;
    }
    return taken;
}

int host::take_from_link() noexcept {
#if !WEFT_ONE_STACK
    if (watching_ ? !frames_waiting_ : link_->next_arrival() > loop().now()) {
        return 0;
    }
    link_->advance(loop().now());
#endif
    for (int taken = 0; taken < frames_per_turn; ++taken) {
        pbuf* frame = receive_frame();
        if (frame == nullptr) {
            return taken;
        }
        ethernet_input(frame, netif_); // always takes it
    }
    return frames_per_turn;
}

void host::look_around() noexcept {
    if (link_ == nullptr || link_->up()) { // if that is news, lwIP asks DHCP and routers
        netif_set_link_up(netif_);         // anew, and tells its neighbours
    } else {
        netif_set_link_down(netif_);
    }
    if (parts_in_use.interface_of_host != nullptr) {
        parts_in_use.interface_of_host(*this);
    }
}

#if !WEFT_ONE_STACK
void host::bound(time_point& deadline) noexcept {
    // what was sent between two turns, as by a connect() of the façade, may be there already
    if (loopback_pending()) {
        deadline = at_once;
        return;
    }
    if (link_ == nullptr) {
        return;
    }
    if (watching_) {
        deadline = frames_waiting_ ? at_once : deadline;
        return;
    }
    const time_point arrival = link_->next_arrival();
    if (earlier(arrival, deadline)) {
        deadline = arrival;
    }
}
#endif

address host::own_address(family f) const noexcept {
    if (link_ == nullptr) {
        return address::loopback(f);
    }
    ip_addr_t own = {};
    if (f == family::ipv4) {
        ip_addr_copy_from_ip4(own, *netif_ip4_addr(netif_));
    }
#if LWIP_IPV6
    else {
        ip_addr_copy_from_ip6(own, *netif_ip6_addr(netif_, 0));
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif_, 1))) {
            ip_addr_copy_from_ip6(own, *netif_ip6_addr(netif_, 1));
        }
    }
#endif
    return from_lwip(own);
}

ip_addr_t host::wildcard(family f) noexcept {
    ip_addr_t any = {};
    if (f == family::ipv4) {
        ip_addr_set_any_val(false, any);
        if (core::instance().several_hosts()) {
            ip_addr_copy_from_ip4(any, *netif_ip4_addr(netif_));
        }
        return any;
    }
#if LWIP_IPV6
    ip_addr_set_any_val(true, any);
    if (core::instance().several_hosts()) {
        // the first configured address, or the link-local one
        for (int index = LWIP_IPV6_NUM_ADDRESSES - 1; index >= 0; --index) {
            if (ip6_addr_isvalid(netif_ip6_addr_state(netif_, index)) &&
                (index == 1 || index == 0)) {
                ip_addr_copy_from_ip6(any, *netif_ip6_addr(netif_, index));
                break;
            }
        }
    }
#endif
    return any;
}

bool host::has_address(const ip_addr_t& ip) const noexcept {
    if (IP_IS_V4_VAL(ip)) {
        const ip4_addr_t* v4 = ip_2_ip4(&ip);
        return ip4_addr_eq(v4, netif_ip4_addr(netif_)) ||
               (link_ == nullptr && ip4_addr_isloopback(v4));
    }
#if LWIP_IPV6
    return netif_get_ip6_addr_match(netif_, ip_2_ip6(&ip)) >= 0;
#else
    return false;
#endif
}

bool host::has_route(const ip_addr_t& to) const noexcept {
    if (IP_IS_V4_VAL(to)) {
        const ip4_addr_t* v4 = ip_2_ip4(&to);
        if (ip4_addr_isany_val(*netif_ip4_addr(netif_)) ||
            (link_ != nullptr && ip4_addr_isloopback(v4))) {
            return false;
        }
        return v4->addr == IPADDR_BROADCAST ||
               ip4_addr_net_eq(v4, netif_ip4_addr(netif_), netif_ip4_netmask(netif_)) ||
               !ip4_addr_isany_val(*netif_ip4_gw(netif_));
    }
#if LWIP_IPV6
    const ip6_addr_t* v6 = ip_2_ip6(&to);
    if (ip6_select_source_address(netif_, v6) == nullptr) {
        return false;
    }
    if (ip6_addr_islinklocal(v6) || ip6_addr_ismulticast(v6) || has_address(to)) {
        return true;
    }
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) { // on the link, as nd6 decides it
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif_, i)) &&
            netif_ip6_addr_isstatic(netif_, i) && ip6_addr_net_eq(v6, netif_ip6_addr(netif_, i))) {
            return true;
        }
    }
    return nd6_find_route(v6) != nullptr;
#else
    return false;
#endif
}

result<tcp_socket*> host::open_tcp(family f) noexcept {
    return tcp::open(*this, f);
}

result<datagram_socket*> host::open_udp(family f) noexcept {
    return udp::open(*this, f);
}

void host::start_query(name_query& query) noexcept {
    core::instance().need_names().start(*this, query);
}

void host::forget_query(name_query& query) noexcept {
    core::instance().need_names().forget(query);
}

bool host::drained() const noexcept {
    const u8_t index = netif_get_index(netif_);
    for (const tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
        if (pcb->netif_idx == index && (pcb->unsent != nullptr || pcb->unacked != nullptr ||
                                        (pcb->flags & TF_CLOSEPEND) != 0)) {
            return false;
        }
    }
    return true;
}

} // namespace weft::lwip

namespace weft {

lwip_usage count_lwip_usage() noexcept {
    lwip_usage used;
    for (const tcp_pcb* p = tcp_active_pcbs; p != nullptr; p = p->next) {
        ++used.tcp_active;
    }
    for (const tcp_pcb* p = tcp_bound_pcbs; p != nullptr; p = p->next) {
        ++used.tcp_bound;
    }
    for (const tcp_pcb* p = tcp_tw_pcbs; p != nullptr; p = p->next) {
        ++used.tcp_time_wait;
    }
    for (const tcp_pcb_listen* p = tcp_listen_pcbs.listen_pcbs; p != nullptr; p = p->next) {
        ++used.tcp_listening;
    }
    for (const udp_pcb* p = udp_pcbs; p != nullptr; p = p->next) {
        ++used.udp;
    }
    return used;
}

const char* lwip_version() noexcept {
    return LWIP_VERSION_STRING;
}

} // namespace weft
