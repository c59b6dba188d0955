// How often the board wakes while nothing happens: prints the sleeps of ten seconds without a
// connection, and with one that is established. Its own timer is one of them.
#include "board.h"
#include "echo_client.h"
#include "echo_server.hpp"

#include <weft/frame_arena.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>

#include <chrono>

namespace {

using namespace std::chrono_literals;

constinit weft::frame_arena<16 * 1024> frames;

void nothing() {}

err_t on_connected(void*, tcp_pcb*, err_t error) {
    return error;
}

weft::task<std::uint32_t> sleeps_of_ten_seconds() {
    auto slept = co_await weft::sleep_for(2s); // what was begun is over, delayed ACKs too
    const std::uint32_t before = board_sleeps();
    slept = co_await weft::sleep_for(10s);
    co_return board_sleeps() - before;
}

weft::task<> measure(weft::stack& net) {
    weft::task_group server{net.loop()};
    const auto spawned = server.spawn(bench::echo(net, &nothing));
    const auto without = co_await sleeps_of_ten_seconds();
    if (!spawned || !without || echo_connect(&on_connected) == nullptr) {
        co_await weft::fail(weft::errc::no_memory);
    }
    print_number("sleeps with none", *without);
    const auto with_one = co_await sleeps_of_ten_seconds();
    print_number("sleeps with one", with_one.value_or(0));
    board_exit(0);
}

} // namespace

int main() {
    frames.use();
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    const auto net = weft::make_lwip_stack(loop, {});
    if (net) {
        const auto done = weft::sync_wait(loop, measure(**net));
        static_cast<void>(done);
    }
    board_puts("failed\n");
    board_exit(1);
}
