// What weft asks of a board (weft/port.hpp), and the frames of all tests.
#include "board.h"
#include "tests.hpp"

constinit test_arena frames;

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
