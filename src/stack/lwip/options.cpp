#include "stack/lwip/options.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"

namespace weft::lwip {

errc use_option(const address* name_servers, std::size_t count, host* by) noexcept {
    if (count > DNS_MAX_SERVERS) {
        return errc::invalid_argument;
    }
    for (const address& each : std::span(name_servers, count)) {
        if (each.is_any()) {
            return errc::invalid_argument;
        }
        if (LWIP_IPV6 == 0 && !each.is_v4()) {
            return errc::family_not_supported;
        }
        if (by != nullptr) {
            put_lwip(by->name_servers_[by->name_server_count_++], each, by->netif_);
        }
    }
    return errc::ok;
}

errc use_option(const interface_address* addresses, std::size_t count, host* by) noexcept {
    if (count > 3) {
        return errc::invalid_argument;
    }
    [[maybe_unused]] s8_t index = 1; // the first is the link-local one
    for (const interface_address& each : std::span(addresses, count)) {
        if (each.address.is_v4() || each.prefix > 128) {
            return errc::invalid_argument;
        }
#if LWIP_IPV6
        if (index == LWIP_IPV6_NUM_ADDRESSES) {
            return errc::no_memory;
        }
        if (by != nullptr) {
            put_lwip(by->own_.ip6_addr[index], each.address, &by->own_);
            // usable at once; duplicate address detection would delay every start by a second
            netif_ip6_addr_set_state(&by->own_, index, IP6_ADDR_PREFERRED);
        }
        ++index;
#else
        static_cast<void>(by);
        return errc::family_not_supported;
#endif
    }
    return errc::ok;
}

} // namespace weft::lwip

namespace weft {

result<interface_address> interface_address::parse(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return fail(errc::invalid_argument);
    }
    const result<weft::address> a = weft::address::parse(text.substr(0, slash));
    if (!a) {
        return fail(a.error());
    }
    unsigned prefix = 0;
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3) {
        return fail(errc::invalid_argument);
    }
    for (const char c : digits) {
        if (c < '0' || c > '9') {
            return fail(errc::invalid_argument);
        }
        prefix = prefix * 10 + static_cast<unsigned>(c - '0');
    }
    if (prefix > (a->is_v4() ? 32U : 128U)) {
        return fail(errc::invalid_argument);
    }
    return interface_address{*a, static_cast<std::uint8_t>(prefix)};
}

} // namespace weft
