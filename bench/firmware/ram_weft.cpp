// What weft's objects take of the board's memory, without connections and with some: of lwIP's
// heap, which nothing else here uses while the network is quiet, and of the arena for frames.
// Prints a line for each, and ends.
#include "board.h"
#include "echo_client.h"
#include "echo_server.hpp"

#include <weft/frame_arena.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>

#include <lwip/mem.h>

#include <new>

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t connections = 4;

constinit weft::frame_arena<16 * 1024> frames;
std::uint32_t connected = 0;

/// All that lwIP's heap can give: the largest block, again and again, each with what lwIP puts in
/// front of it.
std::uint32_t heap_left() {
    constexpr std::uint32_t header = 8; // two indices of 16 bits and a flag, aligned
    struct block {
        block* next;
    };
    block* taken = nullptr;
    std::uint32_t left = 0;
    for (std::uint32_t size = MEM_SIZE; size >= 12;) {
        void* const found = mem_malloc(static_cast<mem_size_t>(size));
        if (found == nullptr) {
            size -= MEM_ALIGNMENT;
            continue;
        }
        taken = ::new (found) block{taken};
        left += size + header;
    }
    while (taken != nullptr) {
        block* const first = taken;
        taken = first->next;
        mem_free(first);
    }
    return left;
}

err_t on_connected(void*, tcp_pcb*, err_t) {
    ++connected;
    return ERR_OK;
}

void nothing() {}

weft::task<> measure(weft::stack& net, std::uint32_t heap_at_first) {
    print_number("heap of the stack", heap_at_first - heap_left());
    weft::task_group server{net.loop()};
    const auto spawned = server.spawn(bench::echo(net, &nothing));
    if (!spawned) {
        co_await weft::fail(spawned.error());
    }
    const std::uint32_t heap = heap_left();
    const auto arena = static_cast<std::uint32_t>(weft::frame_pool::in_use());
    for (std::uint32_t i = 0; i != connections; ++i) {
        if (echo_connect(&on_connected) == nullptr) {
            co_await weft::fail(weft::errc::no_memory);
        }
        const auto slept = co_await weft::sleep_for(1s); // delayed ACKs, too
        static_cast<void>(slept);
    }
    print_number("connected", connected);
    print_number("heap of connections", heap - heap_left());
    print_number(
        "arena of connections", static_cast<std::uint32_t>(weft::frame_pool::in_use()) - arena);
    print_number("connections", connections);
    print_number("buffer", bench::buffer_size);
    print_number("loop", sizeof(weft::loop));
    print_number("driver", sizeof(weft::port_driver));
    board_exit(0);
}

} // namespace

int main() {
    frames.use();
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    mem_init(); // the first stack does it again, with all of the heap free as now
    const std::uint32_t all = heap_left();
    const auto net = weft::make_lwip_stack(loop, {});
    if (net) {
        const auto done = weft::sync_wait(loop, measure(**net, all));
        static_cast<void>(done);
    }
    board_puts("failed\n");
    board_exit(1);
}
