#include <weft/network_interface.hpp>

#include "stack/lwip/convert.hpp"
#include "stack/lwip/core.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/names.hpp"
#include "stack/lwip/parts.hpp"

#include <cstring>
#include <new>
#include <string_view>

#if LWIP_DHCP
extern "C" {
#include <lwip/dhcp.h>
}
#endif

namespace weft {

namespace {

using lwip::core;
using lwip::host;

/// Never destroyed, as the core.
list<network_interface>& every_interface() noexcept {
    using all = list<network_interface>;
    alignas(all) static std::byte room[sizeof(all)];
    static all* made = nullptr;
    if (made == nullptr) {
        made = ::new (room) all;
    }
    return *made;
}

netif* netif_of(void* of) noexcept {
    return of != nullptr ? &static_cast<host*>(of)->interface() : nullptr;
}

std::uint8_t prefix_of(const ip4_addr_t& mask) noexcept {
    std::uint8_t bits = 0;
    for (std::uint32_t left = lwip_ntohl(mask.addr); left != 0; left <<= 1) {
        ++bits;
    }
    return bits;
}

address from_ip4(const ip4_addr_t& a) noexcept {
    ip_addr_t wide = {};
    ip_addr_copy_from_ip4(wide, a);
    return lwip::from_lwip(wide);
}

/// Whether the address is still the server's word: not while lwIP, after a loss of the link, keeps
/// one that it asks for again.
bool ipv4_is_confirmed([[maybe_unused]] const netif* n) noexcept {
#if LWIP_DHCP
    const dhcp* const client = netif_dhcp_data(n);
    if (client != nullptr && client->state != 0 /* DHCP_STATE_OFF */) {
        return dhcp_supplied_address(n) != 0;
    }
#endif
    return true;
}

bool has_ipv4(const netif* n) noexcept {
    return !ip4_addr_isany_val(*netif_ip4_addr(n)) && ipv4_is_confirmed(n);
}

bool has_ipv6([[maybe_unused]] const netif* n) noexcept {
#if LWIP_IPV6
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; ++i) {
        if (ip6_addr_ispreferred(netif_ip6_addr_state(n, i)) &&
            !ip6_addr_islinklocal(netif_ip6_addr(n, i))) {
            return true;
        }
    }
#endif
    return false;
}

#if LWIP_DHCP
bool is_host_name(const char* text) noexcept {
    const std::string_view name(text);
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.') {
            return false;
        }
    }
    return !name.empty() && name.size() <= 32; // lwIP has room for little more in its messages
}

/// RFC 2131, 3.2: gives the lease back, if there is one.
void end_dhcp(netif* n) noexcept {
    if (netif_dhcp_data(n) != nullptr) {
        dhcp_release_and_stop(n);
        dhcp_cleanup(n);
    }
}
#else
void end_dhcp(netif*) noexcept {}
#endif

} // namespace

/// What the stack calls.
struct interface_parts {
    static void changed(netif* n) noexcept {
        if (host* const h = core::instance().host_of(n); h != nullptr) {
            look(*h);
        }
    }
    static void look(host& at) noexcept {
        every_interface().for_each([&at](network_interface& each) {
            if (each.host_ == &at) {
                each.look();
            }
        });
    }
    static void host_goes(host& going) noexcept {
        every_interface().for_each([&going](network_interface& each) {
            if (each.host_ == &going) {
                each.host_ = nullptr;
                each.without_ = errc::network_down;
                each.release(errc::network_down);
            }
        });
        end_dhcp(&going.interface());
    }
};

network_interface::network_interface(stack& of) noexcept
    : host_(host::behind(of)), without_(errc::not_supported) {
    lwip::parts_in_use.interface_of_host = &interface_parts::look;
    lwip::parts_in_use.interface_without_host = &interface_parts::host_goes;
    every_interface().push_back(*this);
    if (netif* const n = netif_of(host_); n != nullptr) {
        netif_set_status_callback(n, &interface_parts::changed);
        netif_set_link_callback(n, &interface_parts::changed);
    }
}

network_interface::~network_interface() {
    release(errc::bad_handle);
}

void network_interface::look() noexcept {
    waiters_.for_each([](waiting& each) {
        if (each.over()) {
            each.home().make_ready(each); // and so leaves the list
        }
    });
}

void network_interface::release(errc why) noexcept {
    while (!waiters_.empty()) {
        waiting& first = waiters_.pop_front();
        first.ended_ = why;
        first.home().make_unlinked_ready(first);
    }
}

// --- waits

bool network_interface::waiting::over() noexcept {
    if (owner_->host_ == nullptr) {
        ended_ = owner_->without_;
        return true;
    }
    return owner_->is_up(wanted_) == until_up_;
}

bool network_interface::waiting::wait(std::coroutine_handle<> caller, bool may_try) noexcept {
    if (may_try && over()) {
        return false;
    }
    if (chain().canceled()) {
        chain().note_interrupted();
        ended_ = errc::canceled;
        return false;
    }
    suspend(caller, &run_now);
    if (over()) {
        home().make_unlinked_ready(*this);
    } else {
        owner_->waiters_.push_back(*this);
    }
    return true;
}

// In the ready queue it was released: the interface may be otherwise again, or gone.
void network_interface::waiting::run_now(waiter& node) {
    auto& self = static_cast<waiting&>(node);
    if (self.chain().canceled()) {
        self.chain().note_interrupted();
        self.ended_ = errc::canceled;
    }
    self.resume();
}

// --- what is

bool network_interface::link_up() const noexcept {
    const netif* const n = netif_of(host_);
    return n != nullptr && netif_is_link_up(n) != 0;
}

bool network_interface::is_up(families wanted) const noexcept {
    const netif* const n = netif_of(host_);
    if (n == nullptr || netif_is_link_up(n) == 0) {
        return false;
    }
    return (wanted != families::ipv6 && has_ipv4(n)) || (wanted != families::ipv4 && has_ipv6(n));
}

std::optional<interface_address> network_interface::ipv4() const noexcept {
    const netif* const n = netif_of(host_);
    if (n == nullptr || ip4_addr_isany_val(*netif_ip4_addr(n))) {
        return {};
    }
    return interface_address{from_ip4(*netif_ip4_addr(n)), prefix_of(*netif_ip4_netmask(n))};
}

std::optional<address> network_interface::gateway() const noexcept {
    const netif* const n = netif_of(host_);
    if (n == nullptr || ip4_addr_isany_val(*netif_ip4_gw(n))) {
        return {};
    }
    return from_ip4(*netif_ip4_gw(n));
}

std::span<address> network_interface::ipv6(std::span<address> into) const noexcept {
    std::size_t count = 0;
#if LWIP_IPV6
    const netif* const n = netif_of(host_);
    for (s8_t i = 0; n != nullptr && i < LWIP_IPV6_NUM_ADDRESSES && count < into.size(); ++i) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(n, i))) {
            into[count++] = lwip::from_lwip(*netif_ip_addr6(n, i));
        }
    }
#endif
    return into.first(count);
}

std::span<address> network_interface::name_servers(std::span<address> into) const noexcept {
    std::size_t count = 0;
    if (host_ != nullptr) {
        for (const ip_addr_t& each :
             core::instance().need_names().servers_of(*static_cast<host*>(host_))) {
            if (count < into.size() && !ip_addr_isany_val(each)) {
                into[count++] = lwip::from_lwip(each);
            }
        }
    }
    return into.first(count);
}

weft::hardware_address network_interface::link_address() const noexcept {
    weft::hardware_address own{};
    const netif* const n = netif_of(host_);
    if (n != nullptr && n->hwaddr_len == own.size()) {
        std::memcpy(own.data(), n->hwaddr, own.size());
    }
    return own;
}

std::uint32_t network_interface::frames_dropped() const noexcept {
    return host_ != nullptr ? static_cast<host*>(host_)->frames_dropped() : 0;
}

// --- where the IPv4 address comes from

result<> network_interface::use_dhcp([[maybe_unused]] const char* host_name) noexcept {
#if LWIP_DHCP
    netif* const n = netif_of(host_);
    if (n == nullptr) {
        return fail(without_);
    }
    if (!static_cast<host*>(host_)->has_link()) {
        return fail(errc::not_supported);
    }
    constexpr u16_t smallest_mtu = 576; // RFC 2131, 2: what a client must be able to take
    if (n->mtu < smallest_mtu || (host_name != nullptr && !is_host_name(host_name))) {
        return fail(errc::invalid_argument);
    }
    end_dhcp(n);
    netif_set_addr(n, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
    netif_set_hostname(n, host_name);
    if (dhcp_start(n) != ERR_OK) {
        end_dhcp(n);
        return fail(errc::no_memory);
    }
    return {};
#else
    return fail(host_ != nullptr ? errc::not_supported : without_);
#endif
}

result<> network_interface::use_static(
    const interface_address& at, std::optional<address> gateway) noexcept {
    netif* const n = netif_of(host_);
    if (n == nullptr) {
        return fail(without_);
    }
    if (!static_cast<host*>(host_)->has_link()) {
        return fail(errc::not_supported);
    }
    const bool wrong = !at.address.is_v4() || at.address.is_any() || at.prefix > 32 ||
                       (gateway && !gateway->is_v4());
    if (wrong) {
        return fail(errc::invalid_argument);
    }
    end_dhcp(n);
    const ip_addr_t ip = lwip::to_lwip(at.address, nullptr);
    const ip_addr_t by = lwip::to_lwip(gateway.value_or(address::any()), nullptr);
    const ip4_addr_t mask = lwip::mask_of(at.prefix);
    netif_set_addr(n, ip_2_ip4(&ip), &mask, ip_2_ip4(&by));
    return {};
}

} // namespace weft
