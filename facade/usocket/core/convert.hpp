// inet_pton and inet_ntop, and errors as C's numbers.
#pragma once

#include <weft/address.hpp>
#include <weft/errc.hpp>
#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace usocket {

/// Errors of names are negative, so they are set apart from every errno.
inline constexpr int name_errors_from = -1000;

[[nodiscard]] constexpr int c_number(weft::errc error) noexcept {
    const int number = static_cast<int>(error);
    return number >= 0 ? -number : name_errors_from + number;
}
[[nodiscard]] constexpr weft::errc from_c_number(std::int64_t error) noexcept {
    const std::int64_t number = error <= name_errors_from ? error - name_errors_from
                                : error < 0               ? -error
                                                          : error;
    return static_cast<weft::errc>(number);
}

/// The address as 4 or 16 bytes; how many. errc::family_not_supported, invalid_argument.
[[nodiscard]] weft::result<std::size_t>
text_to_bytes(int af, std::string_view text, std::span<std::uint8_t, 16> into) noexcept;

/// The text in `into`. errc::family_not_supported, invalid_argument: not 4 or 16 bytes.
[[nodiscard]] weft::result<std::string_view> bytes_to_text(
    int af, std::span<const std::byte> bytes,
    std::span<char, weft::endpoint_text_size> into) noexcept;

} // namespace usocket
