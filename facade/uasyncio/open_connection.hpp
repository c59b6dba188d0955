// open_connection: a stream to a host and a port.
//
//     auto peer = co_await uasyncio::open_connection(net, "example.org", 7000);
//     if (!peer) { co_await weft::fail(peer.error()); }   // refused, unreachable, timed out ...
//     peer->write("hello\n");
//     auto answer = co_await peer->readline();
#pragma once

#include <uasyncio/stream.hpp>

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace uasyncio {

/// How long a name's address may take to answer if there is another one to try.
inline constexpr auto connection_attempt_limit = std::chrono::seconds(10);

/// Completes when connected to `host`, a numeric address or a name, whose addresses are tried one
/// after the other (RFC 8305, without its races). If none answers, the last one's own error:
/// errc::connection_refused, timed_out, network_unreachable, host_unreachable, and those of
/// stack::open_tcp(). If there is none to try, the errors of stack::resolve(). Cancelling ends the
/// attempt (errc::canceled); no failure leaves a socket. `host` is copied.
[[nodiscard]] weft::task<stream>
open_connection(weft::stack& net, std::string_view host, std::uint16_t port);

[[nodiscard]] weft::task<stream> open_connection(weft::stack& net, const weft::endpoint& to);

} // namespace uasyncio
