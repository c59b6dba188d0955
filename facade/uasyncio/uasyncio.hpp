// uasyncio: MicroPython's asyncio streams as C++ coroutines on weft's sockets.
//
//     auto peer = co_await uasyncio::open_connection(net, "127.0.0.1", 7000);
//     if (!peer) { co_await weft::fail(peer.error()); }
//     peer->write("hello\n");
//     auto line = co_await weft::timeout(peer->readline(), 5s);
#pragma once

#include <uasyncio/bytes.hpp>
#include <uasyncio/datagram.hpp>
#include <uasyncio/open_connection.hpp>
#include <uasyncio/run.hpp>
#include <uasyncio/server.hpp>
#include <uasyncio/ssl.hpp>
#include <uasyncio/stream.hpp>

#include <weft/timeout.hpp>
