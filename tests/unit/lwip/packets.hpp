// Frames made by hand, with checksums that are right.
#pragma once

#include <weft/address.hpp>
#include <weft/link.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace packets {

using bytes = std::vector<std::uint8_t>;

inline void put16(bytes& to, std::size_t at, std::size_t value) {
    to[at] = static_cast<std::uint8_t>(value >> 8);
    to[at + 1] = static_cast<std::uint8_t>(value);
}
inline void put32(bytes& to, std::size_t at, std::uint32_t value) {
    put16(to, at, value >> 16);
    put16(to, at + 2, value & 0xffff);
}

/// RFC 1071; `sum` is what a pseudo header adds.
inline std::size_t checksum(std::span<const std::uint8_t> of, std::size_t sum = 0) {
    for (std::size_t i = 0; i < of.size(); ++i) {
        sum += std::size_t{of[i]} << (i % 2 == 0 ? 8 : 0);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}

inline std::size_t
pseudo(const weft::address& from, const weft::address& to, unsigned protocol, std::size_t size) {
    std::size_t sum = protocol + size;
    for (const weft::address* a : {&from, &to}) {
        for (std::size_t i = 0; i < a->bytes().size(); ++i) {
            sum += std::size_t{a->bytes()[i]} << (i % 2 == 0 ? 8 : 0);
        }
    }
    return sum;
}

/// An IPv4 packet, or a fragment of one: `offset` in bytes, a multiple of 8.
inline bytes ipv4(
    const weft::address& from, const weft::address& to, unsigned protocol,
    std::span<const std::uint8_t> payload, std::size_t offset = 0, bool more = false) {
    bytes made(20);
    made[0] = 0x45;
    put16(made, 2, 20 + payload.size());
    put16(made, 4, 0x4242);
    put16(made, 6, offset / 8 | (more ? 0x2000U : 0U));
    made[8] = 64;
    made[9] = static_cast<std::uint8_t>(protocol);
    for (std::size_t i = 0; i < 4; ++i) {
        made[12 + i] = from.bytes()[i];
        made[16 + i] = to.bytes()[i];
    }
    put16(made, 10, checksum(made));
    made.insert(made.end(), payload.begin(), payload.end());
    return made;
}

inline bytes ipv6(
    const weft::address& from, const weft::address& to, unsigned protocol,
    std::span<const std::uint8_t> payload) {
    bytes made(8);
    made[0] = 0x60;
    put16(made, 4, payload.size());
    made[6] = static_cast<std::uint8_t>(protocol);
    made[7] = 64;
    made.insert(made.end(), from.bytes().begin(), from.bytes().end());
    made.insert(made.end(), to.bytes().begin(), to.bytes().end());
    made.insert(made.end(), payload.begin(), payload.end());
    return made;
}

struct segment {
    std::uint16_t from_port;
    std::uint16_t to_port;
    std::uint32_t sequence = 1;
    std::uint32_t acknowledged = 0;
    unsigned flags = 0;
    bytes options = {}; // a multiple of 4
    bytes data = {};
};
inline constexpr unsigned syn = 2;
inline constexpr unsigned rst = 4;
inline constexpr unsigned push = 8;
inline constexpr unsigned ack = 16;

inline bytes tcp(const weft::address& from, const weft::address& to, const segment& s) {
    bytes made(20);
    put16(made, 0, s.from_port);
    put16(made, 2, s.to_port);
    put32(made, 4, s.sequence);
    put32(made, 8, s.acknowledged);
    made[12] = static_cast<std::uint8_t>((20 + s.options.size()) / 4 << 4);
    made[13] = static_cast<std::uint8_t>(s.flags);
    put16(made, 14, 0xffff);
    made.insert(made.end(), s.options.begin(), s.options.end());
    made.insert(made.end(), s.data.begin(), s.data.end());
    put16(made, 16, checksum(made, pseudo(from, to, 6, made.size())));
    return made;
}

/// Destination unreachable (RFC 792), quoting a packet as `about` sent it: its header and 8 bytes.
inline bytes unreachable4(unsigned code, std::span<const std::uint8_t> about) {
    bytes made(8);
    made[0] = 3;
    made[1] = static_cast<std::uint8_t>(code);
    const std::size_t quoted = (about[0] & 15U) * 4U + 8U;
    made.insert(made.end(), about.begin(), about.begin() + static_cast<std::ptrdiff_t>(quoted));
    put16(made, 2, checksum(made));
    return made;
}

/// The same of ICMPv6 (RFC 4443).
inline bytes unreachable6(
    const weft::address& from, const weft::address& to, unsigned code,
    std::span<const std::uint8_t> about) {
    bytes made(8);
    made[0] = 1;
    made[1] = static_cast<std::uint8_t>(code);
    made.insert(made.end(), about.begin(), about.end());
    put16(made, 2, checksum(made, pseudo(from, to, 58, made.size())));
    return made;
}

/// Puts a packet on the wire, in an Ethernet frame.
inline weft::result<>
send(weft::link& by, const weft::hardware_address& to, std::span<const std::uint8_t> packet) {
    bytes frame(14);
    const weft::hardware_address from = by.address();
    for (std::size_t i = 0; i < 6; ++i) {
        frame[i] = to[i];
        frame[6 + i] = from[i];
    }
    put16(frame, 12, packet[0] >> 4 == 4 ? 0x0800 : 0x86dd);
    frame.insert(frame.end(), packet.begin(), packet.end());
    const std::array<std::span<const std::byte>, 1> parts{std::as_bytes(std::span(frame))};
    return by.send(parts);
}

} // namespace packets
