// What the tests of links share: addresses, frames that carry a number, and a pair of wired ends.
#pragma once

#include <weft/wire.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace frames {

using namespace std::chrono_literals;
using bytes = std::vector<std::byte>;

inline constexpr weft::hardware_address alice{2, 0, 0, 0, 0, 0xa};
inline constexpr weft::hardware_address bob{2, 0, 0, 0, 0, 0xb};
inline constexpr weft::hardware_address carol{2, 0, 0, 0, 0, 0xc};
inline constexpr weft::hardware_address everyone{255, 255, 255, 255, 255, 255};

/// An Ethernet frame of `size` bytes, of a type for experiments (IEEE 802a), that tells `number`.
inline bytes make_frame(
    const weft::hardware_address& to, const weft::hardware_address& from, std::uint32_t number,
    std::size_t size = 60) {
    bytes frame(size);
    for (std::size_t i = 0; i < 6; ++i) {
        frame[i] = std::byte{to[i]};
        frame[6 + i] = std::byte{from[i]};
    }
    frame[12] = std::byte{0x88};
    frame[13] = std::byte{0xb5};
    for (std::size_t i = 0; i < 4; ++i) {
        frame[14 + i] = static_cast<std::byte>(number >> (24 - 8 * i));
    }
    for (std::size_t i = 18; i < size; ++i) {
        frame[i] = static_cast<std::byte>(i);
    }
    return frame;
}

inline std::uint32_t number_of(std::span<const std::byte> frame) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        number = (number << 8) | std::to_integer<std::uint32_t>(frame[14 + i]);
    }
    return number;
}

inline weft::result<> send(weft::link& from, std::span<const std::byte> frame) {
    const std::array<std::span<const std::byte>, 1> parts{frame};
    return from.send(parts);
}

/// The next frame that has arrived, empty if there is none.
inline bytes receive(weft::link& to) {
    bytes buffer(70'000);
    buffer.resize(to.receive(buffer));
    return buffer;
}

inline std::vector<std::uint32_t> receive_numbers(weft::link& to) {
    std::vector<std::uint32_t> numbers;
    for (bytes frame = receive(to); !frame.empty(); frame = receive(to)) {
        numbers.push_back(number_of(frame));
    }
    return numbers;
}

inline constexpr weft::time_point start{std::chrono::seconds(1)};

/// Alice and Bob on a wire, at `start`.
struct pair_of_ends {
    explicit pair_of_ends(const weft::wire_options& options = {}) : cable(options) { at(start); }

    void at(weft::time_point now) {
        a->advance(now);
        b->advance(now);
    }
    /// Alice sends frames to Bob numbered from `first`.
    void send(std::uint32_t first, std::uint32_t count, std::size_t size = 60) {
        for (std::uint32_t i = 0; i < count; ++i) {
            CHECK(frames::send(*a, make_frame(bob, alice, first + i, size)).has_value());
        }
    }

    weft::wire cable;
    std::unique_ptr<weft::link> a = *cable.attach(alice);
    std::unique_ptr<weft::link> b = *cable.attach(bob);
};

} // namespace frames
