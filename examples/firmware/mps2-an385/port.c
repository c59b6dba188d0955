/* What weft asks of the board (weft/port.hpp, which is C++). */
#include "board.h"

int64_t weft_port_now(void);
void weft_port_sleep(int64_t deadline);
void weft_port_random(void* into, size_t size);
_Noreturn void weft_port_failed(const char* what);

int64_t weft_port_now(void) {
    return board_now();
}

void weft_port_sleep(int64_t deadline) {
    board_sleep(deadline);
}

#define COUNTER (*(volatile uint32_t*)0x40028018)

/* QEMU's mps2 boards have no source of random numbers, and neither has the FPGA: this stirs the
 * free-running counter, which somebody who can time packets may guess. Good for a board on a desk;
 * a product has a generator in its processor, or does not go on the net. */
void weft_port_random(void* into, size_t size) {
    static uint32_t state = 1;
    uint8_t* bytes = into;
    for (size_t i = 0; i != size; ++i) {
        state = (state ^ COUNTER) * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
}

void weft_port_failed(const char* what) {
    board_puts("\nassertion: ");
    board_puts(what);
    board_puts("\n");
    board_exit(61);
}
