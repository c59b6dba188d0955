/* The functions by which lwIP asks weft. lwIP includes this file wherever it calls one
 * (LWIP_HOOK_FILENAME); weft's stack defines them, with C linkage. All run inside lwIP: none may
 * close or abort a pcb, or resume a coroutine. */
#ifndef WEFT_LWIP_HOOKS_H
#define WEFT_LWIP_HOOKS_H

#include "lwip/ip_addr.h"
#include "lwip/memp.h"

#ifdef __cplusplus
extern "C" {
#endif

struct netif;

/* The initial sequence number of a new connection (RFC 6528). */
u32_t weft_lwip_tcp_isn(
    const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port);

/* The clock of these numbers: goes on by one each 4 microseconds. */
u32_t weft_lwip_sequence_clock(void);

/* The secret of these numbers is taken from the system's, or the port's, source of random numbers:
 * before lwip_init(). Weft's stack does it by itself. */
void weft_lwip_random_start(void);

/* Which netif a packet leaves by; null lets lwIP choose by destination. source is null where
 * lwIP has none yet. */
#if LWIP_IPV4
struct netif* weft_lwip_ip4_route_src(const ip4_addr_t* source, const ip4_addr_t* destination);
#endif
#if LWIP_IPV6
struct netif* weft_lwip_ip6_route(const ip6_addr_t* source, const ip6_addr_t* destination);
#endif

/* Every ICMP packet, whole, with its IP version, before lwIP looks at it: destination unreachable
 * is told to the socket that it is about. Always 0: not eaten. */
int weft_lwip_icmp(struct pbuf* p, int version);

/* A pool that was empty has an element again. Says nothing of the heap that pbuf data comes
 * from. */
void weft_lwip_memp_available(memp_t type);

#ifdef __cplusplus
}
#endif

#endif
