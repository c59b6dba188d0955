// The echo server of the board as coroutines, for comparing with echo_raw.c: the same driver, the
// same lwIP, the same lines on the console.
#include "board.h"
#include "ethernet.hpp"

#include <weft/frame_pool.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>

#include <array>

namespace {

alignas(weft::frame_pool::granule) constinit std::array<std::byte, 16 * 1024> frames{};

weft::task<> serve(weft::tcp_stream peer) {
    std::array<std::byte, 512> buffer;
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

weft::task<> echo(weft::stack& net) {
    auto listener = net.listen({weft::address::any(), 7});
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    board_puts("echoing at port 7\n");
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        const auto spawned = peers.spawn(serve(std::move(*peer)));
        static_cast<void>(spawned); // without memory the connection is closed
    }
}

} // namespace

int main() {
    weft::frame_pool::use_arena(frames);
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    board::ethernet cable;
    weft::lwip_options options;
    options.link = &cable;
    options.ipv4 = weft::interface_address{weft::address::v4(10, 0, 2, 15), 24};
    options.gateway = weft::address::v4(10, 0, 2, 2);
    if (cable.start(sleeper)) {
        const auto net = weft::make_lwip_stack(loop, options);
        if (net) {
            const auto done = weft::sync_wait(loop, echo(**net));
            static_cast<void>(done);
        }
        board_puts("no Ethernet, or no memory\n");
        board_exit(1); // does not return, so nothing is linked that would take all this down
    }
    board_puts("no Ethernet, or no memory\n");
    board_exit(1);
}
