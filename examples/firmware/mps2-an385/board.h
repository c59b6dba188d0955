/* The board, as its C files and a program by hand see it. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Interrupts of the AN385 and AN386 images (Arm DAI 0385D, table 2-3). */
enum {
    interrupt_uart0_receive = 0,
    interrupt_timer0 = 8,
    interrupt_ethernet = 13,
};

/* Lets the processor take it. Handlers are named in startup.c. */
void board_enable_interrupt(unsigned number);

/* Writes to UART0; a newline becomes a carriage return and a newline. Waits for the UART; usable
 * everywhere, fault handlers included. */
void board_write(const char* text, size_t size);
void board_puts(const char* text);

/* Called in the interrupt handler of UART0 with each character that comes. */
void board_on_key(void (*handler)(char key));

/* Nanoseconds since the first call. From the main program only, and more often than each 171 s. */
int64_t board_now(void);

/* Sleeps in WFI until an interrupt or until board_now() is `deadline`; called with interrupts
 * masked. INT64_MAX: no deadline. */
void board_sleep(int64_t deadline);

/* How often board_sleep() has slept. */
uint32_t board_sleeps(void);

/* Ends QEMU by semihosting with this status, 0 to 63. */
#ifdef __cplusplus
[[noreturn]]
#else
_Noreturn
#endif
void board_exit(int status);

#ifdef __cplusplus
}
#endif

#endif
