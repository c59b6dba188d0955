// parts: what a program may use or leave. The rest of the stack reaches it through these pointers,
// which only the part's own file sets, so that an image without the part links nothing of it.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/errc.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::lwip {

class host;

/// Null until the part is first used, and then for good. All but the *_host ones are called inside
/// lwIP, and resume nothing.
struct optional_parts {
    // network_interface.cpp
    void (*interface_of_host)(host&) noexcept = nullptr;      // something may have changed
    void (*interface_without_host)(host&) noexcept = nullptr; // its sockets are closed
    // ping.cpp
    void (*ping_sees)(const pbuf* icmp_packet) noexcept = nullptr;
    // an echo request came back: its identifier and sequence number, to whom it went
    void (*ping_failed)(std::uint32_t number, const ip_addr_t& to, errc why) noexcept = nullptr;
    void (*ping_without_host)(host&) noexcept = nullptr;
};

inline constinit optional_parts parts_in_use;

/// RFC 1071's sum of the bytes from `begin` to `end`, added to `sum`; 0xffff if a checksum among
/// them is right.
[[nodiscard]] std::uint32_t
sum_of(const pbuf* p, std::size_t begin, std::size_t end, std::uint32_t sum) noexcept;

} // namespace weft::lwip
