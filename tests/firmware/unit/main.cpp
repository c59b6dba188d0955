#include "board.h"
#include "tests.hpp"

constinit test_arena frames;

// --- what weft asks of a board (weft/port.hpp)

std::int64_t weft_port_now() {
    return board_now();
}
void weft_port_sleep(std::int64_t deadline) {
    board_sleep(deadline);
}
void weft_port_random(void*, std::size_t) {}
void weft_port_failed(const char* what) {
    board_puts("not ok - ");
    board_puts(what);
    board_puts("\n");
    board_exit(2);
}

int main() {
    frames.use();
    // The stack first: nothing interrupts there yet.
    const std::span<const check::test> all[] = {stack_tests,  timer_tests,     sync_tests,
                                                cancel_tests, interrupt_tests, arena_tests};
    const bool good = check::run(all);
    check::print("# stack: ");
    check::print(static_cast<std::int64_t>(deepest_await));
    check::print(" bytes at most; ");
    check::print(static_cast<std::int64_t>(deepest_interrupted));
    check::print(" with an interrupt\n");
    return good ? 0 : 1;
}
