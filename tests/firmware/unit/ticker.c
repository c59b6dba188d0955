#include "ticker.h"

/* SysTick, Armv7-M Architecture Reference Manual B3.3; it counts the processor's 25 MHz. */
struct systick {
    volatile uint32_t control; /* 1: runs; 2: interrupts; 4: the processor's clock */
    volatile uint32_t reload;
    volatile uint32_t value; /* any write clears it, and it begins at reload */
};
#define SYSTICK ((struct systick*)0xe000e010)
#define NS_PER_TICK 40

static uint32_t (*on_tick)(void);

static void next_in(uint32_t ns) {
    SYSTICK->control = 0;
    SYSTICK->reload = ns / NS_PER_TICK;
    SYSTICK->value = 0;
    SYSTICK->control = 1 | 2 | 4;
}

void ticker_start(uint32_t ns, uint32_t (*handler)(void)) {
    on_tick = handler;
    next_in(ns);
}

void systick_handler(void);
void systick_handler(void) {
    const uint32_t ns = on_tick();
    if (ns == 0) {
        SYSTICK->control = 0;
    } else {
        next_in(ns);
    }
}
