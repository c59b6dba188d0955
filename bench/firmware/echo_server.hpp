// The echo server of these images as coroutines: what echo_server_raw.c is by hand.
#pragma once

#include <weft/frame_pool.hpp>
#include <weft/stack.hpp>
#include <weft/task.hpp>
#include <weft/task_group.hpp>

#include <array>

namespace bench {

inline constexpr std::size_t buffer_size = 512;

inline weft::task<> serve(weft::tcp_stream peer) {
    std::array<std::byte, buffer_size> buffer;
    while (true) {
        const auto received = co_await peer.recv(buffer);
        if (!received || *received == 0) {
            co_return;
        }
        const auto sent = co_await peer.send_all(buffer.data(), *received);
        if (!sent) {
            co_return;
        }
    }
}

/// `listening` is called once connections are taken. Ends if they cannot be, as the one by hand.
inline weft::task<> echo(weft::stack& net, void (*listening)()) {
    auto listener = net.listen({weft::address::any(), 7});
    if (!listener) {
        co_return;
    }
    listening();
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_return;
        }
        // without memory the connection is closed
        static_cast<void>(peers.spawn(serve(std::move(*peer))));
    }
}

} // namespace bench
