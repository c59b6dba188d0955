/* What weft asks of the board (weft/port.hpp). */
#include "board.h"

int64_t weft_port_now(void);
int64_t weft_port_now(void) {
    return board_now();
}

void weft_port_sleep(int64_t deadline);
void weft_port_sleep(int64_t deadline) {
    board_sleep(deadline);
}
