/* An interrupt that comes again and again. */
#ifndef TICKER_H
#define TICKER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls `handler` in an interrupt handler in about `ns`, 200 to 100,000,000; then again in as
 * many as it returns, until it returns 0. */
void ticker_start(uint32_t ns, uint32_t (*handler)(void));

#ifdef __cplusplus
}
#endif

#endif
