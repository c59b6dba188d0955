/* lwIP by hand on the board, with no weft: what the programs with callbacks share. Compiled with
 * the very options of weft's own lwIP, so that images differ only in what stands on top. */
#ifndef WEFT_BENCH_FIRMWARE_BY_HAND_H
#define WEFT_BENCH_FIRMWARE_BY_HAND_H

#include <stdbool.h>

#include "lwip/netif.h"
#include "lwip/tcp.h"

/* lwip_init(), with random numbers from the board's source. */
void by_hand_start(void);

/* Ethernet at 10.0.2.15/24 with IPv6 addresses of its own; false: there is no controller. */
bool by_hand_ethernet(void);

/* What arrived or came back, then timers: one turn of the main loop. */
void by_hand_turn(void);

/* Sleeps until an interrupt or lwIP's next timer. */
void by_hand_sleep(void);

#endif
