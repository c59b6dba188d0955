/* Echo of 64 bytes between two raw pcbs over lwIP's loopback interface, both ends here, by hand and
 * as an application is: timers run, and the client sends from the main loop, not from its receive
 * callback.
 *
 *     lwip_echo_raw ROUND_TRIPS [--copy]
 *
 * The server answers straight from the pbuf; with --copy both ends copy to a buffer of their own
 * first. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "by_hand.h"
#include "settling.h"

static int copying;
static int connected;
static u16_t received;
static char answer[1024];

/* Where the bytes of `p` are: copied out, or in place if they are in one piece. */
static const char* bytes_of(struct pbuf* p, char* room, u16_t size) {
    if (!copying && p->next == NULL)
        return p->payload;
    return pbuf_copy_partial(p, room, size, 0) == p->tot_len ? room : NULL;
}

static err_t server_received(void* argument, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    if (p == NULL)
        return tcp_close(pcb);
    char buffer[1024];
    const char* bytes = bytes_of(p, buffer, sizeof buffer);
    if (bytes == NULL || tcp_write(pcb, bytes, p->tot_len, TCP_WRITE_FLAG_COPY) != ERR_OK)
        bench_fail("the server cannot answer");
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return tcp_output(pcb);
}

static err_t server_accepted(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    if (pcb == NULL || error != ERR_OK)
        bench_fail("accept failed");
    tcp_nagle_disable(pcb);
    tcp_recv(pcb, server_received);
    return ERR_OK;
}

static err_t client_received(void* argument, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    if (p == NULL)
        bench_fail("the server closed early");
    if (received + p->tot_len > BENCH_MESSAGE)
        bench_fail("the answer is too long");
    pbuf_copy_partial(p, answer + received, p->tot_len, 0);
    received = (u16_t)(received + p->tot_len);
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t client_connected(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(pcb);
    connected = error == ERR_OK;
    return ERR_OK;
}

int main(int argc, char** argv) {
    const uint64_t round_trips = bench_number(argc, argv);
    copying = argc > 2 && strcmp(argv[2], "--copy") == 0;
    bench_start();
    bench_listen(server_accepted, 8);
    struct tcp_pcb* client = bench_connect(NULL, client_connected);
    tcp_recv(client, client_received);
    while (!connected)
        bench_turn();

    for (int i = 0; i < bench_settling_turns; ++i) {
        usleep(bench_settling_us);
        bench_turn();
    }

    char message[BENCH_MESSAGE];
    memset(message, 'w', sizeof message);
    const double begin = bench_seconds();
    for (uint64_t i = 0; i < round_trips; ++i) {
        memcpy(message, &i, sizeof i);
        received = 0;
        if (tcp_write(client, message, sizeof message, TCP_WRITE_FLAG_COPY) != ERR_OK ||
            tcp_output(client) != ERR_OK)
            bench_fail("the client cannot send");
        while (received < BENCH_MESSAGE)
            bench_turn();
        if (memcmp(message, answer, sizeof message) != 0)
            bench_fail("the bytes that came back differ");
    }
    printf(
        "{\"round_trips\": %llu, \"seconds\": %.6f}\n", (unsigned long long)round_trips,
        bench_seconds() - begin);
    return 0;
}
