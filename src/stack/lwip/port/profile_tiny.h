/* lwIP on a Cortex-M0 with 16 KB or so to spare for it: a few connections with small segments.
 * Static RAM: 12.6 KB on Cortex-M0; 11 KB without IPv6. */
#ifndef WEFT_LWIP_PROFILE_TINY_H
#define WEFT_LWIP_PROFILE_TINY_H

/* Heap: lwIP's own. */
#define MEM_LIBC_MALLOC 0
/* 4 KB: all data on its way out, DHCP state, loopback packets. */
#define MEM_SIZE (4 * 1024)

/* TCP. */
#define TCP_MSS 536 /* what every IPv4 host must take */
#define LWIP_WND_SCALE 0
/* Pool pbufs, only while unread data waits: 1 KB a connection. */
#define TCP_WND (2 * TCP_MSS)
/* Heap, only while data is unacknowledged: 1 KB a connection. */
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_SND_QUEUELEN 6
#define TCP_SNDLOWAT (TCP_MSS) /* only lwIP's sockets read it */
/* The window is two segments: what follows a lost one is sent again. */
#define TCP_QUEUE_OOSEQ 0
#define LWIP_TCP_SACK_OUT 0
#define MEMP_NUM_TCP_PCB 5        /* 200 B each, 1 KB: connections, TIME_WAIT among them */
#define MEMP_NUM_TCP_PCB_LISTEN 2 /* 72 B each */
#define MEMP_NUM_TCP_SEG 12       /* 16 B each: two full send buffers at a time */

/* UDP and raw. */
#define MEMP_NUM_UDP_PCB 5 /* 80 B each: DHCP takes one, each DNS query one */
#define LWIP_RAW 0

/* Packets. */
/* 628 B each, 5 KB: what links receive into; a frame may take three. */
#define PBUF_POOL_SIZE 8
#define MEMP_NUM_PBUF 4 /* 16 B each: headers of data sent by reference */
/* Nothing: bounds what reassembly keeps from the pool: 2 KB datagrams. */
#define IP_REASS_MAX_PBUFS 4
/* 64 B each: datagrams put together at a time, of each IP version. */
#define MEMP_NUM_REASSDATA 1
#define MEMP_NUM_FRAG_PBUF 2 /* 24 B each: fragments on their way out */

/* Neighbours. */
#define ARP_TABLE_SIZE 4 /* 24 B each */
/* One packet an entry waits for the answer, and a later one takes its place. */
#define ARP_QUEUEING 0
#define LWIP_ND6_NUM_NEIGHBORS 4    /* 44 B each */
#define LWIP_ND6_NUM_DESTINATIONS 4 /* 48 B each */
#define LWIP_ND6_NUM_PREFIXES 2     /* 28 B each */
#define LWIP_ND6_NUM_ROUTERS 1      /* 12 B each */
#define LWIP_ND6_QUEUEING 0         /* as ARP_QUEUEING */
#define LWIP_IPV6_NUM_ADDRESSES 2   /* 33 B each in every netif: link-local and SLAAC */
#define MEMP_NUM_IGMP_GROUP 4       /* 16 B each: each netif takes one */
#define MEMP_NUM_MLD6_GROUP 4       /* 32 B each: each netif takes one for every address */

/* Names. */
/* 140 B each, and a udp_pcb while it is asked for: a name's A and AAAA are two. */
#define DNS_TABLE_SIZE 2
#define DNS_MAX_NAME_LENGTH 64 /* longer names fail */
#define DNS_MAX_SERVERS 1      /* 24 B each */
#define LWIP_DHCP_MAX_DNS_SERVERS 1
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 1

#endif
