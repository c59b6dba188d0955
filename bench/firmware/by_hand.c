#include "by_hand.h"

#include <stdbool.h>
#include <string.h>

#include "board.h"
#include "lan9118.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "weft_lwip_hooks.h"

enum { frames_per_turn = 16, longest_chain = 16 };

static struct netif ethernet;
static volatile bool woken;

/* lwIP's timers call this each second at least, long before 32 bits of nanoseconds are used up. */
u32_t sys_now(void) {
    static u32_t milliseconds;
    static int64_t counted;
    const u32_t whole = (u32_t)(board_now() - counted) / 1000000;
    milliseconds += whole;
    counted += (int64_t)whole * 1000000;
    return milliseconds;
}

u32_t weft_lwip_sequence_clock(void) {
    return sys_now() * 250;
}

void weft_lwip_assert_failed(const char* what, const char* file, int line) {
    LWIP_UNUSED_ARG(file);
    LWIP_UNUSED_ARG(line);
    board_puts(what);
    board_exit(61);
}

/* One interface: lwIP's own routing will do, and nobody listens to ICMP. */
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

static void wake(void* argument) {
    LWIP_UNUSED_ARG(argument);
    woken = true;
}

static err_t output(struct netif* n, struct pbuf* p) {
    LWIP_UNUSED_ARG(n);
    struct lan9118_part parts[longest_chain];
    size_t count = 0;
    for (const struct pbuf* each = p; each != NULL; each = each->next) {
        if (count == longest_chain) {
            struct pbuf* const whole = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
            if (whole == NULL) {
                return ERR_MEM;
            }
            const err_t sent = output(n, whole);
            pbuf_free(whole);
            return sent;
        }
        parts[count++] = (struct lan9118_part){each->payload, each->len};
    }
    lan9118_send(parts, count); /* what it does not take is lost, as on a cable */
    return ERR_OK;
}

static err_t init_ethernet(struct netif* n) {
    static const u8_t address[] = {0x02, 0x00, 0x00, 0x38, 0x50, 0x01};
    n->name[0] = 'e';
    n->name[1] = 'n';
    n->mtu = 1500;
#if LWIP_IPV6 && LWIP_ND6_ALLOW_RA_UPDATES
    n->mtu6 = n->mtu;
#endif
    n->hwaddr_len = sizeof address;
    memcpy(n->hwaddr, address, sizeof address);
    n->output = etharp_output;
    n->linkoutput = output;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
#if LWIP_IGMP
    n->flags |= NETIF_FLAG_IGMP;
#endif
#if LWIP_IPV6
    n->output_ip6 = ethip6_output;
    n->flags |= NETIF_FLAG_MLD6;
#endif
    return lan9118_start(address, wake, NULL) ? ERR_OK : ERR_IF;
}

void by_hand_start(void) {
    weft_lwip_random_start();
    lwip_init();
}

bool by_hand_ethernet(void) {
    ip4_addr_t address, mask, gateway;
    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    if (netif_add(&ethernet, &address, &mask, &gateway, NULL, init_ethernet, ethernet_input) ==
        NULL) {
        return false;
    }
#if LWIP_IPV6
    netif_create_ip6_linklocal_address(&ethernet, 1);
    ethernet.ip6_autoconfig_enabled = 1;
#endif
    netif_set_default(&ethernet);
    netif_set_link_up(&ethernet);
    netif_set_up(&ethernet);
    return true;
}

static void take_frames(void) {
    for (int i = 0; i != frames_per_turn && lan9118_frame_waits(); ++i) {
        struct pbuf* const p = pbuf_alloc(PBUF_RAW, lan9118_longest_frame, PBUF_POOL);
        if (p == NULL) {
            return; /* it waits in the driver's ring */
        }
        const size_t size = lan9118_receive(p->payload, lan9118_longest_frame);
        pbuf_realloc(p, (u16_t)size);
        if (size == 0 || ethernet.input(p, &ethernet) != ERR_OK) {
            pbuf_free(p);
        }
    }
}

void by_hand_turn(void) {
    take_frames();
    netif_poll_all();
    sys_check_timeouts();
}

void by_hand_sleep(void) {
    const int64_t deadline = board_now() + (int64_t)sys_timeouts_sleeptime() * 1000000;
    __asm volatile("cpsid i" ::: "memory");
    if (!woken) {
        board_sleep(deadline);
    }
    __asm volatile("cpsie i" ::: "memory");
    woken = false;
}
