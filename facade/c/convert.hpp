// What the C functions share: numbers, addresses and times as C has them.
#pragma once

#include "c/usocket.h"

#include "usocket/core/convert.hpp"

#include <weft/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace usocket::c {

inline constexpr std::size_t largest = static_cast<std::size_t>(PTRDIFF_MAX);

inline int negative(weft::errc error) noexcept {
    return usocket::c_number(error);
}

/// A span of the caller's memory; false: a null pointer with a size, or a size that is a negative
/// number.
inline bool is_memory(const void* at, std::size_t size) noexcept {
    return (at != nullptr || size == 0) && size <= largest;
}
/// A pointer, and a size that is positive.
inline bool is_some_memory(const void* at, std::size_t size) noexcept {
    return at != nullptr && static_cast<std::ptrdiff_t>(size) > 0;
}
inline weft::result<weft::endpoint> from_c(const us_address* a) noexcept {
    if (a == nullptr) {
        return weft::fail(weft::errc::invalid_argument);
    }
    if (a->family == US_AF_INET) {
        return weft::endpoint{
            weft::address::v4(a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]), a->port};
    }
    if (a->family == US_AF_INET6) {
        std::array<std::uint8_t, 16> bytes{};
        std::copy(std::begin(a->bytes), std::end(a->bytes), bytes.begin());
        return weft::endpoint{weft::address::v6(bytes, a->scope_id), a->port};
    }
    return weft::fail(weft::errc::invalid_argument);
}

inline void to_c(const weft::endpoint& from, us_address& into) noexcept {
    into = us_address{};
    into.family = from.address.is_v4() ? US_AF_INET : US_AF_INET6;
    into.port = from.port;
    into.scope_id = from.address.scope_id();
    std::copy(from.address.bytes().begin(), from.address.bytes().end(), into.bytes);
}

/// Nanoseconds from now; -1 is for ever. weft::errc::invalid_argument: less than that.
inline weft::result<weft::duration> limit_of(std::int64_t milliseconds) noexcept {
    if (milliseconds < -1) {
        return weft::fail(weft::errc::invalid_argument);
    }
    constexpr std::int64_t most = weft::duration::max().count() / 1'000'000;
    if (milliseconds == -1 || milliseconds >= most) {
        return weft::duration::max();
    }
    return weft::duration(std::chrono::milliseconds(milliseconds));
}

} // namespace usocket::c
