/* What an accepted idle connection costs by hand: a small state of its own, beside lwIP's pcb.
 *
 *     lwip_idle_raw CONNECTIONS
 *
 * Prints `ready` when all are accepted, then waits for the end of its input. The harness reads the
 * heap in use from the preloaded counter, at two numbers of connections. */
#include <stdio.h>
#include <stdlib.h>

#include "by_hand.h"
#include "idle_clients.h"

/* The least that an echo must remember: what did not fit the send buffer, and how much of it is
 * done. */
struct connection {
    struct pbuf* unsent;
    u16_t offset;
    int closing;
};

static uint64_t accepted;

static err_t server_received(void* argument, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    LWIP_UNUSED_ARG(error);
    if (p != NULL) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    free(argument);
    tcp_arg(pcb, NULL);
    return tcp_close(pcb);
}

static err_t server_accepted(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    if (pcb == NULL || error != ERR_OK)
        bench_fail("accept failed");
    struct connection* state = calloc(1, sizeof *state);
    if (state == NULL)
        bench_fail("out of memory");
    tcp_arg(pcb, state);
    tcp_recv(pcb, server_received);
    ++accepted;
    return ERR_OK;
}

int main(int argc, char** argv) {
    const uint64_t wanted = bench_number(argc, argv);
    bench_start();
    bench_listen(server_accepted, 255);
    for (uint64_t i = 0; i < wanted; ++i) {
        if (!idle_client_connect())
            bench_fail("lwIP has no pcb left");
        while (accepted <= i || idle_clients_established() <= i)
            bench_turn();
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
