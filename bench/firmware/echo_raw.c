/* The echo server of the board, by hand: lwIP's callbacks on the board's own driver. */
#include "board.h"
#include "by_hand.h"
#include "echo_server_raw.h"

int main(void) {
    by_hand_start();
    if (!by_hand_ethernet() || !echo_server_start(7)) {
        board_puts("no Ethernet, or no memory\n");
        board_exit(1);
    }
    board_puts("echoing at port 7\n");
    while (true) {
        by_hand_turn();
        by_hand_sleep();
    }
}
