/* UART0 (CMSDK APB UART) and the way out of QEMU. */
#include "board.h"

#include <string.h>

struct cmsdk_uart {
    volatile uint32_t data;
    volatile uint32_t state;     /* 1: the transmitter is full; 2: a character has come */
    volatile uint32_t control;   /* 1: transmits; 2: receives; 8: receive interrupt */
    volatile uint32_t interrupt; /* write 2: received seen */
    volatile uint32_t divider;
};
#define UART0 ((struct cmsdk_uart*)0x40004000)
#define CLOCK_HZ 25000000u

static void (*on_key)(char);

static void start(void) {
    if ((UART0->control & 1u) == 0) {
        UART0->divider = CLOCK_HZ / 115200;
        UART0->control = 1u;
    }
}

static void put(char character) {
    while (UART0->state & 1u) {
    }
    UART0->data = (uint8_t)character;
}

void board_write(const char* text, size_t size) {
    start();
    for (size_t i = 0; i != size; ++i) {
        if (text[i] == '\n') {
            put('\r');
        }
        put(text[i]);
    }
}

void board_puts(const char* text) {
    board_write(text, strlen(text));
}

void board_on_key(void (*handler)(char key)) {
    start();
    on_key = handler;
    UART0->control |= 2u | 8u;
    board_enable_interrupt(interrupt_uart0_receive);
}

void uart0_receive_handler(void);
void uart0_receive_handler(void) {
    UART0->interrupt = 2u;
    while (UART0->state & 2u) {
        on_key((char)UART0->data);
    }
}

/* SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit (Semihosting for AArch32 and AArch64). */
_Noreturn void board_exit(int status) {
    const uint32_t arguments[2] = {0x20026, (uint32_t)status};
    register uint32_t operation __asm("r0") = 0x20;
    register const uint32_t* block __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(operation) : "r"(block) : "memory");
    while (1) { /* nobody listens: a board on a desk */
        __asm volatile("wfi");
    }
}
