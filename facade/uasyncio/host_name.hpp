// host_name: where a host's name or address stays while a coroutine asks for it. For those who read
// the source.
#pragma once

#include <weft/address.hpp>
#include <weft/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace uasyncio {

/// A copy: what open_connection() and start_server() are given need not outlive the call.
class host_name {
  public:
    /// Longer than any name or number (RFC 1035: 253 bytes, and a dot); longer text is cut, and is
    /// too long to be one still.
    static constexpr std::size_t capacity = 256;

    explicit host_name(std::string_view text) noexcept
        : size_(static_cast<std::uint16_t>(std::min(text.size(), capacity))) {
        std::copy_n(text.data(), size_, text_.data());
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

  private:
    std::array<char, capacity> text_;
    std::uint16_t size_;
};

} // namespace uasyncio
