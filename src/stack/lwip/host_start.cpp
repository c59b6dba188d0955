// How a stack on lwIP starts.

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/options.hpp"
#include "stack/lwip/tcp.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace weft::lwip {

namespace {

ip4_addr_t v4_of(const address& a) noexcept {
    ip4_addr_t v4 = {};
    std::memcpy(&v4.addr, a.bytes().data(), 4);
    return v4;
}

std::size_t mtu_of(const weft::link* link) noexcept {
    return link != nullptr ? link->mtu() : 0;
}

pbuf* new_spare(std::size_t mtu) noexcept {
    const auto size = static_cast<u16_t>(mtu + weft::link::header_size);
    return pbuf_alloc(PBUF_RAW, std::max(size, host::shortest_frame), PBUF_RAM);
}

} // namespace

#if WEFT_ONE_STACK

namespace {

// There is one: it has its place.
alignas(host) constinit std::byte room[sizeof(host)];

} // namespace

inline host::host(weft::loop& home, const lwip_options& o, netif* loopback, pbuf* spare) noexcept
    : stack(home), link_(o.link), netif_(loopback), spare_(spare) {
#else
host::host(weft::loop& home, const lwip_options& o, netif* loopback, pbuf* spare) noexcept
    : stack(home), link_(o.link), netif_(loopback), spare_(spare), driver_(o.driver),
      watch_(*this) {
#endif
    if (link_ != nullptr) {
        netif_ = &own_;
        set_up_interface(o);
    }
    use(o.name_servers, this);
}

#if WEFT_ONE_STACK
[[gnu::always_inline]] inline
#endif
    void
    host::set_up_interface(const lwip_options& o) noexcept {
    ip4_addr_t ip = {};
    ip4_addr_t mask = {};
    ip4_addr_t gateway = {};
    if (o.ipv4) {
        ip = v4_of(o.ipv4->address);
        mask = mask_of(o.ipv4->prefix);
    }
    if (o.gateway) {
        gateway = v4_of(*o.gateway);
    }
    // fails only if init_netif does
    netif_add(&own_, &ip, &mask, &gateway, this, &init_netif, &ethernet_input);
#if LWIP_IPV6
    netif_create_ip6_linklocal_address(&own_, 1);
    netif_set_ip6_autoconfig_enabled(&own_, 1);
#endif
    look_around();
    netif_set_up(&own_);
    use(o.ipv6, this);
    if (WEFT_ONE_STACK != 0 || (o.gateway && netif_default == nullptr)) {
        netif_set_default(&own_);
    }
}

err_t host::init_netif(netif* n) noexcept {
    auto& self = *static_cast<host*>(n->state);
    n->name[0] = 'w';
    n->name[1] = 'f';
    n->mtu = static_cast<u16_t>(self.link_->mtu());
#if LWIP_IPV6 && LWIP_ND6_ALLOW_RA_UPDATES
    n->mtu6 = n->mtu;
#endif
    const hardware_address mac = self.link_->address();
    n->hwaddr_len = static_cast<u8_t>(mac.size());
    std::memcpy(n->hwaddr, mac.data(), mac.size());
    n->output = etharp_output;
#if LWIP_IPV6
    n->output_ip6 = ethip6_output;
#endif
    n->linkoutput = &output;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
#if LWIP_IGMP
    n->flags |= NETIF_FLAG_IGMP;
#endif
#if LWIP_IPV6 && LWIP_IPV6_MLD
    n->flags |= NETIF_FLAG_MLD6;
#endif
    return ERR_OK;
}

// Whatever can fail is done before there is a host: ~host(), which takes everything down, is then
// linked only by programs that destroy one.
#if WEFT_ONE_STACK

inline result<std::unique_ptr<stack>> host::make(weft::loop& home, const lwip_options& o) noexcept {
    core& c = core::instance();
    const std::size_t mtu = mtu_of(o.link);
    errc failed = c.attached() ? errc::busy : check(o, mtu);
    pbuf* spare = nullptr;
    if (failed == errc::ok) {
        core::have_heap();
        if (o.link != nullptr) {
            spare = new_spare(mtu);
            failed = spare != nullptr ? errc::ok : errc::no_memory;
        }
    }
    if (failed != errc::ok) {
        return fail(failed);
    }
    auto* const made = ::new (room) host(home, o, netif_list, spare); // lwIP's loopback, at first
    c.attach(home, *made);
    return std::unique_ptr<stack>(made);
}

#else

namespace {

netif* loopback_netif() noexcept {
    netif* found = nullptr;
    netif* each = nullptr;
    NETIF_FOREACH(each) {
        if (each->name[0] == 'l' && each->name[1] == 'o') {
            found = each;
        }
    }
    return found;
}

} // namespace

result<std::unique_ptr<stack>> host::make(weft::loop& home, const lwip_options& o) noexcept {
    core& c = core::create();
    const std::size_t mtu = mtu_of(o.link);
    errc failed = check(o, mtu);
    if (failed == errc::ok) {
        failed = c.attach(home, o.seed);
    }
    if (failed != errc::ok) {
        return fail(failed);
    }
    host* made = nullptr;
    netif* loopback = nullptr;
    pbuf* spare = nullptr;
    if (o.link != nullptr) {
        spare = new_spare(mtu);
        failed = spare != nullptr ? errc::ok : errc::no_memory;
    } else if (loopback = loopback_netif(); loopback == nullptr) {
        failed = errc::no_such_device;
    } else if (c.host_of(loopback) != nullptr) {
        failed = errc::busy;
    }
    if (failed == errc::ok) {
        made = new (std::nothrow) host(home, o, loopback, spare);
        failed = errc::no_memory;
    }
    if (made == nullptr) {
        if (spare != nullptr) {
            pbuf_free(spare);
        }
        c.detach_if_unused();
        return fail(failed);
    }
    c.add(*made);
    if (const result<> watched = made->watch_link(); !watched) {
        delete made;
        return fail(watched.error());
    }
    return std::unique_ptr<stack>(made);
}

result<> host::watch_link() noexcept {
    if (link_ != nullptr && link_->descriptor() >= 0) {
        if (const result<> watched = driver_->add(watch_, link_->descriptor()); !watched) {
            return watched;
        }
        watching_ = true;
        frames_waiting_ = true; // the first look is free
    }
    return {};
}

#endif

} // namespace weft::lwip

namespace weft {

result<std::unique_ptr<stack>> make_lwip_stack(loop& home, const lwip_options& options) noexcept {
    return lwip::host::make(home, options);
}

} // namespace weft
