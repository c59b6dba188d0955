#include "by_hand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "weft_lwip_hooks.h"

u32_t sys_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u32_t)((uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
}

void weft_lwip_assert_failed(const char* what, const char* file, int line) {
    fprintf(stderr, "lwIP: %s at %s:%d\n", what, file, line);
    abort();
}

/* Nobody else is on the loopback interface: a fixed sequence serves. */
uint32_t weft_lwip_rand(void) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return state;
}

u32_t weft_lwip_tcp_isn(
    const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port) {
    LWIP_UNUSED_ARG(local_ip);
    LWIP_UNUSED_ARG(local_port);
    LWIP_UNUSED_ARG(remote_ip);
    LWIP_UNUSED_ARG(remote_port);
    return weft_lwip_rand();
}

struct netif* weft_lwip_ip4_route_src(const ip4_addr_t* source, const ip4_addr_t* destination) {
    LWIP_UNUSED_ARG(source);
    LWIP_UNUSED_ARG(destination);
    return NULL;
}

struct netif* weft_lwip_ip6_route(const ip6_addr_t* source, const ip6_addr_t* destination) {
    LWIP_UNUSED_ARG(source);
    LWIP_UNUSED_ARG(destination);
    return NULL;
}

int weft_lwip_icmp(struct pbuf* p, int version) {
    LWIP_UNUSED_ARG(p);
    LWIP_UNUSED_ARG(version);
    return 0;
}

void weft_lwip_memp_available(memp_t type) {
    LWIP_UNUSED_ARG(type);
}

void bench_start(void) {
    lwip_init();
}

void bench_turn(void) {
    netif_poll_all();
    sys_check_timeouts();
}

struct tcp_pcb* bench_listen(tcp_accept_fn accept, u8_t backlog) {
    struct tcp_pcb* pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    ip_addr_t at = IPADDR4_INIT_BYTES(127, 0, 0, 1);
    if (pcb == NULL || tcp_bind(pcb, &at, BENCH_PORT) != ERR_OK)
        bench_fail("lwIP cannot bind");
    pcb = tcp_listen_with_backlog(pcb, backlog);
    if (pcb == NULL)
        bench_fail("lwIP cannot listen");
    tcp_accept(pcb, accept);
    return pcb;
}

struct tcp_pcb* bench_connect(void* argument, tcp_connected_fn connected) {
    struct tcp_pcb* pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    ip_addr_t at = IPADDR4_INIT_BYTES(127, 0, 0, 1);
    if (pcb == NULL)
        bench_fail("lwIP has no pcb left");
    tcp_arg(pcb, argument);
    tcp_nagle_disable(pcb);
    if (tcp_connect(pcb, &at, BENCH_PORT, connected) != ERR_OK)
        bench_fail("lwIP cannot connect");
    return pcb;
}

void bench_fail(const char* what) {
    fprintf(stderr, "%s\n", what);
    exit(2);
}

uint64_t bench_number(int argc, char** argv) {
    char* end = NULL;
    errno = 0;
    const uint64_t n = argc < 2 ? 0 : strtoull(argv[1], &end, 10);
    if (n == 0 || errno != 0 || *end != '\0')
        bench_fail("usage: PROGRAM NUMBER (a positive number)");
    return n;
}

double bench_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
