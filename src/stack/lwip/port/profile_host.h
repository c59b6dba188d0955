/* lwIP on a 64-bit host: windows for a fast link, pools that a load test of 1,000 connections
 * with both ends here does not empty. Static RAM: 3.5 MB. */
#ifndef WEFT_LWIP_PROFILE_HOST_H
#define WEFT_LWIP_PROFILE_HOST_H

/* Heap: libc's. lwIP's own walks a list, up to 3,000 instructions a segment. */
#define MEM_LIBC_MALLOC 1

/* TCP. */
#define TCP_MSS 1460 /* a full Ethernet frame */
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3 /* 65,535 << 3 is the first to cover the window */
/* Heap or pool pbufs, only while unread data waits: 256 KB a connection. */
#define TCP_WND (256 * 1024)
/* Heap, only while data is unacknowledged: 256 KB a connection. */
#define TCP_SND_BUF (256 * 1024)
#define TCP_SND_QUEUELEN (4 * TCP_SND_BUF / TCP_MSS)
/* Only lwIP's sockets read it; its default overflows 16 bits here. */
#define TCP_SNDLOWAT (32 * 1024)
#define TCP_QUEUE_OOSEQ 1 /* pbufs within the window, only while there is a gap */
/* 32 B a pcb: a peer with SACK resends only what is missing. */
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_MAX_SACK_NUM 4
/* 320 B each, 1.25 MB: both ends of 1,000 connections, and as many in TIME_WAIT. */
#define MEMP_NUM_TCP_PCB 4096
#define MEMP_NUM_TCP_PCB_LISTEN 128 /* 96 B each */
/* 32 B each, 512 KB: 45 full send buffers at a time, or 4 segments a pcb. */
#define MEMP_NUM_TCP_SEG 16384

/* UDP and raw. */
#define MEMP_NUM_UDP_PCB 512    /* 96 B each: a query for a name takes one */
#define WEFT_LWIP_UDP_QUEUE 256 /* as many small datagrams as Linux keeps by default */
#define LWIP_RAW 1
#define MEMP_NUM_RAW_PCB 16 /* 96 B each: ping, and a test's look at ICMP */

/* Packets. */
/* 1,560 B each, 1.5 MB: what links receive into; five full windows unread. */
#define PBUF_POOL_SIZE 1024
#define MEMP_NUM_PBUF 1024 /* 24 B each: headers of data sent by reference */
/* Nothing: bounds what reassembly keeps from the pool; 64 KB is 45 fragments. */
#define IP_REASS_MAX_PBUFS 256
/* 128 B each: datagrams put together at a time, of each IP version. */
#define MEMP_NUM_REASSDATA 16
#define MEMP_NUM_FRAG_PBUF 256  /* 40 B each: fragments on their way out */
#define LWIP_CHKSUM_ALGORITHM 3 /* nothing: 8 B a step */

/* Neighbours. Several hosts share one instance in tests, so each table holds for all of them. */
#define ARP_TABLE_SIZE 64 /* 40 B each */
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
/* Packets wait for the answer as on a host, the 45 fragments of the largest datagram too; else
 * all but the last are lost. */
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 48
#define MEMP_NUM_ARP_QUEUE 128       /* 16 B each */
#define LWIP_ND6_NUM_NEIGHBORS 64    /* 56 B each */
#define LWIP_ND6_NUM_DESTINATIONS 64 /* 48 B each */
#define LWIP_ND6_NUM_PREFIXES 16     /* 40 B each */
#define LWIP_ND6_NUM_ROUTERS 8       /* 16 B each */
#define MEMP_NUM_ND6_QUEUE 64        /* 16 B each */
#define LWIP_IPV6_NUM_ADDRESSES 4    /* 33 B each in every netif: link-local and three more */
#define MEMP_NUM_IGMP_GROUP 64       /* 24 B each: each netif takes one */
#define MEMP_NUM_MLD6_GROUP 128      /* 40 B each: each netif takes one for every address */

/* Names. */
/* 344 B each, 86 KB: queries at a time (a name's A and AAAA are two) and names
 * that are remembered. */
#define DNS_TABLE_SIZE 255
#define DNS_MAX_NAME_LENGTH 256
#define DNS_MAX_SERVERS 4 /* 24 B each */
#define LWIP_DHCP_MAX_DNS_SERVERS 3
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 1

#endif
