// digest: the hash that frames and traces are compared by.
#pragma once

#include <weft/link.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace weft {

/// A fast hash that is the same on every machine: not for strangers' data.
class digest {
  public:
    void add(std::uint64_t word) noexcept {
        value_ = (value_ ^ word) * 0x9ddfea08eb382d69;
        value_ ^= value_ >> 32;
    }
    void add(std::span<const std::byte> bytes) noexcept {
        add(bytes.size());
        while (!bytes.empty()) {
            const std::size_t taken = std::min(bytes.size(), sizeof(std::uint64_t));
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), taken);
            if constexpr (std::endian::native == std::endian::big) {
                word = __builtin_bswap64(word);
            }
            add(word);
            bytes = bytes.subspan(taken);
        }
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

  private:
    std::uint64_t value_ = 0xcbf29ce484222325;
};

[[nodiscard]] inline std::uint64_t number(const hardware_address& address) noexcept {
    std::uint64_t all = 0;
    for (const std::uint8_t byte : address) {
        all = (all << 8) | byte;
    }
    return all;
}

} // namespace weft
