#include "echo_client.h"

#include <string.h>

#include "board.h"

enum { warm_up = 100, measured = 1000 };

#define COUNTER (*(volatile uint32_t*)0x40028018)

static u8_t message[echo_message];
static u16_t received;
static uint32_t round_trips;
static uint32_t begun;

static void fail(const char* what) {
    board_puts(what);
    board_exit(2);
}

void print_number(const char* name, uint32_t number) {
    char digits[10];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    board_puts(name);
    board_puts(": ");
    board_write(digits + first, sizeof digits - first);
    board_puts("\n");
}

static err_t send_message(struct tcp_pcb* pcb) {
    ++message[0];
    received = 0;
    if (tcp_write(pcb, message, sizeof message, TCP_WRITE_FLAG_COPY) != ERR_OK) {
        fail("the client cannot send\n");
    }
    return tcp_output(pcb);
}

static err_t on_answer(void* argument, struct tcp_pcb* pcb, struct pbuf* p, err_t error) {
    static u8_t answer[echo_message];
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    if (p == NULL || received + p->tot_len > sizeof answer) {
        fail("the server closed, or sent too much\n");
    }
    received = (u16_t)(received + pbuf_copy_partial(p, answer + received, p->tot_len, 0));
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    if (received < sizeof answer) {
        return ERR_OK;
    }
    if (memcmp(message, answer, sizeof answer) != 0) {
        fail("the bytes that came back differ\n");
    }
    ++round_trips;
    if (round_trips == warm_up) {
        begun = COUNTER;
    } else if (round_trips == warm_up + measured) {
        print_number("ticks", COUNTER - begun);
        board_exit(0);
    }
    return send_message(pcb);
}

static err_t on_connected(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(error);
    tcp_recv(pcb, on_answer);
    return send_message(pcb);
}

struct tcp_pcb* echo_connect(tcp_connected_fn connected) {
    const ip_addr_t at = IPADDR4_INIT_BYTES(127, 0, 0, 1);
    struct tcp_pcb* const pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
    if (pcb == NULL || tcp_connect(pcb, &at, 7, connected) != ERR_OK) {
        return NULL;
    }
    return pcb;
}

void echo_client_start(void) {
    if (echo_connect(on_connected) == NULL) {
        fail("the client has no memory\n");
    }
}
