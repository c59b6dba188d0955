// ports/qemu with sockets: the port's own configuration, and what a maintainer adds for weft.
#include "ports/qemu/mpconfigport.h"

#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1) // MicroPython's own: there are no descriptors here
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)
#define MICROPY_PY_SOCKET (0)          // weft's
#define MICROPY_USE_INTERNAL_ERRNO (1) // Linux's numbers, as weft's; newlib has others

#ifndef WITHOUT_WEFT // the image that sizes are compared with
// Whatever waits in MicroPython takes turns of weft's loop, which sleeps until the next interrupt.
int us_step(long long milliseconds);
#define MICROPY_INTERNAL_EVENT_HOOK (void)us_step(0)
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS) (void)us_step(TIMEOUT_MS)
#endif
