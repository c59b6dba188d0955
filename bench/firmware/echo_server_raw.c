#include "echo_server_raw.h"

#include "lwip/mem.h"

struct echo {
    struct pbuf* waiting; /* received and not sent back yet */
    bool peer_finished;
};

static void finish(struct tcp_pcb* pcb, struct echo* e) {
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_poll(pcb, NULL, 0);
    tcp_err(pcb, NULL);
    mem_free(e);
    tcp_close(pcb); /* what is unsent goes first; without memory for FIN lwIP tries again */
}

static void send_waiting(struct tcp_pcb* pcb, struct echo* e) {
    while (e->waiting != NULL) {
        struct pbuf* const first = e->waiting;
        const u16_t room = tcp_sndbuf(pcb);
        const u16_t size = first->len < room ? first->len : room;
        if (size == 0 || tcp_write(pcb, first->payload, size, TCP_WRITE_FLAG_COPY) != ERR_OK) {
            break; /* `sent` or poll goes on */
        }
        tcp_recved(pcb, size);
        e->waiting = pbuf_free_header(first, size);
    }
    tcp_output(pcb);
    if (e->waiting == NULL && e->peer_finished) {
        finish(pcb, e);
    }
}

static err_t on_received(void* argument, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    struct echo* const e = argument;
    LWIP_UNUSED_ARG(error);
    if (p == NULL) {
        e->peer_finished = true;
    } else if (e->waiting != NULL) {
        pbuf_cat(e->waiting, p);
        return ERR_OK;
    } else {
        e->waiting = p;
    }
    send_waiting(pcb, e);
    return ERR_OK;
}

static err_t on_sent(void* argument, struct tcp_pcb* pcb, u16_t size) {
    struct echo* const e = argument;
    LWIP_UNUSED_ARG(size);
    if (e->waiting != NULL) {
        send_waiting(pcb, e);
    }
    return ERR_OK;
}

static err_t on_poll(void* argument, struct tcp_pcb* pcb) {
    struct echo* const e = argument;
    if (e->waiting != NULL || e->peer_finished) {
        send_waiting(pcb, e);
    }
    return ERR_OK;
}

static void on_error(void* argument, err_t error) { /* the pcb is gone */
    struct echo* const e = argument;
    LWIP_UNUSED_ARG(error);
    if (e->waiting != NULL) {
        pbuf_free(e->waiting);
    }
    mem_free(e);
}

static err_t on_accept(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    if (pcb == NULL || error != ERR_OK) {
        return ERR_VAL;
    }
    struct echo* const e = mem_calloc(1, sizeof *e);
    if (e == NULL) {
        return ERR_MEM;
    }
    tcp_arg(pcb, e);
    tcp_recv(pcb, on_received);
    tcp_sent(pcb, on_sent);
    tcp_poll(pcb, on_poll, 2);
    tcp_err(pcb, on_error);
    return ERR_OK;
}

bool echo_server_start(u16_t port) {
    struct tcp_pcb* const pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (pcb == NULL || tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK) {
        return false;
    }
    struct tcp_pcb* const listening = tcp_listen_with_backlog(pcb, 128);
    if (listening == NULL) {
        return false;
    }
    tcp_accept(listening, on_accept);
    return true;
}
