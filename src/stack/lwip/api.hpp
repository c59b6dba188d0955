// lwIP's headers, with C linkage and without their warnings.
#pragma once

extern "C" {
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/igmp.h>
#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/ip6_addr.h>
#include <lwip/mem.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/dns.h>
#include <lwip/raw.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
}

// 2.1's names for what 2.2 calls _eq.
#ifndef ip4_addr_eq
#define ip4_addr_eq(a, b) ip4_addr_cmp(a, b)
#define ip4_addr_net_eq(a, b, mask) ip4_addr_netcmp(a, b, mask)
#define ip_addr_eq(a, b) ip_addr_cmp(a, b)
#define ip6_addr_net_eq(a, b) ip6_addr_netcmp(a, b)
#endif
