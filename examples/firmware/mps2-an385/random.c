/* QEMU's mps2 boards have no source of random numbers, and neither has the FPGA: this stirs the
 * free-running counter, which somebody who can time packets may guess. Good for a board on a desk;
 * a product has a generator in its processor, or does not go on the net. */
#include "board.h"

#define COUNTER (*(volatile uint32_t*)0x40028018)

void weft_port_random(void* into, size_t size);
void weft_port_random(void* into, size_t size) {
    static uint32_t state = 1;
    uint8_t* bytes = into;
    for (size_t i = 0; i != size; ++i) {
        state = (state ^ COUNTER) * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
    }
}
