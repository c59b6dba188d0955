/* How often the board wakes while nothing happens, by hand: prints the sleeps of ten seconds
 * without a connection, and with one that is established. */
#include "board.h"
#include "by_hand.h"
#include "echo_client.h"
#include "echo_server_raw.h"
#include "lwip/sys.h"

static void run_for(u32_t milliseconds) {
    const u32_t begin = sys_now();
    while (sys_now() - begin < milliseconds) {
        by_hand_turn();
        by_hand_sleep();
    }
}

static uint32_t sleeps_of_ten_seconds(void) {
    run_for(2000); /* what was begun is over, delayed ACKs too */
    const uint32_t before = board_sleeps();
    run_for(10000);
    return board_sleeps() - before;
}

static err_t on_connected(void* argument, struct tcp_pcb* pcb, err_t error) {
    LWIP_UNUSED_ARG(argument);
    LWIP_UNUSED_ARG(pcb);
    return error;
}

int main(void) {
    by_hand_start();
    if (!echo_server_start(7)) {
        board_puts("no memory\n");
        board_exit(1);
    }
    print_number("sleeps with none", sleeps_of_ten_seconds());
    if (echo_connect(on_connected) == NULL) {
        board_exit(1);
    }
    print_number("sleeps with one", sleeps_of_ten_seconds());
    board_exit(0);
}
