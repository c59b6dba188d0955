/* lwIP estimates the round trip only once its tick of 500 ms has come, and each segment costs some
 * 50 instructions more from then on. Each echo program waits for that before it counts. */
#ifndef WEFT_BENCH_SETTLING_H
#define WEFT_BENCH_SETTLING_H

enum { bench_settling_turns = 80, bench_settling_us = 10000 }; /* sleeps, with a turn after each */

#endif
