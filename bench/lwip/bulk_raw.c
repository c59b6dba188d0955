/* One direction, as fast as raw callbacks go over lwIP's loopback interface, both ends here and
 * both copying as an application must: the sender's bytes into lwIP, the receiver's out of its
 * pbufs.
 *
 *     lwip_bulk_raw BYTES
 */
#include <stdio.h>
#include <string.h>

#include "by_hand.h"

enum { chunk = 16384 };

static int connected;
static uint64_t received;
static uint64_t to_send;
static char out[chunk];
static char in[chunk];

static err_t server_received(void* argument, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    if (p == NULL)
        return tcp_close(pcb);
    for (u16_t at = 0; at < p->tot_len;)
        at = (u16_t)(at + pbuf_copy_partial(p, in, sizeof in, at));
    received += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t server_accepted(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    if (pcb == NULL || error != ERR_OK)
        bench_fail("accept failed");
    tcp_recv(pcb, server_received);
    return ERR_OK;
}

/* Fills the send buffer. */
static void send_more(struct tcp_pcb* pcb) {
    while (to_send > 0) {
        u32_t n = tcp_sndbuf(pcb);
        if (n > sizeof out)
            n = sizeof out;
        if (n > to_send)
            n = (u32_t)to_send;
        if (n == 0 || tcp_write(pcb, out, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
            return;
        to_send -= n;
    }
}

static err_t client_sent(void* argument, struct tcp_pcb* pcb, u16_t n) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(n);
    send_more(pcb);
    return ERR_OK; /* lwIP calls tcp_output after this callback */
}

static err_t client_connected(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(pcb);
    connected = error == ERR_OK;
    return ERR_OK;
}

int main(int argc, char** argv) {
    const uint64_t total = bench_number(argc, argv);
    memset(out, 'w', sizeof out);
    bench_start();
    bench_listen(server_accepted, 8);
    struct tcp_pcb* client = bench_connect(NULL, client_connected);
    while (!connected)
        bench_turn();

    to_send = total;
    tcp_sent(client, client_sent);
    const double begin = bench_seconds();
    send_more(client);
    tcp_output(client);
    while (received < total)
        bench_turn();
    const double seconds = bench_seconds() - begin;
    if (received != total || in[0] != 'w')
        bench_fail("the bytes that came out differ");
    printf(
        "{\"bytes\": %llu, \"seconds\": %.6f, \"gbps\": %.3f}\n", (unsigned long long)total,
        seconds, (double)total * 8 / seconds / 1e9);
    return 0;
}
