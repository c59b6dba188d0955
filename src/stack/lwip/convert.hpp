// weft's values to lwIP's and back.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/address.hpp>
#include <weft/errc.hpp>
#include <weft/one_stack.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <new>

namespace weft::lwip {

/// A link-local address gets the zone of its scope_id, or of `on` if it has none.
[[nodiscard]] ip_addr_t to_lwip(const address& a, const netif* on) noexcept;
/// The same, made in its place.
inline void put_lwip(ip_addr_t& place, const address& a, const netif* on) noexcept {
    ::new (&place) ip_addr_t(to_lwip(a, on));
}
[[nodiscard]] address from_lwip(const ip_addr_t& a) noexcept;

[[nodiscard]] constexpr u8_t type_of(family f) noexcept {
    return f == family::ipv4 ? u8_t{IPADDR_TYPE_V4} : u8_t{IPADDR_TYPE_V6};
}

[[nodiscard]] inline ip4_addr_t mask_of(std::uint8_t prefix) noexcept {
    ip4_addr_t mask = {};
    mask.addr = lwip_htonl(prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix));
    return mask;
}

/// No value but success, or `error` if it is one. For functions that tell an errc, which comes back
/// in a register where a result does not.
[[nodiscard]] inline result<> as_result(errc error) noexcept {
    if (error != errc::ok) {
        return fail(error);
    }
    return {};
}

[[nodiscard]] WEFT_SMALL constexpr errc to_errc(err_t error) noexcept {
    switch (error) {
    case ERR_OK:
        return errc::ok;
    case ERR_MEM:
        return errc::no_memory;
    case ERR_BUF:
        return errc::no_buffers;
    case ERR_TIMEOUT:
        return errc::timed_out;
    case ERR_RTE:
        return errc::network_unreachable;
    case ERR_INPROGRESS:
        return errc::in_progress;
    case ERR_VAL:
    case ERR_ARG:
        return errc::invalid_argument;
    case ERR_WOULDBLOCK:
        return errc::would_block;
    case ERR_USE:
        return errc::address_in_use;
    case ERR_ALREADY:
        return errc::already;
    case ERR_ISCONN:
        return errc::already_connected;
    case ERR_CONN:
    case ERR_CLSD:
        return errc::not_connected;
    case ERR_IF:
        return errc::network_down;
    case ERR_ABRT:
        return errc::connection_aborted;
    case ERR_RST:
        return errc::connection_reset;
    default:
        return errc::io_error;
    }
}

} // namespace weft::lwip
