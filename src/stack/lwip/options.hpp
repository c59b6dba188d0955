// The options of a stack: what is wrong with them, and those parts that few programs use.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/lwip.hpp>

namespace weft::lwip {

template <class T>
inline errc use(const option_list<T>& list, host* by) noexcept {
#if WEFT_ONE_STACK
    return list.use(by);
#else
    return use_option(list.data(), list.size(), by);
#endif
}

/// errc::ok, or what is wrong with them. `mtu` is the link's, if there is one.
[[nodiscard]] inline errc check(const lwip_options& o, std::size_t mtu) noexcept {
#if WEFT_ONE_STACK
    if (o.seed) {
        return errc::not_supported; // a board's source may itself be deterministic
    }
#endif
    if (o.link != nullptr) {
        if (mtu - 1 >= 0xffff - link::header_size || // 0 too
            (o.ipv4 && (!o.ipv4->address.is_v4() || o.ipv4->prefix > 32)) ||
            (o.gateway && !o.gateway->is_v4())) {
            return errc::invalid_argument;
        }
#if !WEFT_ONE_STACK
        if (o.link->descriptor() >= 0 && o.driver == nullptr) {
            return errc::invalid_argument;
        }
#endif
        if (const errc wrong = use(o.ipv6, nullptr); wrong != errc::ok) {
            return wrong;
        }
    }
    return use(o.name_servers, nullptr);
}

} // namespace weft::lwip
