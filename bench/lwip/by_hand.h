/* What the hand-written lwIP programs share: start, one turn of an application's main loop, errors.
 *
 * by_hand.c defines what lwIP asks of its port, as cheaply as it can be done. It is compiled with
 * the very options of weft's own lwIP, so that programs differ only in what stands on top. */
#ifndef WEFT_BENCH_BY_HAND_H
#define WEFT_BENCH_BY_HAND_H

#include <stddef.h>
#include <stdint.h>

#include "lwip/tcp.h"

#define BENCH_MESSAGE 64
#define BENCH_PORT 7

/* lwip_init; 127.0.0.1 answers from here on. */
void bench_start(void);

/* Packets on the loopback interface, then timers. */
void bench_turn(void);

/* A pcb that listens on 127.0.0.1:BENCH_PORT. */
struct tcp_pcb* bench_listen(tcp_accept_fn accept, u8_t backlog);

/* A new connection to 127.0.0.1:BENCH_PORT, not established yet. */
struct tcp_pcb* bench_connect(void* argument, tcp_connected_fn connected);

/* One line on stderr, exit status 2. */
_Noreturn void bench_fail(const char* what);

/* argv[1] as a positive number, or bench_fail. */
uint64_t bench_number(int argc, char** argv);

double bench_seconds(void);

#endif
