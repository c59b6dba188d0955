// The known sequence: every byte that tests send follows from its offset, so that a lost, doubled
// or exchanged byte is seen wherever a stream is read on.
#pragma once

#include "world.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft {
/// How doctest shows what was expected and what came.
inline doctest::String toString(errc error) {
    return name(error);
}
} // namespace weft

namespace parity {

/// errc::ok: it has succeeded.
template <class T>
errc error_of(const result<T>& r) noexcept {
    return r ? errc::ok : r.error();
}
inline errc error_of(const transfer& t) noexcept {
    return t.error();
}

using bytes = std::vector<std::byte>;

/// No period that a buffer's size could hide.
constexpr std::byte known_byte(std::uint64_t offset) noexcept {
    std::uint64_t x = (offset + 1) * 0x9e3779b97f4a7c15U;
    x ^= x >> 29;
    return static_cast<std::byte>((x * 0xbf58476d1ce4e5b9U) >> 56);
}

inline void fill(std::span<std::byte> into, std::uint64_t offset) noexcept {
    for (std::byte& b : into) {
        b = known_byte(offset++);
    }
}

inline bytes known_bytes(std::uint64_t offset, std::size_t size) {
    bytes made(size);
    fill(made, offset);
    return made;
}

/// How many bytes from the start are those of the sequence at `offset`.
inline std::size_t agreeing(std::span<const std::byte> got, std::uint64_t offset) noexcept {
    std::size_t same = 0;
    while (same < got.size() && got[same] == known_byte(offset + same)) {
        ++same;
    }
    return same;
}

/// A connection between the two stacks of a world.
struct connection {
    connection() = default;
    connection(tcp_stream s, tcp_stream c) noexcept : server(std::move(s)), client(std::move(c)) {}
    tcp_stream server;
    tcp_stream client;
};

tcp_listener listen(world& w, family f = family::ipv4, std::size_t backlog = 128);
endpoint endpoint_of(const tcp_listener& listener);

/// Connects to `listener` and accepts there.
task<connection> connect_pair(world& w, tcp_listener& listener);
task<connection> connect_pair(world& w, family f = family::ipv4);

/// Sends the sequence from `offset` up to `end`, in odd sizes up to `chunk`.
task<>
send_sequence(world& w, tcp_stream& to, std::uint64_t offset, std::uint64_t end, std::size_t chunk);
/// Receives exactly that, and compares each byte.
task<> expect_sequence(
    world& w, tcp_stream& from, std::uint64_t offset, std::uint64_t end, std::size_t chunk);
/// The next thing is the end of the stream, and stays it.
task<> expect_end(tcp_stream& from);
/// Reads and compares until an error or the end, and moves `offset` along; gives by what it ended
/// (ok: EOF).
task<errc> drain(tcp_stream& from, std::uint64_t& offset);
/// Sends the sequence from `offset` until nothing more is taken for a while; gives the offset then.
task<std::uint64_t> send_until_blocked(world& w, tcp_stream& to, std::uint64_t offset);

task<> echo(tcp_stream& peer);
/// The same for one that nobody else holds.
task<> echo_and_close(tcp_stream peer);
/// Accepts and echoes until it is cancelled.
task<> serve_echo(world& w, tcp_listener& listener);

task<> pause(world& w);

} // namespace parity
