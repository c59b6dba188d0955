/* lwIP's configuration: what holds for every build is here, the sizes are in the profile.
 *
 * A build chooses with these macros, the same for every file that includes an lwIP header:
 *
 *   WEFT_LWIP_PROFILE_HOST | _SMALL | _TINY
 *       Which sizes; one of them.
 *   WEFT_LWIP_OVERRIDES="file.h"
 *       Read last; may #undef and #define any of lwIP's options.
 *   WEFT_LWIP_TCP_TMR_INTERVAL=25
 *       Milliseconds between TCP's timer runs, 250 unless set. Loss is mended no sooner than two of
 *       them: at 5% loss, 100 ms RTT and a 16 KiB window, 25 takes 24 to 32 kB/s to 50 to 58. It
 *       costs 40 wake-ups a second instead of 4 while there are connections, and ACKs that waited
 *       250 ms for an answer to ride on then wait 25.
 *   WEFT_LWIP_IPV6=0
 *       No IPv6: 17 KB of flash, 40 B a TCP pcb and 176 B a netif less on Cortex-M.
 *   WEFT_LWIP_MULTICAST=0
 *       No IGMP and MLD6: 20 timer runs a second less, on an idle board too.
 *   WEFT_LWIP_POOLS_ON_HEAP=1
 *       Pools and heap are libc's malloc, so that AddressSanitizer sees a pcb used after it was
 *       freed. Then no pool has a limit, and none says that it is available.
 *   WEFT_LWIP_CLOSED_WINDOW=10000
 *       Milliseconds, 120,000 unless set, for which the data of a closed socket waits for a peer
 *       that does not read. Until then it has its pcb, and boards have few.
 *   WEFT_LWIP_STATS=1
 *       Counts what of the pools and the heap is in use (weft::lwip_pools): 20 B a pool, 0.3 KB on
 *       Cortex-M, and a few instructions of each allocation. 2: packets of each protocol too
 *       (lwip_stats): 0.5 KB more.
 *   WEFT_LWIP_DEBUG
 *       lwIP's log on stdout; the overrides choose the categories.
 */
#ifndef WEFT_LWIPOPTS_H
#define WEFT_LWIPOPTS_H

#include <stdint.h>

#ifndef WEFT_LWIP_TCP_TMR_INTERVAL
#define WEFT_LWIP_TCP_TMR_INTERVAL 250
#endif
#ifndef WEFT_LWIP_IPV6
#define WEFT_LWIP_IPV6 1
#endif
#ifndef WEFT_LWIP_MULTICAST
#define WEFT_LWIP_MULTICAST 1
#endif
#ifndef WEFT_LWIP_POOLS_ON_HEAP
#define WEFT_LWIP_POOLS_ON_HEAP 0
#endif
#ifndef WEFT_LWIP_STATS
#define WEFT_LWIP_STATS 0
#endif

/* One context, callbacks only. Interrupts and other threads hand frames to the loop, they never
 * call lwIP. */
#define NO_SYS 1
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_CALLBACK_API 1
#define SYS_LIGHTWEIGHT_PROT 0

/* Protocols. */
#define LWIP_IPV4 1
#define LWIP_IPV6 WEFT_LWIP_IPV6
#define LWIP_ETHERNET 1
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_ICMP6 WEFT_LWIP_IPV6
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_IPV6_AUTOCONFIG WEFT_LWIP_IPV6
#define LWIP_IPV6_DHCP6 0
#define LWIP_AUTOIP 0
#define LWIP_IGMP WEFT_LWIP_MULTICAST
#define LWIP_IPV6_MLD (WEFT_LWIP_IPV6 && WEFT_LWIP_MULTICAST)
#define LWIP_MULTICAST_TX_OPTIONS WEFT_LWIP_MULTICAST
#define IP_FORWARD 0

/* DHCP does not probe the address it was given. The probe delays every start by seconds, and
 * 2.2's timer for it fires ten times a second for ever. 2.2's name for it, then 2.1's. */
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define DHCP_DOES_ARP_CHECK 0

/* Interfaces. The loopback netif is 224 to 256 B on Cortex-M (80 without IPv6); its packets are
 * heap pbufs, not pool pbufs. */
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LINK_CALLBACK 1
#define LWIP_NETIF_HOSTNAME 1

/* Sockets. Datagrams to a group or a broadcast address reach every socket bound there, as on a
 * host. Sending to a broadcast address needs SOF_BROADCAST on the pcb, as SO_BROADCAST on a
 * host; receiving one does not. */
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 1
#define IP_SOF_BROADCAST 1
#define IP_SOF_BROADCAST_RECV 0

/* TCP. */
#define TCP_LISTEN_BACKLOG 1 /* without it accept queues are unbounded; 2 B a listening pcb */
#define TCP_DEFAULT_LISTEN_BACKLOG 255
#define LWIP_TCP_KEEPALIVE 1  /* interval and count for each connection: 8 B a pcb */
#define LWIP_TCP_TIMESTAMPS 0 /* 12 B of every segment */
#define TCP_TMR_INTERVAL WEFT_LWIP_TCP_TMR_INTERVAL
/* Small writes share a pbuf: up to MSS of heap idle behind the last. */
#define TCP_OVERSIZE TCP_MSS

/* Fragments. */
#define IP_FRAG 1
#define IP_REASSEMBLY 1
#define LWIP_IPV6_FRAG WEFT_LWIP_IPV6
#define LWIP_IPV6_REASS WEFT_LWIP_IPV6
/* Where a pointer does not fit the 8 B of a fragment header that lwIP borrows, it must keep a
 * copy of the header. */
#if UINTPTR_MAX > 0xFFFFFFFFu
#define IPV6_FRAG_COPYHEADER 1
#else
#define IPV6_FRAG_COPYHEADER 0
#endif

/* Checksums: all in software, both ways. */
#define CHECKSUM_GEN_IP 1
#define CHECKSUM_GEN_UDP 1
#define CHECKSUM_GEN_TCP 1
#define CHECKSUM_GEN_ICMP 1
#define CHECKSUM_GEN_ICMP6 1
#define CHECKSUM_CHECK_IP 1
#define CHECKSUM_CHECK_UDP 1
#define CHECKSUM_CHECK_TCP 1
#define CHECKSUM_CHECK_ICMP 1
#define CHECKSUM_CHECK_ICMP6 1

/* DNS: random ids from random ports (a udp_pcb for each query under way), and one query for a
 * name at a time. */
#define LWIP_DNS_SECURE                                                                            \
    (LWIP_DNS_SECURE_RAND_XID | LWIP_DNS_SECURE_NO_MULTIPLE_OUTSTANDING |                          \
     LWIP_DNS_SECURE_RAND_SRC_PORT)
#define DHCP_CREATE_RAND_XID 1
/* TCP's and UDP's first ephemeral port is random because LWIP_RAND exists (arch/cc.h); each
 * later one is the next. Whoever wants every port unpredictable binds to one of its own
 * choosing. */

/* Hooks (weft_lwip_hooks.h). */
#define LWIP_HOOK_FILENAME "weft_lwip_hooks.h"
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port)                            \
    weft_lwip_tcp_isn(local_ip, local_port, remote_ip, remote_port)
#define LWIP_HOOK_IP4_ROUTE_SRC(source, destination) weft_lwip_ip4_route_src(source, destination)
#define LWIP_HOOK_IP4_INPUT(p, input_netif)                                                        \
    ((p)->len >= 20 && ((const u8_t*)(p)->payload)[9] == 1 ? weft_lwip_icmp(p, 4) : 0)
#define LWIP_HOOK_IP6_INPUT(p, input_netif)                                                        \
    ((p)->len >= 40 && ((const u8_t*)(p)->payload)[6] == 58 ? weft_lwip_icmp(p, 6) : 0)
#define LWIP_HOOK_IP6_ROUTE(source, destination) weft_lwip_ip6_route(source, destination)

/* Each segment for a pcb, its header in host order.
 *
 * One for an open connection is dropped if it is out of order, begins inside our window and ends
 * beyond it. lwIP (2.2.1 at least) does not cut such a one to the window if it is the first of its
 * queue; once the gap before it is filled it asserts "ooseq tcplen > rcv_wnd", or counts the window
 * below zero. Loss is enough for that, and any peer can do it at will. One that begins beyond the
 * window is lwIP's: its ACK counts, also when our window is closed.
 *
 * In TIME_WAIT a SYN behind all that was received is a new connection from the same port (RFC 1122,
 * 4.2.2.13), which Linux chooses again within seconds if it was we who closed first. lwIP would
 * answer with an old ACK, and ignore the RST to that, for two minutes. Dropped, it ends the old
 * connection with the next of TCP's slow timers, and is sent again. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, optlen, opt1len, opt2, p)                          \
    (((pcb)->state == TIME_WAIT && TCP_SEQ_GT((header)->seqno, (pcb)->rcv_nxt) &&                  \
      (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)                             \
         ? ((pcb)->tmr -= 2 * TCP_MSL / TCP_SLOW_INTERVAL, ERR_VAL)                                \
     : ((pcb)->state >= ESTABLISHED && TCP_SEQ_GT((header)->seqno, (pcb)->rcv_nxt) &&              \
        TCP_SEQ_LT((header)->seqno, (pcb)->rcv_nxt + (pcb)->rcv_wnd) &&                            \
        TCP_SEQ_GT(                                                                                \
            (header)->seqno + (p)->tot_len + (TCPH_FLAGS(header) & TCP_FIN),                       \
            (pcb)->rcv_nxt + (pcb)->rcv_wnd))                                                      \
         ? ERR_VAL                                                                                 \
         : ERR_OK)

/* What a pointer needs: lwIP puts its structures wherever this allows. */
#if UINTPTR_MAX > 0xFFFFFFFFu
#define MEM_ALIGNMENT 8
#else
#define MEM_ALIGNMENT 4
#endif

/* Pools stay pools even where the heap is libc's: their sizes are the limits that tests exhaust,
 * lwIP refuses LWIP_HOOK_MEMP_AVAILABLE without them, and taking from one costs a handful of
 * instructions. */
#if WEFT_LWIP_POOLS_ON_HEAP
#define MEMP_MEM_MALLOC 1
#else
#define MEMP_MEM_MALLOC 0
#define LWIP_HOOK_MEMP_AVAILABLE(type) weft_lwip_memp_available(type)
#endif

/* lwIP reserves a timer for each of its protocols, 16 B each on Cortex-M, and gets no other:
 * weft's are the loop's. */

#if WEFT_LWIP_STATS
#define LWIP_STATS 1
#define LWIP_STATS_LARGE 1 /* counters of 32 bits */
#else
#define LWIP_STATS 0
#endif
#if WEFT_LWIP_STATS == 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define IPFRAG_STATS 0
#define ICMP_STATS 0
#define IGMP_STATS 0
#define UDP_STATS 0
#define TCP_STATS 0
#define SYS_STATS 0
#define IP6_STATS 0
#define ICMP6_STATS 0
#define IP6_FRAG_STATS 0
#define MLD6_STATS 0
#define ND6_STATS 0
#endif

#ifdef WEFT_LWIP_DEBUG
#define LWIP_DEBUG 1
#endif

#if defined(WEFT_LWIP_PROFILE_HOST)
#include "profile_host.h"
#elif defined(WEFT_LWIP_PROFILE_SMALL)
#include "profile_small.h"
#elif defined(WEFT_LWIP_PROFILE_TINY)
#include "profile_tiny.h"
#else
#error "define one of WEFT_LWIP_PROFILE_HOST, _SMALL and _TINY"
#endif

/* Datagrams that a socket keeps for who does not receive; set_queue_limit() is for each. */
#ifndef WEFT_LWIP_UDP_QUEUE
#define WEFT_LWIP_UDP_QUEUE (PBUF_POOL_SIZE / 2)
#endif

#if WEFT_LWIP_POOLS_ON_HEAP
#undef MEM_LIBC_MALLOC
#define MEM_LIBC_MALLOC 1
#endif

#ifdef WEFT_LWIP_OVERRIDES
#include WEFT_LWIP_OVERRIDES
#endif

#endif
