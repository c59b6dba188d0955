// What sleeps in Python without a socket: weft's stack goes on meanwhile. lwIP answers nothing
// unless its loop runs, and callbacks of sockets come from there.

#include "socket_object.h"

#include "py/mphal.h"

/// Nothing unless this thread has a stack already.
void weft_run_stack(void) {
    if (weft_has_stack) {
        int turned;
        WEFT_CALL(turned, us_step(0));
    }
}

/// False: there is no stack to run, and nobody has slept.
bool weft_sleep(mp_uint_t milliseconds) {
    if (!weft_has_stack) {
        return false;
    }
    const mp_uint_t begun = mp_hal_ticks_ms();
    mp_uint_t elapsed = 0;
    do {
        int turned;
        WEFT_CALL(turned, us_step((int64_t)(milliseconds - elapsed)));
        weft_checked(turned);
        elapsed = mp_hal_ticks_ms() - begun;
    } while (elapsed < milliseconds);
    return true;
}

void weft_delay_ms(mp_uint_t milliseconds) {
    if (!weft_sleep(milliseconds)) {
        const mp_uint_t begun = mp_hal_ticks_ms();
        while (mp_hal_ticks_ms() - begun < milliseconds) {
            mp_event_wait_ms(1);
        }
    }
}
