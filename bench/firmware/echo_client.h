/* The other end of an echo over lwIP's loopback, by callbacks, for images that measure themselves.
 */
#ifndef WEFT_BENCH_FIRMWARE_ECHO_CLIENT_H
#define WEFT_BENCH_FIRMWARE_ECHO_CLIENT_H

#include <stdint.h>

#include "lwip/tcp.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { echo_message = 64 };

/* A connection to 127.0.0.1 port 7. Null: no memory. */
struct tcp_pcb* echo_connect(tcp_connected_fn connected);

/* Connects, exchanges 64 bytes again and again, prints how many of the FPGA's ticks (of 40
 * instructions with -icount shift=0) 1,000 round trips took, and ends the image. */
void echo_client_start(void);

/* "name: number" on the console. */
void print_number(const char* name, uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
