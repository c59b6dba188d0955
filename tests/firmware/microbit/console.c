/* What the tests print, and their end: a debugger's, or QEMU's (Semihosting for AArch32 and
 * AArch64). */
#include "board.h"

#include <string.h>

enum { write_c = 0x03, exit_extended = 0x20 };

static void semihost(uint32_t what, const void* with) {
    register uint32_t operation __asm("r0") = what;
    register const void* argument __asm("r1") = with;
    __asm volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
}

void board_write(const char* text, size_t size) {
    for (size_t i = 0; i != size; ++i) {
        semihost(write_c, text + i);
    }
}

void board_puts(const char* text) {
    board_write(text, strlen(text));
}

_Noreturn void board_exit(int status) {
    const uint32_t arguments[2] = {0x20026, (uint32_t)status}; /* ADP_Stopped_ApplicationExit */
    semihost(exit_extended, arguments);
    while (1) { /* nobody listens: a board on a desk */
        __asm volatile("wfi");
    }
}
