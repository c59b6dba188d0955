// ICMP's destination unreachable (RFC 792, RFC 4443), which lwIP itself does not hand to its pcbs:
// the input hooks see every ICMP packet first and tell the socket whose packet is quoted in it. A
// program that pings hears of its echo requests too.

#include "stack/lwip/unreachable.hpp"

#include "stack/lwip/api.hpp"
#include "stack/lwip/core.hpp"
#include "stack/lwip/parts.hpp"
#include "stack/lwip/tcp.hpp"
#include "stack/lwip/udp.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace weft::lwip {

std::uint32_t
sum_of(const pbuf* p, std::size_t begin, std::size_t end, std::uint32_t sum) noexcept {
    std::size_t at = 0;
    for (; p != nullptr; p = p->next) {
        const auto* bytes = static_cast<const std::uint8_t*>(p->payload);
        for (std::size_t i = 0; i < p->len; ++i, ++at) {
            if (at >= begin && at < end) {
                sum += std::uint32_t{bytes[i]} << ((at - begin) % 2 == 0 ? 8 : 0);
            }
        }
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

namespace {

/// The sender's view of the packet that could not be delivered.
struct quoted {
    std::uint8_t protocol;
    std::uint16_t source_port;
    std::uint16_t destination_port;
    std::uint32_t sequence; // TCP's; of an echo request its identifier and sequence number
    ip_addr_t source;
    ip_addr_t destination;
};

std::uint16_t read16(const std::uint8_t* at) noexcept {
    return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

std::uint32_t read32(const std::uint8_t* at) noexcept {
    return std::uint32_t{read16(at)} << 16 | read16(at + 2);
}

/// Whatever the zone: a quoted packet has none.
bool same_address(const ip_addr_t* a, const ip_addr_t* b) noexcept {
    if (IP_IS_V4(a) || IP_IS_V4(b)) {
        return IP_IS_V4(a) && IP_IS_V4(b) && ip4_addr_eq(ip_2_ip4(a), ip_2_ip4(b));
    }
#if LWIP_IPV6
    return std::memcmp(ip_2_ip6(a)->addr, ip_2_ip6(b)->addr, 16) == 0;
#else
    return false;
#endif
}

void tell_udp(const quoted& q, errc why) noexcept {
    for (udp_pcb* pcb = udp_pcbs; pcb != nullptr; pcb = pcb->next) {
        if (pcb->local_port == q.source_port && (pcb->flags & UDP_FLAGS_CONNECTED) != 0 &&
            pcb->remote_port == q.destination_port &&
            same_address(&pcb->remote_ip, &q.destination) &&
            (ip_addr_isany(&pcb->local_ip) || same_address(&pcb->local_ip, &q.source)) &&
            udp::is_ours(pcb)) {
            static_cast<udp*>(pcb->recv_arg)->unreachable(why);
        }
    }
}

void tell_tcp(const quoted& q, errc why) noexcept {
    for (tcp_pcb* pcb = tcp_active_pcbs; pcb != nullptr; pcb = pcb->next) {
        if (pcb->state == SYN_SENT && pcb->local_port == q.source_port &&
            pcb->remote_port == q.destination_port &&
            same_address(&pcb->remote_ip, &q.destination) &&
            same_address(&pcb->local_ip, &q.source) &&
            pcb->lastack == q.sequence && // our SYN, so whoever says it has seen it: RFC 5927
            tcp::is_ours(pcb)) {
            static_cast<tcp*>(pcb->callback_arg)->unreachable(why);
        }
    }
}

void tell(const quoted& q, errc why) noexcept {
    if (q.protocol == IP_PROTO_UDP) {
        tell_udp(q, why);
    } else if (q.protocol == IP_PROTO_TCP) {
        tell_tcp(q, why);
    } else if (parts_in_use.ping_failed != nullptr) { // the other protocol that we speak
        parts_in_use.ping_failed(q.sequence, q.destination, why);
    }
}

/// On the way the packet's hops were used up.
void tell_expired(const quoted& q) noexcept {
    if (q.protocol != IP_PROTO_UDP && q.protocol != IP_PROTO_TCP) {
        tell(q, errc::host_unreachable);
    }
}

// Offsets: outer IPv4 header, 8 bytes of ICMP, the quoted IPv4 header and 8 bytes behind it.
void on_icmp4(pbuf* p) noexcept {
    std::array<std::uint8_t, 60 + 8 + 60 + 8> bytes{};
    const std::size_t size =
        pbuf_copy_partial(p, bytes.data(), static_cast<u16_t>(bytes.size()), 0);
    const std::size_t outer = static_cast<std::size_t>(bytes[0] & 0x0f) * 4;
    const bool expired = bytes[outer] == 11;
    if (outer < 20 || size < outer + 8 + 20 + 8 ||
        (bytes[outer] != 3 /* destination unreachable */ && !expired)) {
        return;
    }
    const std::uint8_t* inner = bytes.data() + outer + 8;
    const std::size_t inner_size = static_cast<std::size_t>(inner[0] & 0x0f) * 4;
    const std::size_t total = read16(bytes.data() + 2);
    const bool fragment = (read16(bytes.data() + 6) & 0x3fff) != 0;
    if (inner[0] >> 4 != 4 || size < outer + 8 + inner_size + 8 || fragment || total > p->tot_len ||
        total < outer + 8 + inner_size + 8 || sum_of(p, outer, total, 0) != 0xffff) {
        return;
    }
    quoted q{
        inner[9],
        read16(inner + inner_size),
        read16(inner + inner_size + 2),
        read32(inner + inner_size + 4),
        {},
        {}};
    IP_ADDR4(&q.source, inner[12], inner[13], inner[14], inner[15]);
    IP_ADDR4(&q.destination, inner[16], inner[17], inner[18], inner[19]);
    if (expired) {
        tell_expired(q);
        return;
    }
    switch (bytes[outer + 1]) {
    case 0: // net
    case 6:
        tell(q, errc::network_unreachable);
        break;
    case 1: // host
    case 7:
        tell(q, errc::host_unreachable);
        break;
    case 2: // protocol
    case 3: // port
        tell(q, errc::connection_refused);
        break;
    default: // 4 is path MTU, and the rest are a firewall's
        break;
    }
}

#if LWIP_IPV6
// Extension headers are not looked through.
void on_icmp6(pbuf* p) noexcept {
    std::array<std::uint8_t, 40 + 8 + 40 + 8> bytes{};
    const std::size_t size =
        pbuf_copy_partial(p, bytes.data(), static_cast<u16_t>(bytes.size()), 0);
    constexpr std::size_t outer = 40;
    const bool expired = bytes[outer] == 3;
    if (size < outer + 8 + 40 + 8 ||
        (bytes[outer] != 1 /* destination unreachable */ && !expired)) {
        return;
    }
    const std::size_t length = read16(bytes.data() + 4);
    const std::uint32_t pseudo_header =
        sum_of(p, 8, 40, static_cast<std::uint32_t>(length) + IP6_NEXTH_ICMP6);
    if (length < 8 + 40 + 8 || outer + length > p->tot_len ||
        sum_of(p, outer, outer + length, pseudo_header) != 0xffff) {
        return;
    }
    const std::uint8_t* inner = bytes.data() + outer + 8;
    quoted q{inner[6], read16(inner + 40), read16(inner + 42), read32(inner + 44), {}, {}};
    const auto read_address = [](const std::uint8_t* at) {
        ip_addr_t a = {};
        ip6_addr_t v6 = {};
        std::memcpy(v6.addr, at, 16);
        ip_addr_copy_from_ip6(a, v6);
        return a;
    };
    q.source = read_address(inner + 8);
    q.destination = read_address(inner + 24);
    if (expired) {
        tell_expired(q);
        return;
    }
    switch (bytes[outer + 1]) {
    case 0: // no route
        tell(q, errc::network_unreachable);
        break;
    case 3: // address
        tell(q, errc::host_unreachable);
        break;
    case 4: // port
        tell(q, errc::connection_refused);
        break;
    default:
        break;
    }
}
#endif

int on_icmp(pbuf* p, [[maybe_unused]] int version) noexcept {
    if (parts_in_use.ping_sees != nullptr) {
        parts_in_use.ping_sees(p);
    }
#if LWIP_IPV6
    if (version == 6) {
        on_icmp6(p);
        return 0;
    }
#endif
    on_icmp4(p);
    return 0;
}

} // namespace

void hear_of_unreachable() noexcept {
    core::instance().listen_to_icmp(&on_icmp);
}

} // namespace weft::lwip
