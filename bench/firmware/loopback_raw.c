/* An echo over lwIP's loopback, both ends by callbacks; see echo_client.h for what it prints. */
#include "board.h"
#include "by_hand.h"
#include "echo_client.h"
#include "echo_server_raw.h"

int main(void) {
    by_hand_start();
    if (!echo_server_start(7)) {
        board_puts("no memory\n");
        board_exit(1);
    }
    echo_client_start();
    while (true) {
        by_hand_turn();
    }
}
