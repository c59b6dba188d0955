// A network namespace of this process's own: addresses, ports and routes that no other test and no
// machine shares.
#pragma once

#include <weft/address.hpp>

#include <cstdint>
#include <string>

namespace parity {

/// Leaves the machine's network for a new one with nothing but loopback, which is up. Without root
/// it takes a user namespace as well, where the system lets it. Empty, or what went wrong.
std::string enter_network_namespace();

/// Sets an interface up or down, and leaves it its IPv4 addresses. Empty, or what went wrong.
std::string switch_interface(const std::string& name, bool on);

/// Sets an interface up with these addresses, and waits until they can be used. Empty, or what went
/// wrong.
std::string set_up_interface(
    const std::string& name, const weft::address& ipv4, std::uint8_t ipv4_prefix,
    const weft::address& ipv6, std::uint8_t ipv6_prefix);

} // namespace parity
