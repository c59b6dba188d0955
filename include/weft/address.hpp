// IP addresses and endpoints as plain values.
//
//     auto at = weft::endpoint::parse("127.0.0.1:7000");      // result<endpoint>
//     auto v6 = weft::endpoint::parse("[fe80::1%2]:7000");
#pragma once

#include <weft/result.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft {

enum class family : std::uint8_t { ipv4, ipv6 };

/// An IPv4 or IPv6 address. A regular value, 24 bytes.
class address {
  public:
    /// 0.0.0.0
    constexpr address() noexcept = default;

    static constexpr address any(family f = family::ipv4) noexcept { return address(f); }
    static constexpr address loopback(family f = family::ipv4) noexcept {
        address a(f);
        if (f == family::ipv4) {
            a.bytes_[0] = 127;
            a.bytes_[3] = 1;
        } else {
            a.bytes_[15] = 1;
        }
        return a;
    }
    static constexpr address
    v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
        address made;
        made.bytes_ = {a, b, c, d};
        return made;
    }
    /// `bytes` in network order; `scope_id` is the interface of a link-local address, 0 if none.
    static constexpr address
    v6(const std::array<std::uint8_t, 16>& bytes, std::uint32_t scope_id = 0) noexcept {
        address made(family::ipv6);
        made.bytes_ = bytes;
        made.scope_id_ = scope_id;
        return made;
    }

    /// Dotted quad of four decimal numbers (no shorter forms), or RFC 4291 text with an optional
    /// numeric "%scope". errc::invalid_argument for anything else.
    [[nodiscard]] static result<address> parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr weft::family family() const noexcept { return family_; }
    [[nodiscard]] constexpr bool is_v4() const noexcept { return family_ == family::ipv4; }
    [[nodiscard]] constexpr std::uint32_t scope_id() const noexcept { return scope_id_; }

    /// Network order: 4 bytes or 16.
    [[nodiscard]] constexpr std::span<const std::uint8_t> bytes() const noexcept {
        return std::span<const std::uint8_t>(bytes_).first(is_v4() ? 4 : 16);
    }

    [[nodiscard]] constexpr bool is_any() const noexcept {
        // in words: compilers see through these where they know the address
        const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(bytes_);
        return (words[0] | words[1]) == 0;
    }
    [[nodiscard]] constexpr bool is_loopback() const noexcept {
        return is_v4() ? bytes_[0] == 127 : *this == loopback(family::ipv6);
    }

    friend constexpr bool operator==(const address&, const address&) noexcept = default;

  private:
    constexpr explicit address(weft::family f) noexcept : family_(f) {}

    std::array<std::uint8_t, 16> bytes_{};
    std::uint32_t scope_id_ = 0;
    weft::family family_ = weft::family::ipv4;
};

/// The longest text an endpoint prints as, without a terminator.
inline constexpr std::size_t endpoint_text_size = 64;

/// An address and a port.
struct endpoint {
    weft::address address;
    std::uint16_t port = 0;

    /// "1.2.3.4:80", "[::1]:80", or ":80" for any IPv4 address. errc::invalid_argument if the text
    /// is none of these or the port is not 0..65535.
    [[nodiscard]] static result<endpoint> parse(std::string_view text) noexcept;

    friend constexpr bool operator==(const endpoint&, const endpoint&) noexcept = default;
};

/// Writes the canonical text (RFC 5952 for IPv6) and returns what was written; no terminator. At
/// least endpoint_text_size bytes, or the result is empty.
std::string_view to_text(const address& a, std::span<char> into) noexcept;
std::string_view to_text(const endpoint& e, std::span<char> into) noexcept;

} // namespace weft
