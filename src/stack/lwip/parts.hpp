// parts: what a program may use or leave. The rest of the stack reaches it through these pointers,
// which only the part's own file sets, so that an image without the part links nothing of it.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/errc.hpp>

#include <cstdint>

namespace weft::lwip {

class host;

/// What ICMP or ICMPv6 says of an echo request of ours.
struct echo_outcome {
    errc error; // ok: this is the reply
    std::uint16_t id;
    std::uint16_t sequence;
    ip_addr_t asked; // without a zone
};

/// Null until the part is first used, and then for good. All but the *_host ones are called inside
/// lwIP, and resume nothing.
struct optional_parts {
    // network_interface.cpp
    void (*interface_of_host)(host&) noexcept = nullptr;      // something may have changed
    void (*interface_without_host)(host&) noexcept = nullptr; // its sockets are closed
    // ping.cpp
    void (*ping_answered)(const echo_outcome&) noexcept = nullptr;
    void (*ping_without_host)(host&) noexcept = nullptr;
};

inline constinit optional_parts parts_in_use;

} // namespace weft::lwip
