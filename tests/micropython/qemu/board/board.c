// What weft and MicroPython's time ask of the mps2-an385: a clock, a sleep, random bytes.

#include "py/mphal.h"
#include "py/runtime.h"

#include <stdint.h>

// The FPGAIO block's free-running counter, 25 MHz, and its divider.
#define COUNTER (*(volatile uint32_t*)0x40028018)
#define PRESCALE (*(volatile uint32_t*)0x4002801c)
#define NS_PER_TICK (40)

typedef struct cmsdk_timer {
    volatile uint32_t control;   // 1: runs; 8: interrupts
    volatile uint32_t value;     // counts down, 25 MHz
    volatile uint32_t reload;    // sets the value, too
    volatile uint32_t interrupt; // write 1: seen
} cmsdk_timer;
#define TIMER0 ((cmsdk_timer*)0x40000000)
#define TIMER0_INTERRUPT (8)

#define NVIC_ENABLE (*(volatile uint32_t*)0xe000e100)
#define NVIC_DISABLE (*(volatile uint32_t*)0xe000e180)
#define NVIC_FORGET (*(volatile uint32_t*)0xe000e280)

int64_t weft_port_now(void) {
    static uint32_t last;
    static uint64_t ticks;
    const uint32_t now = COUNTER;
    ticks += now - last; // whoever waits looks more often than each 171 s
    last = now;
    return (int64_t)(ticks * NS_PER_TICK);
}

// Interrupts are masked and stay so: the vector table of this port has none for peripherals.
void weft_port_sleep(int64_t deadline) {
    const int64_t left = deadline - weft_port_now();
    const int64_t longest = (int64_t)100 * 1000 * 1000 * 1000;
    if (left <= 0) {
        return;
    }
    TIMER0->reload = (uint32_t)((left < longest ? left : longest) / NS_PER_TICK + 1);
    TIMER0->interrupt = 1;
    NVIC_ENABLE = 1u << TIMER0_INTERRUPT;
    TIMER0->control = 1 | 8;
    __asm volatile("dsb\n\twfi" ::: "memory");
    TIMER0->control = 0;
    TIMER0->interrupt = 1;
    NVIC_DISABLE = 1u << TIMER0_INTERRUPT;
    NVIC_FORGET = 1u << TIMER0_INTERRUPT;
}

// The board has no source of random bits: good enough for a test on a wire of its own, and for
// nothing else.
void weft_port_random(void* into, size_t size) {
    static uint32_t state = 1;
    for (size_t i = 0; i != size; ++i) {
        state = (state ^ COUNTER) * 1664525u + 1013904223u;
        ((uint8_t*)into)[i] = (uint8_t)(state >> 24);
    }
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(weft_port_now() / 1000000);
}
mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(weft_port_now() / 1000);
}
mp_uint_t mp_hal_ticks_cpu(void) {
    return COUNTER;
}
uint64_t mp_hal_time_ns(void) {
    return (uint64_t)weft_port_now();
}
void mp_hal_delay_us(mp_uint_t us) {
    const int64_t end = weft_port_now() + (int64_t)us * 1000;
    while (weft_port_now() < end) {
    }
}
void mp_hal_delay_ms(mp_uint_t ms) {
    const mp_uint_t start = mp_hal_ticks_ms();
    while (mp_hal_ticks_ms() - start < ms) {
        mp_event_wait_ms(ms - (mp_hal_ticks_ms() - start));
    }
}

// Of the C library, which this port is linked without; lwIP reads the number of an interface with
// it.
int atoi(const char* text) {
    int value = 0;
    for (; *text >= '0' && *text <= '9'; ++text) {
        value = value * 10 + (*text - '0');
    }
    return value;
}

// The port looks for a character without a pause. While there is none, sleep, and let the network
// run.
int __real_uart_rx_chr(void);
int __wrap_uart_rx_chr(void);
int __wrap_uart_rx_chr(void) {
    const int character = __real_uart_rx_chr();
    if (character < 0) {
        mp_event_wait_ms(1);
    }
    return character;
}
