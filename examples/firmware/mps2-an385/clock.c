/* Time: the FPGA's free-running counter tells it, and a timer ends a sleep. Nothing ticks. */
#include "board.h"

#define NS_PER_TICK 40 /* 25 MHz */

/* FPGAIO (Arm DAI 0385D, 4.7): counts up by itself. */
#define COUNTER (*(volatile uint32_t*)0x40028018)

struct cmsdk_timer {
    volatile uint32_t control;   /* 1: runs; 8: interrupts */
    volatile uint32_t value;     /* counts down */
    volatile uint32_t reload;    /* sets the value, too */
    volatile uint32_t interrupt; /* write 1: seen */
};
#define TIMER0 ((struct cmsdk_timer*)0x40000000)

static uint32_t sleeps;

/* A little more than `ns`, up to 100 s, without a division of 64 bits. */
static uint32_t ticks_in(int64_t ns) {
    return (uint32_t)(ns >> 5) / 5 * (32 / (NS_PER_TICK / 5)) + 4;
}

int64_t board_now(void) {
    static uint32_t last;
    static uint64_t ticks;
    const uint32_t now = COUNTER;
    ticks += now - last;
    last = now;
    return (int64_t)(ticks * NS_PER_TICK);
}

/* An interrupt that is masked still ends WFI, and its handler runs once it is not. */
void board_sleep(int64_t deadline) {
    const int64_t longest = (int64_t)100 * 1000 * 1000 * 1000; /* the counter turns over at 171 s */
    int64_t left = deadline - board_now();
    if (left <= 0) {
        return;
    }
    left = left < longest ? left : longest;
    board_enable_interrupt(interrupt_timer0);
    TIMER0->reload = ticks_in(left);
    TIMER0->control = 1 | 8;
    __asm volatile("dsb\n\twfi" ::: "memory");
    TIMER0->control = 0;
    ++sleeps;
}

uint32_t board_sleeps(void) {
    return sleeps;
}

void timer0_handler(void);
void timer0_handler(void) {
    TIMER0->control = 0;
    TIMER0->interrupt = 1;
}
