#include "stack/lwip/udp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/core.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/random.hpp"
#include "stack/lwip/unreachable.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace weft::lwip {

struct udp::queued {
    queued* next;
    pbuf* payload;
    endpoint from;
};

struct udp::membership {
    membership* next;
    address group;
};

namespace {
// A packet carries up to 65,535 bytes with its headers. (IPv6 does not count its own header, but
// lwIP does.)
constexpr std::size_t largest_v4 = 65535 - 20 - 8;
constexpr std::size_t largest_v6 = 65535 - 40 - 8;
} // namespace

udp::udp(host& on, family f, udp_pcb* pcb) noexcept
    :
#if !WEFT_ONE_STACK
      datagram_socket(on.loop()),
#endif
      host_(&on), pcb_(pcb) {
    family_ = f;
    raise(readiness::writable);
}

result<datagram_socket*> udp::open(host& on, family f) noexcept {
#if !LWIP_IPV6
    if (f == family::ipv6) {
        return fail(errc::family_not_supported);
    }
#endif
    udp_pcb* pcb = udp_new_ip_type(type_of(f));
    if (pcb == nullptr) {
        return fail(errc::no_memory);
    }
    auto* made = new (std::nothrow) udp(on, f, pcb);
    if (made == nullptr) {
        udp_remove(pcb);
        return fail(errc::no_memory);
    }
    udp_bind_netif(pcb, &on.interface());
    udp_recv(pcb, &on_datagram, made);
    on.udp_sockets().push_back(*made);
    return made;
}

void udp::close_all(host& going) noexcept {
    while (!going.udp_sockets().empty()) {
        static_cast<udp&>(going.udp_sockets().front()).close(); // leaves the list
    }
}

result<> udp::bind_to(const ip_addr_t& ip, std::uint16_t port) noexcept {
    const err_t bound = udp_bind(pcb_, &ip, port);
    if (bound != ERR_OK) {
        return fail(to_errc(bound));
    }
    port_ = port;
    return {};
}

result<> udp::bind_ephemeral(const ip_addr_t& ip) noexcept {
    const bool reuse = ip_get_option(pcb_, SOF_REUSEADDR) != 0;
    ip_reset_option(pcb_, SOF_REUSEADDR); // a port that nobody has, as for TCP
    result<> bound = fail(errc::address_in_use);
    for (int attempt = 0; attempt < 32 && !bound && bound.error() == errc::address_in_use;
         ++attempt) {
        bound = bind_to(
            ip, static_cast<std::uint16_t>(49152 + random_source::instance().next() % 16384));
    }
    if (reuse) {
        ip_set_option(pcb_, SOF_REUSEADDR);
    }
    return bound;
}

result<> udp::bind(const endpoint& at) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (port_ != 0 || at.address.family() != family_) {
        return fail(errc::invalid_argument);
    }
    const bool any = at.address.is_any();
    const ip_addr_t ip = any ? host_->wildcard(family_) : to_lwip(at.address, &host_->interface());
    if (!any && !host_->has_address(ip) && !ip_addr_ismulticast(&ip)) {
        return fail(errc::address_not_available);
    }
    const result<> bound = at.port == 0 ? bind_ephemeral(ip) : bind_to(ip, at.port);
    wildcard_ = any && bound;
    return bound;
}

result<> udp::connect(const endpoint& to) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (to.address.family() != family_ || to.port == 0) {
        return fail(errc::invalid_argument);
    }
    const ip_addr_t ip = to_lwip(to.address, &host_->interface());
    if (!host_->has_route(ip)) {
        return fail(errc::network_unreachable);
    }
    if (port_ == 0) {
        if (const result<> bound = bind_ephemeral(host_->wildcard(family_)); !bound) {
            return bound;
        }
        wildcard_ = true;
    }
    hear_of_unreachable();
    const err_t done = udp_connect(pcb_, &ip, to.port);
    if (done != ERR_OK) {
        return fail(to_errc(done));
    }
    connected_ = true;
    peer_ = to;
    return {};
}

void udp::on_datagram(void* arg, udp_pcb*, pbuf* p, const ip_addr_t* from, u16_t port) noexcept {
    auto& self = *static_cast<udp*>(arg);
    queued* item = nullptr;
    if (self.count_ < self.limit_) {
        item = new (std::nothrow) queued{nullptr, p, {from_lwip(*from), port}};
    }
    if (item == nullptr) {
        ++self.dropped_;
        pbuf_free(p);
        return;
    }
    (self.last_ != nullptr ? self.last_->next : self.first_) = item;
    self.last_ = item;
    ++self.count_;
    self.raise(readiness::readable);
}

result<datagram> udp::receive_one(std::span<std::byte> into) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (pending_error_ != errc::ok) {
        const errc why = pending_error_;
        pending_error_ = errc::ok;
        lower(readiness::error);
        return fail(why);
    }
    if (first_ == nullptr) {
        lower(readiness::readable);
        return fail(errc::would_block);
    }
    queued* item = first_;
    first_ = item->next;
    if (first_ == nullptr) {
        last_ = nullptr;
        lower(readiness::readable);
    }
    --count_;
    datagram got;
    got.size = std::min<std::size_t>(item->payload->tot_len, into.size());
    got.truncated = got.size < item->payload->tot_len;
    got.from = item->from;
    pbuf_copy_partial(item->payload, into.data(), static_cast<u16_t>(got.size), 0);
    pbuf_free(item->payload);
    delete item;
    return got;
}

io_count udp::send_one(std::span<const std::byte> from, const endpoint* to) noexcept {
    if (closed()) {
        return io_error(errc::bad_handle);
    }
    if (pending_error_ != errc::ok) {
        const errc why = pending_error_;
        pending_error_ = errc::ok;
        lower(readiness::error);
        return io_error(why);
    }
    if (to == nullptr && !connected_) {
        return io_error(errc::destination_required);
    }
    const endpoint target = to != nullptr ? *to : peer_;
    if (target.address.family() != family_ || target.port == 0) {
        return io_error(errc::invalid_argument);
    }
    if (from.size() > (family_ == family::ipv4 ? largest_v4 : largest_v6)) {
        return io_error(errc::message_too_long);
    }
    const ip_addr_t ip = to_lwip(target.address, &host_->interface());
    if (!ip_addr_ismulticast(&ip) && !host_->has_route(ip)) {
        return io_error(errc::network_unreachable);
    }
    if (port_ == 0) {
        if (const result<> bound = bind_ephemeral(host_->wildcard(family_)); !bound) {
            return io_error(bound.error());
        }
        wildcard_ = true;
    }
    pbuf* p = pbuf_alloc(PBUF_TRANSPORT, static_cast<u16_t>(from.size()), PBUF_RAM);
    if (p == nullptr) {
        return io_error(errc::no_memory);
    }
    if (!from.empty()) {
        std::memcpy(p->payload, from.data(), from.size());
    }
    const err_t sent = udp_sendto(pcb_, p, &ip, target.port);
    pbuf_free(p);
    if (sent == ERR_OK) {
        return static_cast<io_count>(from.size());
    }
    // ERR_VAL: a broadcast without set_broadcast
    return io_error(sent == ERR_VAL ? errc::permission_denied : to_errc(sent));
}

void udp::unreachable(errc why) noexcept {
    pending_error_ = why;
    raise(readiness::readable | readiness::error);
}

void udp::drop_queue() noexcept {
    while (queued* item = first_) {
        first_ = item->next;
        pbuf_free(item->payload);
        delete item;
    }
    last_ = nullptr;
    count_ = 0;
}

void udp::do_close() noexcept {
    static_cast<host_link*>(this)->unlink();
    drop_queue();
    leave_groups();
    udp_remove(pcb_);
    pcb_ = nullptr;
}

result<endpoint> udp::local() const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    endpoint at{address::any(family_), port_};
    if (!wildcard_ && port_ != 0) {
        at.address = from_lwip(pcb_->local_ip);
    }
    return at;
}

result<endpoint> udp::remote() const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (!connected_) {
        return fail(errc::not_connected);
    }
    return peer_;
}

result<> udp::set_queue_limit(std::size_t datagrams) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (datagrams == 0) {
        return fail(errc::invalid_argument);
    }
    limit_ = datagrams;
    return {};
}

readiness udp::confirmed() noexcept {
    if (closed()) {
        return ready();
    }
    readiness found = ready() & ~(readiness::readable | readiness::error);
    found |= first_ != nullptr ? readiness::readable : readiness::none;
    found |= pending_error_ != errc::ok ? readiness::error : readiness::none;
    return found;
}

errc udp::take_error() noexcept {
    if (closed()) {
        return errc::bad_handle;
    }
    lower(readiness::error);
    return std::exchange(pending_error_, errc::ok);
}

result<> udp::set_option(socket_option option, int value) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (option != socket_option::reuse_address && option != socket_option::broadcast) {
        return fail(errc::not_supported);
    }
    const u8_t bit = option == socket_option::broadcast ? SOF_BROADCAST : SOF_REUSEADDR;
    if (value != 0) {
        ip_set_option(pcb_, bit);
    } else {
        ip_reset_option(pcb_, bit);
    }
    return {};
}

result<int> udp::get_option(socket_option option) const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (option != socket_option::reuse_address && option != socket_option::broadcast) {
        return fail(errc::not_supported);
    }
    const u8_t bit = option == socket_option::broadcast ? SOF_BROADCAST : SOF_REUSEADDR;
    return ip_get_option(pcb_, bit) != 0 ? 1 : 0;
}

// --- groups

result<> udp::check_membership(const address& group, const address& own) const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    netif* const n = &host_->interface();
    const ip_addr_t ip = to_lwip(group, n);
    if (!ip_addr_ismulticast(&ip) || group.family() != family_) {
        return fail(errc::invalid_argument);
    }
    if (!own.is_any() && !host_->has_address(to_lwip(own, n))) {
        return fail(errc::address_not_available);
    }
    return {};
}

udp::membership** udp::find_group(const address& group) noexcept {
    membership** at = &groups_;
    while (*at != nullptr && (*at)->group != group) {
        at = &(*at)->next;
    }
    return at;
}

/// lwIP counts members of its netif, whoever they are; which socket is one is known here.
result<> udp::join_group(const address& group, const address& own) noexcept {
    if (const result<> wrong = check_membership(group, own); !wrong) {
        return wrong;
    }
    if (*find_group(group) != nullptr) {
        return fail(errc::address_in_use);
    }
    auto* const made = new (std::nothrow) membership{groups_, group};
    if (made == nullptr) {
        return fail(errc::no_memory);
    }
    if (const result<> joined = tell_netif(group, true); !joined) {
        delete made;
        return joined;
    }
    groups_ = made;
    return {};
}

result<> udp::leave_group(const address& group, const address& own) noexcept {
    if (const result<> wrong = check_membership(group, own); !wrong) {
        return wrong;
    }
    membership** const at = find_group(group);
    if (*at == nullptr) {
        return fail(errc::address_not_available);
    }
    delete std::exchange(*at, (*at)->next);
    return tell_netif(group, false);
}

void udp::leave_groups() noexcept {
    while (groups_ != nullptr) {
        (void)tell_netif(groups_->group, false);
        delete std::exchange(groups_, groups_->next);
    }
}

result<> udp::tell_netif(const address& group, bool joins) noexcept {
    netif* const n = &host_->interface();
    const ip_addr_t ip = to_lwip(group, n);
    err_t done = ERR_VAL;
#if LWIP_IGMP
    if (group.is_v4()) {
        done = joins ? igmp_joingroup_netif(n, ip_2_ip4(&ip))
                     : igmp_leavegroup_netif(n, ip_2_ip4(&ip));
    }
#endif
#if LWIP_IPV6 && LWIP_IPV6_MLD
    if (!group.is_v4()) {
        done = joins ? mld6_joingroup_netif(n, ip_2_ip6(&ip))
                     : mld6_leavegroup_netif(n, ip_2_ip6(&ip));
    }
#endif
    if (done == ERR_OK) {
        return {};
    }
    return fail(
        done == ERR_MEM ? errc::no_memory
        : joins         ? errc::not_supported
                        : errc::address_not_available);
}

} // namespace weft::lwip
