#include <weft/ping.hpp>

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/parts.hpp"
#include "stack/lwip/random.hpp"
#include "stack/lwip/unreachable.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

extern "C" {
#include <lwip/inet_chksum.h>
#include <lwip/prot/ip6.h>
}

namespace weft {

namespace {

using lwip::host;

/// Those that wait. Never destroyed, as the core.
list<pinging>& under_way() noexcept {
    using all = list<pinging>;
    alignas(all) static std::byte room[sizeof(all)];
    static all* made = nullptr;
    if (made == nullptr) {
        made = ::new (room) all;
    }
    return *made;
}

constexpr std::size_t icmp_size = 8; // RFC 792: type, code, checksum, identifier, sequence number

/// The request but for its checksum; null without memory.
pbuf* make_request(std::uint8_t type, std::uint32_t number, std::size_t size) noexcept {
    pbuf* const p = pbuf_alloc(PBUF_IP, static_cast<u16_t>(icmp_size + size), PBUF_RAM);
    if (p == nullptr) {
        return nullptr;
    }
    auto* const bytes = static_cast<std::uint8_t*>(p->payload);
    std::memset(bytes, 0, icmp_size);
    bytes[0] = type;
    number = lwip_htonl(number);
    std::memcpy(bytes + 4, &number, sizeof number);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[icmp_size + i] = static_cast<std::uint8_t>(i);
    }
    return p;
}

std::uint16_t read16(const std::uint8_t* at) noexcept {
    return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

err_t send_request(pbuf* p, host& by, const ip_addr_t& to, std::uint8_t hop_limit) noexcept {
    netif* const n = &by.interface();
    u16_t sum = 0;
    if (IP_IS_V4_VAL(to)) {
        sum = inet_chksum_pbuf(p);
        std::memcpy(static_cast<std::byte*>(p->payload) + 2, &sum, sizeof sum);
        const ip4_addr_t* const from = netif_ip4_addr(n);
        return ip4_output_if(p, from, ip_2_ip4(&to), hop_limit, 0, IP_PROTO_ICMP, n);
    }
#if LWIP_IPV6
    const ip_addr_t* const from = ip6_select_source_address(n, ip_2_ip6(&to));
    sum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->tot_len, ip_2_ip6(from), ip_2_ip6(&to));
    std::memcpy(static_cast<std::byte*>(p->payload) + 2, &sum, sizeof sum);
    return ip6_output_if(p, ip_2_ip6(from), ip_2_ip6(&to), hop_limit, 0, IP6_NEXTH_ICMP6, n);
#else
    return ERR_RTE;
#endif
}

} // namespace

/// What the stack calls.
struct ping_parts {
    /// Echo replies. IPv6's extension headers are not looked through.
    static void see(const pbuf* p) noexcept {
        std::array<std::uint8_t, 60 + icmp_size> bytes{};
        const std::size_t size =
            pbuf_copy_partial(p, bytes.data(), static_cast<u16_t>(bytes.size()), 0);
        const bool v4 = bytes[0] >> 4 == 4;
        const std::size_t outer = v4 ? std::size_t{bytes[0] & 0x0fU} * 4 : 40;
        const std::uint8_t* const icmp = bytes.data() + outer;
        const std::size_t end = v4 ? read16(&bytes[2]) : outer + read16(&bytes[4]);
        const bool fragment = v4 && (read16(&bytes[6]) & 0x3fff) != 0;
        constexpr std::uint8_t reply4 = 0;
        constexpr std::uint8_t reply6 = 129;
        if (size < outer + icmp_size || end < outer + icmp_size || end > p->tot_len || fragment ||
            icmp[0] != (v4 ? reply4 : reply6) || icmp[1] != 0) {
            return;
        }
        constexpr std::uint32_t protocol6 = 58; // ICMPv6, in its pseudo header
        const std::uint32_t pseudo_header =
            v4 ? 0 : lwip::sum_of(p, 8, 40, static_cast<std::uint32_t>(end - outer) + protocol6);
        if (lwip::sum_of(p, outer, end, pseudo_header) != 0xffff) {
            return;
        }
        const std::uint32_t number = std::uint32_t{read16(icmp + 4)} << 16 | read16(icmp + 6);
        end_one(number, {&bytes[v4 ? 12 : 8], v4 ? 4U : 16U}, errc::ok);
    }
    static void failed(std::uint32_t number, const ip_addr_t& to, errc why) noexcept {
        end_one(number, lwip::from_lwip(to).bytes(), why);
    }
    /// Whatever the zone: headers have none.
    static void
    end_one(std::uint32_t number, std::span<const std::uint8_t> asked, errc how) noexcept {
        under_way().for_each([&](pinging& each) {
            const std::span<const std::uint8_t> whom = each.whom_.bytes();
            if (each.number_ == number && whom.size() == asked.size() &&
                std::memcmp(whom.data(), asked.data(), asked.size()) == 0) {
                each.taken_ = each.home().read_clock() - each.sent_;
                each.end(how);
            }
        });
    }
    static void host_goes(host& going) noexcept {
        under_way().for_each([&going](pinging& each) {
            if (each.by_ == &going) {
                each.end(errc::network_down);
            }
        });
    }
};

/// Inside lwIP: the coroutine becomes runnable, it does not run here.
void pinging::end(errc how) noexcept {
    ended_ = how;
    home().make_ready(*this); // and so leaves the list
}

bool pinging::wait(std::coroutine_handle<> caller) noexcept {
    if (chain().canceled()) {
        chain().note_interrupted();
        ended_ = errc::canceled;
        return false;
    }
    ended_ = send();
    if (ended_ != errc::ok) {
        return false;
    }
    suspend(caller, &run_now);
    under_way().push_back(*this);
    return true;
}

errc pinging::send() noexcept {
    host* const from = host::behind(*by_);
    if (from == nullptr) {
        return errc::not_supported;
    }
#if !LWIP_IPV6
    if (!whom_.is_v4()) {
        return errc::family_not_supported;
    }
#endif
    const ip_addr_t to = lwip::to_lwip(whom_, &from->interface());
    if (whom_.is_any() || ip_addr_ismulticast(&to) || whom_ == address::v4(255, 255, 255, 255)) {
        return errc::invalid_argument;
    }
    if (!from->has_route(to)) {
        return errc::network_unreachable;
    }
    const std::size_t headers = (whom_.is_v4() ? 20U : 40U) + icmp_size;
    const std::size_t mtu = from->interface().mtu; // none on lwIP's loopback
    if (headers + options_.size > (mtu != 0 ? mtu : 0xffffU)) {
        return errc::message_too_long;
    }
    lwip::hear_of_unreachable();
    lwip::parts_in_use.ping_sees = &ping_parts::see;
    lwip::parts_in_use.ping_failed = &ping_parts::failed;
    lwip::parts_in_use.ping_without_host = &ping_parts::host_goes;
    number_ =
        lwip::random_source::instance().next(); // so that nobody can answer who has not seen it
    constexpr std::uint8_t echo4 = 8;
    constexpr std::uint8_t echo6 = 128;
    pbuf* const p = make_request(whom_.is_v4() ? echo4 : echo6, number_, options_.size);
    if (p == nullptr) {
        return errc::no_memory;
    }
    sent_ = from->loop().read_clock();
    const err_t outcome = send_request(p, *from, to, options_.hop_limit);
    pbuf_free(p);
    return lwip::to_errc(outcome);
}

void pinging::run_now(waiter& node) {
    auto& self = static_cast<pinging&>(node);
    if (self.chain().canceled()) {
        self.chain().note_interrupted();
        self.ended_ = errc::canceled;
    }
    self.resume();
}

} // namespace weft
