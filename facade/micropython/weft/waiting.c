// What happens to Python while a call waits in weft: Ctrl-C ends the call, and what was scheduled
// runs.
//
// weft asks look() after each turn of its loop, outside of the turn. A pending exception makes the
// call return -EINTR, through its C++ frames; only then is it raised, from C. Scheduled callbacks
// run in look() itself, whose protection no exception of theirs leaves, and the call goes on with
// the rest of its time.

#include "socket_object.h"

#include "py/nlr.h"

static bool runs_callbacks(void) {
#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
    return mp_thread_is_main_thread();
#else
    return true;
#endif
}

static int look(void* unused) {
    (void)unused;
    if (MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL) {
        return 1;
    }
#if MICROPY_ENABLE_SCHEDULER
    if (MP_STATE_VM(sched_state) != MP_SCHED_PENDING || !runs_callbacks()) {
        return 0;
    }
    int stop = 0;
    MP_THREAD_GIL_ENTER();
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_handle_pending(true);
        nlr_pop();
    } else {
        mp_sched_exception(MP_OBJ_FROM_PTR(nlr.ret_val)); // raised when weft has returned
        stop = 1;
    }
    MP_THREAD_GIL_EXIT();
    return stop;
#else
    return 0;
#endif
}

#if WEFT_WAKES
// The scheduler's own function, which the port's configuration has renamed: see mp_sched_exception.
void weft_sched_exception(mp_obj_t exception);

static us_waker* volatile waker_of_main;

// Ctrl-C, from the signal handler. Between a look at what is pending and the sleep that follows
// there is nothing that a signal could interrupt: it ends that sleep.
void mp_sched_exception(mp_obj_t exception) {
    weft_sched_exception(exception);
    us_wake(waker_of_main);
}

// The main thread runs what other threads schedule.
void weft_scheduled(void) {
    if (!runs_callbacks()) {
        us_wake(waker_of_main);
    }
}
#endif

WEFT_PER_THREAD bool weft_has_stack;
WEFT_PER_THREAD bool weft_has_acted;

bool weft_prepare_thread(void) {
    if (weft_has_stack) {
        return true;
    }
    us_waker* const waker = us_get_waker();
    if (waker == NULL) {
        return false;
    }
    int64_t interval = WEFT_LOOK_INTERVAL_MS;
#if WEFT_WAKES
    interval = INT64_MAX;
    if (runs_callbacks()) {
        waker_of_main = waker;
    }
#endif
    weft_has_stack = us_set_idle(look, NULL, interval) == 0;
    return weft_has_stack;
}

void weft_interrupted(void) {
    mp_handle_pending(true);
}

MP_NORETURN void weft_raise(int64_t result) {
    // getaddrinfo's numbers are negative in Python too, and mbedTLS's
    mp_raise_OSError(us_error_number(result));
}
