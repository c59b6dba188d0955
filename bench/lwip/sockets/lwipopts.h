/* lwIP with its own thread and sockets: weft's options and host profile, changed only where the
 * sockets API demands it, so that the peer differs in its API and not in its windows and pools. */
#ifndef WEFT_BENCH_SOCKETS_LWIPOPTS_H
#define WEFT_BENCH_SOCKETS_LWIPOPTS_H

/* By path: weft's port directory also has an arch/cc.h, and this build uses the unix port's. */
#include "../../../src/stack/lwip/port/lwipopts.h"

#undef NO_SYS
#define NO_SYS 0
#undef LWIP_SOCKET
#define LWIP_SOCKET 1
#undef LWIP_NETCONN
#define LWIP_NETCONN 1
#undef SYS_LIGHTWEIGHT_PROT
#define SYS_LIGHTWEIGHT_PROT 1
#define LWIP_COMPAT_SOCKETS 0
#define LWIP_TCPIP_CORE_LOCKING 1 /* the faster of its two ways in */
#define TCPIP_MBOX_SIZE 256
#define DEFAULT_TCP_RECVMBOX_SIZE 256
#define DEFAULT_ACCEPTMBOX_SIZE 256
#define MEMP_NUM_NETCONN 64

/* weft's hooks belong to weft. */
#undef LWIP_HOOK_FILENAME
#undef LWIP_HOOK_TCP_ISN
#undef LWIP_HOOK_IP4_ROUTE_SRC
#undef LWIP_HOOK_IP6_ROUTE
#undef LWIP_HOOK_MEMP_AVAILABLE
#undef LWIP_HOOK_IP4_INPUT
#undef LWIP_HOOK_IP6_INPUT

#endif
