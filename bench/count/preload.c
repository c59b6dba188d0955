/* LD_PRELOAD counter of system calls and heap use: count.h says what, and how it is read.
 *
 * It sees calls through libc only; a program that makes system calls by its own instructions
 * escapes it (none of the peers does: strace -fc shows no other call). Variadic fcntl and ioctl are
 * forwarded with one argument, which is all that the kernel takes. */
/* Meson sets it, and it renames fcntl to fcntl64; both are defined here under their own names. */
#undef _FILE_OFFSET_BITS
#define _GNU_SOURCE
#include "count.h"

#include <dlfcn.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void* block);

/* Until the file is mapped, counts go here; the constructor carries them over. */
static struct weft_counts before_map;
static struct weft_counts* counts = &before_map;

#define COUNT(field, n) ((void)__atomic_fetch_add(&counts->field, (int64_t)(n), __ATOMIC_RELAXED))

__attribute__((constructor)) static void start_counting(void) {
    struct weft_counts* shared = weft_counts_map(NULL);
    if (shared != NULL) {
        *shared = before_map;
        counts = shared;
    }
}

/* The header of a glibc block is one word before the usable part. */
static int64_t footprint(void* block) {
    return block == NULL ? 0 : (int64_t)(malloc_usable_size(block) + sizeof(size_t));
}

static void* allocated(void* block) {
    COUNT(allocations, 1);
    COUNT(live_bytes, footprint(block));
    return block;
}

void* malloc(size_t size) {
    return allocated(__libc_malloc(size));
}
void* calloc(size_t count, size_t size) {
    return allocated(__libc_calloc(count, size));
}
void* memalign(size_t alignment, size_t size) {
    return allocated(__libc_memalign(alignment, size));
}
void* aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void** out, size_t alignment, size_t size) {
    void* block = memalign(alignment, size);
    if (block == NULL)
        return 12; /* ENOMEM; errno is not touched */
    *out = block;
    return 0;
}

void* realloc(void* block, size_t size) {
    const int64_t before = footprint(block);
    void* moved = __libc_realloc(block, size);
    COUNT(allocations, 1);
    if (moved != NULL || size == 0)
        COUNT(live_bytes, footprint(moved) - before);
    return moved;
}

void free(void* block) {
    if (block == NULL)
        return;
    COUNT(frees, 1);
    COUNT(live_bytes, -footprint(block));
    __libc_free(block);
}

/* FORWARD(counter, result, name, (parameters), (arguments)): count, then call the next definition.
 */
#define FORWARD(field, result, name, parameters, arguments)                                        \
    __attribute__((visibility("default"))) result name parameters;                                 \
    result name parameters {                                                                       \
        static result(*next) parameters;                                                           \
        if (next == NULL)                                                                          \
            *(void**)&next = dlsym(RTLD_NEXT, #name);                                              \
        COUNT(field, 1);                                                                           \
        return next arguments;                                                                     \
    }

struct mmsghdr;

FORWARD(receive, ssize_t, recv, (int fd, void* to, size_t n, int flags), (fd, to, n, flags))
FORWARD(
    receive, ssize_t, __recv_chk, (int fd, void* to, size_t n, size_t room, int flags),
    (fd, to, n, room, flags))
FORWARD(
    receive, ssize_t, recvfrom,
    (int fd, void* restrict to, size_t n, int flags, struct sockaddr* restrict from,
     socklen_t* restrict length),
    (fd, to, n, flags, from, length))
FORWARD(receive, ssize_t, recvmsg, (int fd, struct msghdr* m, int flags), (fd, m, flags))
FORWARD(
    receive, int, recvmmsg, (int fd, struct mmsghdr* m, unsigned n, int flags, struct timespec* t),
    (fd, m, n, flags, t))
FORWARD(receive, ssize_t, read, (int fd, void* to, size_t n), (fd, to, n))
FORWARD(receive, ssize_t, __read_chk, (int fd, void* to, size_t n, size_t room), (fd, to, n, room))
FORWARD(receive, ssize_t, readv, (int fd, const struct iovec* v, int n), (fd, v, n))

FORWARD(transmit, ssize_t, send, (int fd, const void* p, size_t n, int flags), (fd, p, n, flags))
FORWARD(
    transmit, ssize_t, sendto,
    (int fd, const void* p, size_t n, int flags, const struct sockaddr* to, socklen_t length),
    (fd, p, n, flags, to, length))
FORWARD(transmit, ssize_t, sendmsg, (int fd, const struct msghdr* m, int flags), (fd, m, flags))
FORWARD(
    transmit, int, sendmmsg, (int fd, struct mmsghdr* m, unsigned n, int flags), (fd, m, n, flags))
FORWARD(transmit, ssize_t, write, (int fd, const void* p, size_t n), (fd, p, n))
FORWARD(transmit, ssize_t, writev, (int fd, const struct iovec* v, int n), (fd, v, n))

FORWARD(wait, int, epoll_wait, (int fd, struct epoll_event* e, int n, int ms), (fd, e, n, ms))
FORWARD(
    wait, int, epoll_pwait, (int fd, struct epoll_event* e, int n, int ms, const sigset_t* mask),
    (fd, e, n, ms, mask))
FORWARD(
    wait, int, epoll_pwait2,
    (int fd, struct epoll_event* e, int n, const struct timespec* t, const sigset_t* mask),
    (fd, e, n, t, mask))
FORWARD(wait, int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
FORWARD(wait, int, __poll_chk, (struct pollfd * p, nfds_t n, int ms, size_t room), (p, n, ms, room))
FORWARD(
    wait, int, ppoll, (struct pollfd * p, nfds_t n, const struct timespec* t, const sigset_t* mask),
    (p, n, t, mask))
FORWARD(
    wait, int, select,
    (int n, fd_set* restrict r, fd_set* restrict w, fd_set* restrict e, struct timeval* restrict t),
    (n, r, w, e, t))
FORWARD(
    wait, int, pselect,
    (int n, fd_set* restrict r, fd_set* restrict w, fd_set* restrict e,
     const struct timespec* restrict t, const sigset_t* restrict mask),
    (n, r, w, e, t, mask))

FORWARD(epoll_ctl, int, epoll_ctl, (int fd, int op, int of, struct epoll_event* e), (fd, op, of, e))
FORWARD(
    accept, int, accept, (int fd, struct sockaddr* restrict a, socklen_t* restrict n), (fd, a, n))
FORWARD(
    accept, int, accept4, (int fd, struct sockaddr* restrict a, socklen_t* restrict n, int flags),
    (fd, a, n, flags))

FORWARD(descriptor, int, timerfd_create, (clockid_t clock, int flags), (clock, flags))
FORWARD(
    descriptor, int, timerfd_settime,
    (int fd, int flags, const struct itimerspec* value, struct itimerspec* old),
    (fd, flags, value, old))
FORWARD(descriptor, int, timerfd_gettime, (int fd, struct itimerspec* value), (fd, value))
FORWARD(descriptor, int, eventfd, (unsigned n, int flags), (n, flags))
FORWARD(descriptor, int, eventfd_read, (int fd, uint64_t* value), (fd, value))
FORWARD(descriptor, int, eventfd_write, (int fd, uint64_t value), (fd, value))
FORWARD(descriptor, int, epoll_create, (int n), (n))
FORWARD(descriptor, int, epoll_create1, (int flags), (flags))
FORWARD(descriptor, int, socket, (int domain, int type, int protocol), (domain, type, protocol))
FORWARD(descriptor, int, close, (int fd), (fd))
FORWARD(descriptor, int, shutdown, (int fd, int how), (fd, how))
FORWARD(
    descriptor, int, getsockopt,
    (int fd, int level, int name, void* restrict value, socklen_t* restrict n),
    (fd, level, name, value, n))
FORWARD(
    descriptor, int, setsockopt, (int fd, int level, int name, const void* value, socklen_t n),
    (fd, level, name, value, n))
FORWARD(other, int, nanosleep, (const struct timespec* t, struct timespec* left), (t, left))
FORWARD(
    other, int, clock_nanosleep,
    (clockid_t clock, int flags, const struct timespec* t, struct timespec* left),
    (clock, flags, t, left))
FORWARD(other, int, usleep, (useconds_t t), (t))
FORWARD(other, int, sched_yield, (void), ())
FORWARD(
    other, int, pthread_cond_wait, (pthread_cond_t* restrict c, pthread_mutex_t* restrict m),
    (c, m))
FORWARD(
    other, int, pthread_cond_timedwait,
    (pthread_cond_t* restrict c, pthread_mutex_t* restrict m, const struct timespec* restrict t),
    (c, m, t))

#define FORWARD_VARIADIC(result, name, type)                                                       \
    result name(int fd, type request, ...) {                                                       \
        static result (*next)(int, type, ...);                                                     \
        if (next == NULL)                                                                          \
            *(void**)&next = dlsym(RTLD_NEXT, #name);                                              \
        va_list list;                                                                              \
        va_start(list, request);                                                                   \
        void* argument = va_arg(list, void*);                                                      \
        va_end(list);                                                                              \
        COUNT(descriptor, 1);                                                                      \
        return next(fd, request, argument);                                                        \
    }
FORWARD_VARIADIC(int, fcntl, int)
FORWARD_VARIADIC(int, fcntl64, int)
FORWARD_VARIADIC(int, ioctl, unsigned long)

long syscall(long number, ...) {
    static long (*next)(long, ...);
    if (next == NULL)
        *(void**)&next = dlsym(RTLD_NEXT, "syscall");
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; ++i)
        a[i] = va_arg(list, long);
    va_end(list);
    COUNT(other, 1);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
