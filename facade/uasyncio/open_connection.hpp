// open_connection: a stream to a host and a port.
//
//     auto peer = co_await uasyncio::open_connection(net, "127.0.0.1", 7000);
//     if (!peer) { co_await weft::fail(peer.error()); }   // refused, unreachable, timed out ...
//     peer->write("hello\n");
//     auto answer = co_await peer->readline();
#pragma once

#include <uasyncio/stream.hpp>

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <cstdint>
#include <string_view>

namespace uasyncio {

/// Completes when connected. The connection's own error otherwise: errc::connection_refused,
/// timed_out, network_unreachable, host_unreachable, and those of stack::open_tcp;
/// errc::invalid_argument if `host` is no numeric address. Cancelling ends the attempt
/// (errc::canceled); no failure leaves a socket. `host` is read before this returns.
[[nodiscard]] weft::task<stream>
open_connection(weft::stack& net, std::string_view host, std::uint16_t port);

[[nodiscard]] weft::task<stream> open_connection(weft::stack& net, const weft::endpoint& to);

} // namespace uasyncio
