/* Driver of the SMSC LAN9118 Ethernet controller, for any stack: no lwIP and no weft in here.
 *
 * The interrupt handler moves received frames out of the controller into a ring in memory; the
 * program takes them from there. */
#ifndef LAN9118_H
#define LAN9118_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Words of the ring; a power of two. A frame takes one, and one for each four bytes. */
#ifndef LAN9118_RING_WORDS
#define LAN9118_RING_WORDS 2048
#endif

enum { lan9118_longest_frame = 1514 };

/* Written by the interrupt handler (the first six) or by the program. */
struct lan9118_counters {
    uint32_t received;      /* frames put into the ring */
    uint32_t ring_full;     /* frames dropped since the program did not take them fast enough */
    uint32_t fifo_overruns; /* frames the controller dropped since its memory was full */
    uint32_t damaged;       /* checksum, length or alignment */
    uint32_t interrupts;
    uint32_t link_changes;
    uint32_t sent;
    uint32_t send_drops; /* frames dropped since the controller's memory was full, or no link */
};
extern volatile struct lan9118_counters lan9118_counters;

/* Resets the controller, gives it its address, and lets frames and interrupts come. `wake` is
 * called with `argument` in the interrupt handler when a frame is there or the link has changed.
 * False: there is no LAN9118, or it does not answer. */
bool lan9118_start(const uint8_t address[6], void (*wake)(void* argument), void* argument);

/* Copies the next frame, without its checksum, and returns its size; 0: there is none. One that is
 * longer than `size` is dropped. */
size_t lan9118_receive(void* into, size_t size);
bool lan9118_frame_waits(void);

struct lan9118_part {
    const void* bytes;
    size_t size;
};
/* Sends one frame, gathered from parts; the controller has it when this returns. False: dropped. */
bool lan9118_send(const struct lan9118_part* parts, size_t count);

/* As the PHY told last. */
bool lan9118_link_up(void);

#ifdef __cplusplus
}
#endif

#endif
