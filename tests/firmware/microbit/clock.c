/* Time on an nRF51822 (Reference Manual 3.0, 18): TIMER0 counts 16 MHz. A compare register ends a
 * sleep, another one ticks. Nothing else interrupts. */
#include "board.h"
#include "ticker.h"

struct nrf51_timer {
    volatile uint32_t start;
    uint32_t unused0[15];
    volatile uint32_t capture[4]; /* write 1: the count goes into compare[i] */
    uint32_t unused1[60];
    volatile uint32_t reached[4]; /* the count was compare[i] */
    uint32_t unused2[109];
    volatile uint32_t interrupts_on; /* 1 << (16 + i): when compare[i] is reached */
    volatile uint32_t interrupts_off;
    uint32_t unused3[126];
    volatile uint32_t mode;
    volatile uint32_t bits; /* 3: 32 of them */
    uint32_t unused4;
    volatile uint32_t prescaler;
    uint32_t unused5[11];
    volatile uint32_t compare[4];
};
#define TIMER0 ((struct nrf51_timer*)0x40008000)
_Static_assert(offsetof(struct nrf51_timer, capture) == 0x040, "CAPTURE");
_Static_assert(offsetof(struct nrf51_timer, reached) == 0x140, "EVENTS_COMPARE");
_Static_assert(offsetof(struct nrf51_timer, interrupts_on) == 0x304, "INTENSET");
_Static_assert(offsetof(struct nrf51_timer, bits) == 0x508, "BITMODE");
_Static_assert(offsetof(struct nrf51_timer, prescaler) == 0x510, "PRESCALER");
_Static_assert(offsetof(struct nrf51_timer, compare) == 0x540, "CC");

/* What each register is for. */
enum { sleep_end, tick, count_for_ticks, count_for_clock };

static uint32_t (*on_tick)(void);
static uint32_t sleeps;

static void interrupt_in(unsigned which, unsigned count, uint32_t ns) {
    TIMER0->capture[count] = 1;
    TIMER0->compare[which] = TIMER0->compare[count] + ns / 125 * 2 + 16;
    TIMER0->reached[which] = 0;
    TIMER0->interrupts_on = 1u << (16 + which);
    board_enable_interrupt(interrupt_timer0);
}

int64_t board_now(void) {
    static uint32_t last;
    static uint64_t ticks;
    if (TIMER0->bits != 3) {
        TIMER0->bits = 3;
        TIMER0->prescaler = 0;
        TIMER0->start = 1;
    }
    TIMER0->capture[count_for_clock] = 1;
    const uint32_t now = TIMER0->compare[count_for_clock];
    ticks += now - last;
    last = now;
    return (int64_t)(ticks * 125 / 2);
}

/* An interrupt that is masked still ends WFI, and its handler runs once it is not. */
void board_sleep(int64_t deadline) {
    const int64_t longest = 2000000000; /* 32 bits; the counter turns over at 268 s */
    int64_t left = deadline - board_now();
    if (left <= 0) {
        return;
    }
    left = left < longest ? left : longest;
    interrupt_in(sleep_end, count_for_clock, (uint32_t)left);
    __asm volatile("dsb\n\twfi" ::: "memory");
    TIMER0->interrupts_off = 1u << (16 + sleep_end);
    ++sleeps;
}

uint32_t board_sleeps(void) {
    return sleeps;
}

void ticker_start(uint32_t ns, uint32_t (*handler)(void)) {
    on_tick = handler;
    board_now(); /* starts the timer */
    interrupt_in(tick, count_for_ticks, ns);
}

void timer0_handler(void);
void timer0_handler(void) {
    TIMER0->reached[sleep_end] = 0;
    if (TIMER0->reached[tick] != 0) {
        const uint32_t ns = on_tick == 0 ? 0 : on_tick();
        if (ns == 0) {
            on_tick = 0;
            TIMER0->interrupts_off = 1u << (16 + tick);
            TIMER0->reached[tick] = 0;
        } else {
            interrupt_in(tick, count_for_ticks, ns);
        }
    }
}
