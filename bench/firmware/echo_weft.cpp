// The echo server of the board as coroutines, for comparing with echo_raw.c: the same driver, the
// same lwIP, the same lines on the console.
#include "board.h"
#include "echo_server.hpp"
#include "ethernet.hpp"

#include <weft/frame_arena.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sync_wait.hpp>

namespace {

constinit weft::frame_arena<16 * 1024> frames;

void say() {
    board_puts("echoing at port 7\n");
}

} // namespace

int main() {
    frames.use();
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    board::ethernet cable;
    const weft::lwip_options options{
        .link = &cable,
        .ipv4 = weft::interface_address{weft::address::v4(10, 0, 2, 15), 24},
        .gateway = weft::address::v4(10, 0, 2, 2),
    };
    if (cable.start(sleeper)) {
        const auto net = weft::make_lwip_stack(loop, options);
        if (net) {
            const auto done = weft::sync_wait(loop, bench::echo(**net, &say));
            static_cast<void>(done);
        }
        board_puts("no Ethernet, or no memory\n");
        board_exit(1); // does not return, so nothing is linked that would take all this down
    }
    board_puts("no Ethernet, or no memory\n");
    board_exit(1);
}
