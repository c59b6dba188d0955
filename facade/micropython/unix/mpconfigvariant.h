// The unix port's standard variant, and what weft's sockets need of it.

// Set base feature level.
#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "ports/unix/variants/mpconfigvariant_common.h"

// Ctrl-C must not jump out of the signal handler: C++ may be on the stack. It becomes a pending
// exception, which ends whatever waits (waiting.c).
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)

// weft has its own, see modselect.c.
#define MICROPY_PY_SELECT (0)
#define WEFT_PY_SELECT (1)

#define WEFT_PY_NETWORK (1)

// The stack runs while Python sleeps, or waits for something else.
#undef MICROPY_PY_TIME_INCLUDEFILE
#define MICROPY_PY_TIME_INCLUDEFILE "micropython/unix/modtime.inc"
#include <stdint.h>
void weft_delay_ms(uintptr_t milliseconds);
#define mp_hal_delay_ms weft_delay_ms
void weft_run_stack(void);
#define MICROPY_INTERNAL_EVENT_HOOK weft_run_stack()

// Whatever is pending wakes the thread that waits.
#define WEFT_WAKES (1)
#define MICROPY_WRAP_MP_SCHED_EXCEPTION(f) weft_sched_exception
void weft_scheduled(void);
#define MICROPY_SCHED_HOOK_SCHEDULED weft_scheduled()
