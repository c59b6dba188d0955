/* Connections that only exist, for measuring what a server spends on one. They are raw pcbs without
 * state, so their own cost on the heap is nothing. The program that uses them runs bench_start (or
 * weft's own start-up of lwIP) and its loop. */
#ifndef WEFT_BENCH_IDLE_CLIENTS_H
#define WEFT_BENCH_IDLE_CLIENTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Connects one more client to 127.0.0.1:7. False if lwIP has no pcb left. */
int idle_client_connect(void);

/* How many of the clients are established. */
uint64_t idle_clients_established(void);

#ifdef __cplusplus
}
#endif

#endif
