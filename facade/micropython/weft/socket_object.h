// socket_object: one socket of Python's, a handle of weft's (c/usocket.h) and little else.
//
// What is not 0 in C is an exception in Python: weft_raise(). Whoever calls weft where it may wait
// does so inside WEFT_CALL, so that Ctrl-C ends it and nothing jumps over frames of C++.
#ifndef WEFT_SOCKET_OBJECT_H
#define WEFT_SOCKET_OBJECT_H

#include "py/mpthread.h"
#include "py/obj.h"
#include "py/runtime.h"

#include "c/usocket.h"

#ifndef WEFT_PER_THREAD // a port without thread-local variables says how it makes one
#if MICROPY_PY_THREAD
#define WEFT_PER_THREAD __thread
#else
#define WEFT_PER_THREAD
#endif
#endif

#ifndef MP_NORETURN
#define MP_NORETURN NORETURN // as MicroPython called it before 1.26
#endif

// Linux's numbers, as weft gives them on every target.
enum {
    WEFT_ENOENT = 2,
    WEFT_EINTR = 4,
    WEFT_EBADF = 9,
    WEFT_EAGAIN = 11,
    WEFT_ENOMEM = 12,
    WEFT_EINVAL = 22
};
enum { WEFT_ENFILE = 23, WEFT_EMFILE = 24, WEFT_EOPNOTSUPP = 95 };

typedef struct weft_socket {
    mp_obj_base_t base;
    us_socket handle; // weft_no_socket: closed
    int family;
    mp_obj_t callback;            // of SO_CALLBACK, else MP_OBJ_NULL
    uintptr_t next_with_callback; // hidden from the collector
} weft_socket;

#define weft_no_socket ((us_socket) - 1)

extern const mp_obj_type_t weft_socket_type;
extern const struct _mp_stream_p_t weft_socket_stream; // its protocol

/// How often this thread asked a socket what it is ready for, through the stream protocol: whether
/// an object over a stream has asked one of weft's.
extern WEFT_PER_THREAD unsigned weft_sockets_asked;

/// The socket of a Python object, which may be of a class that derives from socket.
weft_socket* weft_socket_of(mp_obj_t object);

// --- addresses.c

/// From (host, port) or (host, port, flowinfo, scopeid); an empty host is any of `family`.
void weft_address_of(mp_obj_t tuple, int family, us_address* into);
mp_obj_t weft_address_tuple(const us_address* from);

// --- names.c

MP_DECLARE_CONST_FUN_OBJ_KW(weft_getaddrinfo_obj);
MP_DECLARE_CONST_FUN_OBJ_KW(weft_getaddrinfo_async_obj);

// --- socket_tls.c

MP_DECLARE_CONST_FUN_OBJ_KW(weft_socket_secure_obj);

// --- socket_bytes.c

MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_send_obj);
MP_DECLARE_CONST_FUN_OBJ_2(weft_socket_sendall_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_sendto_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_recv_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_recvfrom_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_read_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_readinto_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_readline_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(weft_socket_write_obj);

mp_uint_t weft_stream_read(mp_obj_t object, void* into, mp_uint_t size, int* error);
mp_uint_t weft_stream_write(mp_obj_t object, const void* from, mp_uint_t size, int* error);

// --- waiting.c

// Where nothing wakes a thread for Ctrl-C it is seen after so long.
#define WEFT_LOOK_INTERVAL_MS (100)

/// Before a thread's calls that may wait. False: it cannot have a stack.
bool weft_prepare_thread(void);
/// Whether that was said to be true in this thread.
extern WEFT_PER_THREAD bool weft_has_stack;

/// Raises what ended a call; returns if that was nothing to raise, and the call goes on.
void weft_interrupted(void);

/// An OSError with the number of a negative result.
MP_NORETURN void weft_raise(int64_t result);

/// `result` if it is not negative, else an OSError.
static inline int64_t weft_checked(int64_t result) {
    if (result < 0) {
        weft_raise(result);
    }
    return result;
}

/// Whether this thread has done something since it last polled that may make a socket ready.
extern WEFT_PER_THREAD bool weft_has_acted;

/// `result` = `call`, which may wait.
#define WEFT_CALL(result, call)                                                                    \
    for (;;) {                                                                                     \
        weft_has_acted = true;                                                                     \
        MP_THREAD_GIL_EXIT();                                                                      \
        (result) = (call);                                                                         \
        MP_THREAD_GIL_ENTER();                                                                     \
        if ((result) != -WEFT_EINTR) {                                                             \
            break;                                                                                 \
        }                                                                                          \
        weft_interrupted();                                                                        \
    }

#endif
