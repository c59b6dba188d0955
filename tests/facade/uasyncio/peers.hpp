// What uasyncio's tests share: a server of a world and streams to it.
#pragma once

#include "sequence.hpp"
#include "world.hpp"

#include <uasyncio/uasyncio.hpp>

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace uasyncio_test {

using namespace std::chrono_literals;
using parity::agreeing;
using parity::connection;
using parity::endpoint;
using parity::error_of;
using parity::family;
using parity::fill;
using parity::here;
using parity::known_bytes;
using parity::run;
using parity::run_both;
using parity::world;
using uasyncio::server;
using uasyncio::stream;
using weft::errc;
using weft::result;
using weft::task;

/// The text of an address: "127.0.0.1".
std::string host_of(const weft::address& a);

/// Long enough for a segment to arrive in most runs; tests are right whether it did or not.
weft::duration moment(world& w) noexcept;

/// Two streams of uasyncio's, connected to each other.
struct streams {
    streams() = default;
    streams(stream s, stream c) noexcept : server(std::move(s)), client(std::move(c)) {}
    stream server;
    stream client;
};
task<streams> open_streams(world& w, family f = family::ipv4);

/// A stream at one end, the plain socket at the other: what comes in which segment is chosen there.
struct half {
    half() = default;
    half(stream s, weft::tcp_stream p) noexcept : here(std::move(s)), peer(std::move(p)) {}
    stream here;
    weft::tcp_stream peer;
};
task<half> open_half(world& w, family f = family::ipv4);

/// Makes sockets scarce, and takes all that the server's stack has left.
struct hoard {
    explicit hoard(world& w);
    std::shared_ptr<void> rationed;
    std::vector<weft::tcp_stream> held;
    errc last = errc::ok; // why there was no other
};

/// A stream to a server that runs in the world's other stack. On a lossy wire it tries again: the
/// end of a handshake may be lost too often.
task<stream> connect_to(world& w, const server& s, family f = family::ipv4);

} // namespace uasyncio_test
