#include "stack/lwip/convert.hpp"

#include <array>
#include <cstring>

namespace weft::lwip {

ip_addr_t to_lwip(const address& a, [[maybe_unused]] const netif* on) noexcept {
    ip_addr_t made = {};
    if (a.is_v4()) {
        std::memcpy(&ip_2_ip4(&made)->addr, a.bytes().data(), 4);
        return made;
    }
#if LWIP_IPV6
    ip6_addr_t& v6 = *ip_2_ip6(&made);
    IP_SET_TYPE_VAL(made, IPADDR_TYPE_V6);
    std::memcpy(v6.addr, a.bytes().data(), 16);
    if (ip6_addr_has_scope(&v6, IP6_UNKNOWN)) {
        if (a.scope_id() != 0) {
            ip6_addr_set_zone(&v6, static_cast<u8_t>(a.scope_id()));
        } else if (on != nullptr) {
            ip6_addr_assign_zone(&v6, IP6_UNKNOWN, on);
        }
    }
#endif
    return made;
}

address from_lwip(const ip_addr_t& a) noexcept {
    if (IP_IS_V4_VAL(a)) {
        std::array<std::uint8_t, 4> b{};
        std::memcpy(b.data(), &ip_2_ip4(&a)->addr, 4);
        return address::v4(b[0], b[1], b[2], b[3]);
    }
#if LWIP_IPV6
    std::array<std::uint8_t, 16> b{};
    std::memcpy(b.data(), ip_2_ip6(&a)->addr, 16);
    return address::v6(b, ip6_addr_has_zone(ip_2_ip6(&a)) ? ip6_addr_zone(ip_2_ip6(&a)) : 0);
#else
    return address::any(family::ipv6);
#endif
}

} // namespace weft::lwip
