/* What the preloaded counter counts, in a file that both the counted process and its observer map.
 *
 * The counted process runs with LD_PRELOAD=libcount.so and WEFT_COUNT_FILE=PATH, where PATH is an
 * existing file. The observer maps the same file, so a measurement starts and ends with a plain
 * read of it and the counted process is never interrupted: a signal would itself cost a system
 * call. */
#ifndef WEFT_BENCH_COUNT_H
#define WEFT_BENCH_COUNT_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WEFT_COUNT_LIST(X)                                                                         \
    X(receive)  /* recv recvfrom recvmsg recvmmsg read readv */                                    \
    X(transmit) /* send sendto sendmsg sendmmsg write writev */                                    \
    X(wait)     /* epoll_wait epoll_pwait poll ppoll select pselect */                             \
    X(epoll_ctl)                                                                                   \
    X(accept)                                                                                      \
    X(descriptor)  /* timerfd_* eventfd* epoll_create* socket close shutdown fcntl ioctl *sockopt  \
                    */                                                                             \
    X(other)       /* syscall(2) by number, nanosleep, futex waits through pthread_cond_* */       \
    X(allocations) /* malloc calloc realloc memalign and with them operator new */                 \
    X(frees)                                                                                       \
    X(live_bytes) /* heap in use: usable size and header of every block that lives */

#define WEFT_COUNT_FIELD(name) int64_t name;
struct weft_counts {
    WEFT_COUNT_LIST(WEFT_COUNT_FIELD)
};
#undef WEFT_COUNT_FIELD

/* Maps the file that WEFT_COUNT_FILE (or `path`, if not null) names; null if there is none. */
static inline struct weft_counts* weft_counts_map(const char* path) {
    if (path == NULL)
        path = getenv("WEFT_COUNT_FILE");
    if (path == NULL)
        return NULL;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    void* at = MAP_FAILED;
    if (ftruncate(fd, (off_t)sizeof(struct weft_counts)) == 0)
        at = mmap(NULL, sizeof(struct weft_counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? NULL : (struct weft_counts*)at;
}

#endif
