/* lwIP on a Cortex-M with 64 KB or so to spare for it: full frames, a dozen connections. Static
 * RAM: 54 KB on Cortex-M3. */
#ifndef WEFT_LWIP_PROFILE_SMALL_H
#define WEFT_LWIP_PROFILE_SMALL_H

/* Heap: lwIP's own, since a board's malloc may be none or fragment. */
#define MEM_LIBC_MALLOC 0
/* 20 KB: all data on its way out, DHCP state, loopback packets. */
#define MEM_SIZE (20 * 1024)

/* TCP. */
#define TCP_MSS 1460 /* a full Ethernet frame */
#define LWIP_WND_SCALE 0
/* Pool pbufs, only while unread data waits: 5.7 KB a connection. */
#define TCP_WND (4 * TCP_MSS)
/* Heap, only while data is unacknowledged: 5.7 KB a connection. */
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_SND_QUEUELEN 16
#define TCP_SNDLOWAT (2 * TCP_MSS + 1) /* only lwIP's sockets read it */
#define TCP_QUEUE_OOSEQ 1              /* pool pbufs, only while there is a gap */
/* Bounds them, so that one lossy peer does not take the pool. */
#define TCP_OOSEQ_MAX_PBUFS 4
/* 32 B a pcb; with four segments in flight there is little to select. */
#define LWIP_TCP_SACK_OUT 0
#define MEMP_NUM_TCP_PCB 16       /* 204 B each, 3.2 KB: connections, TIME_WAIT among them */
#define MEMP_NUM_TCP_PCB_LISTEN 4 /* 72 B each */
#define MEMP_NUM_TCP_SEG 48       /* 16 B each: three full send buffers at a time */

/* UDP and raw. */
#define MEMP_NUM_UDP_PCB 10 /* 80 B each: DHCP takes one, each DNS query one */
#define LWIP_RAW 0

/* Packets. */
/* 1,552 B each, 24 KB: what links receive into; four full windows unread. */
#define PBUF_POOL_SIZE 16
#define MEMP_NUM_PBUF 16 /* 16 B each: headers of data sent by reference */
/* Nothing: bounds what reassembly keeps from the pool: 8 KB datagrams. */
#define IP_REASS_MAX_PBUFS 6
/* 64 B each: datagrams put together at a time, of each IP version. */
#define MEMP_NUM_REASSDATA 2
#define MEMP_NUM_FRAG_PBUF 8 /* 24 B each: fragments on their way out */

/* Neighbours. */
#define ARP_TABLE_SIZE 10 /* 24 B each */
/* Packets wait for the answer as on a host; else all but the last are lost. */
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 3
#define MEMP_NUM_ARP_QUEUE 8         /* 8 B each */
#define LWIP_ND6_NUM_NEIGHBORS 10    /* 44 B each */
#define LWIP_ND6_NUM_DESTINATIONS 10 /* 48 B each */
#define LWIP_ND6_NUM_PREFIXES 4      /* 28 B each */
#define LWIP_ND6_NUM_ROUTERS 2       /* 12 B each */
#define MEMP_NUM_ND6_QUEUE 8         /* 8 B each */
/* 33 B each in every netif: link-local, SLAAC and one more. */
#define LWIP_IPV6_NUM_ADDRESSES 3
#define MEMP_NUM_IGMP_GROUP 8 /* 16 B each: each netif takes one */
#define MEMP_NUM_MLD6_GROUP 8 /* 32 B each: each netif takes one for every address */

/* Names. */
/* 332 B each, and a udp_pcb while it is asked for: a name's A and AAAA are two. */
#define DNS_TABLE_SIZE 4
#define DNS_MAX_NAME_LENGTH 256
#define DNS_MAX_SERVERS 2 /* 24 B each */
#define LWIP_DHCP_MAX_DNS_SERVERS 2
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 1

#endif
