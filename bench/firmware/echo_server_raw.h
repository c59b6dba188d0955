/* An echo server by callbacks, with what an application needs of one: what does not fit the send
 * buffer waits for room or memory, and nothing leaks when a peer goes. */
#ifndef WEFT_BENCH_FIRMWARE_ECHO_SERVER_RAW_H
#define WEFT_BENCH_FIRMWARE_ECHO_SERVER_RAW_H

#include <stdbool.h>

#include "lwip/tcp.h"

/* Listens at this port of every address. False: no memory. */
bool echo_server_start(u16_t port);

#endif
