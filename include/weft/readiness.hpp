// readiness: what a socket would let you do now, as a level-triggered set of bits.
#pragma once

#include <cstdint>

namespace weft {

/// The bits are MicroPython's poll numbers. A bit says that a try may succeed, or that it will tell
/// an error; never that it surely will.
enum class readiness : std::uint8_t {
    none = 0,
    readable = 1,
    writable = 4,
    error = 8,
    hangup = 16,
};

constexpr readiness operator|(readiness a, readiness b) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr readiness operator&(readiness a, readiness b) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr readiness operator~(readiness a) noexcept {
    return static_cast<readiness>(~static_cast<unsigned>(a) & 0x1dU);
}
constexpr readiness& operator|=(readiness& a, readiness b) noexcept {
    return a = a | b;
}
constexpr readiness& operator&=(readiness& a, readiness b) noexcept {
    return a = a & b;
}
constexpr bool any(readiness bits) noexcept {
    return bits != readiness::none;
}

} // namespace weft
