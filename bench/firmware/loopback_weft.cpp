// An echo over lwIP's loopback, the server as coroutines and the client by callbacks; see
// echo_client.h for what it prints.
#include "board.h"
#include "echo_client.h"
#include "echo_server.hpp"

#include <weft/frame_arena.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sync_wait.hpp>

namespace {

constinit weft::frame_arena<16 * 1024> frames;

} // namespace

int main() {
    frames.use();
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    const auto net = weft::make_lwip_stack(loop, {});
    if (net) {
        const auto done = weft::sync_wait(loop, bench::echo(**net, &echo_client_start));
        static_cast<void>(done);
    }
    board_puts("no memory\n");
    board_exit(1);
}
