/* usocket.h: the façade's sockets for C and for every language that calls C.
 *
 *     us_socket s = us_open(US_AF_INET, US_SOCK_STREAM, 0);
 *     us_address to;
 *     us_address_set(&to, US_AF_INET, "127.0.0.1", 9, 7000, 0, 0);
 *     if (us_connect(s, &to) == 0) { us_sendall(s, "hello", 5, NULL); }
 *     us_close(s);
 *
 * What each call does is the usocket contract's: a socket blocks, has a timeout, or does neither
 * (us_settimeout). Calls return a count, a handle or 0, or a negative number that is Linux's errno
 * on every target (-11: would block). Nothing here throws, jumps, or keeps a pointer that it was
 * given, unless said otherwise.
 *
 * A handle that was closed is known as such for good: every call on it is -EBADF (9), us_close() 0.
 * A socket belongs to the thread that made it; from another its calls are -EPERM (1). A call that
 * may wait, made from inside the loop's own turn (a ready callback, a coroutine), is -EDEADLK (35);
 * us_explanation() says what to use instead.
 */
#ifndef WEFT_USOCKET_H
#define WEFT_USOCKET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t us_socket;

enum {
    US_AF_INET = 2,
    US_AF_INET6 = 10,
    US_SOCK_STREAM = 1,
    US_SOCK_DGRAM = 2,
    US_SOCK_RAW = 3,
    US_IPPROTO_IP = 0,
    US_IPPROTO_TCP = 6,
    US_IPPROTO_UDP = 17,
    US_IPPROTO_SEC = 100,
    US_SOL_SOCKET = 0xfff,
    US_SO_REUSEADDR = 0x4,
    US_SO_KEEPALIVE = 0x8,
    US_SO_CALLBACK = 20, /* us_set_ready() */
    US_SO_BROADCAST = 0x20,
    US_SO_LINGER = 0x80,
    US_SO_SNDBUF = 0x1001,
    US_SO_RCVBUF = 0x1002,
    US_SO_ERROR = 0x1007,
    US_SO_TYPE = 0x1008,
    US_SO_BINDTODEVICE = 0x100b,
    US_TCP_NODELAY = 0x40,
    US_IP_ADD_MEMBERSHIP = 0x400,
    US_IP_DROP_MEMBERSHIP = 0x401,
    US_MSG_PEEK = 0x2,
    US_MSG_DONTWAIT = 0x40,
    US_SHUT_RD = 0,
    US_SHUT_WR = 1,
    US_SHUT_RDWR = 2,
    US_AI_NUMERICHOST = 4,
    US_CERT_NONE = 0,
    US_CERT_OPTIONAL = 1,
    US_CERT_REQUIRED = 2,
    US_POLLIN = 0x1,
    US_POLLOUT = 0x4,
    US_POLLERR = 0x8,
    US_POLLHUP = 0x10,
    US_POLLNVAL = 0x20
};

/* --- addresses -------------------------------------------------------------------------------- */

typedef struct us_address {
    uint16_t family;   /* US_AF_INET or US_AF_INET6 */
    uint16_t port;     /* in the host's byte order */
    uint32_t scope_id; /* of a link-local IPv6 address, 0 if none */
    uint8_t bytes[16]; /* network order; IPv4 has 4 */
} us_address;

/* A tuple as an address. `host` (size bytes) is a number, never a name; empty: any address of
 * `family`. -EINVAL: anything else, a port outside 0..65535, a flowinfo other than 0. */
int us_address_set(
    us_address* into, int family, const char* host, size_t size, int64_t port, int64_t flowinfo,
    int64_t scope_id);

/* The text of the address with a terminator, and its length. `size` of 64 is always enough;
 * -EINVAL if it is not. */
int us_address_text(const us_address* from, char* into, size_t size);

/* 4 or 16 bytes from text and back. -EAFNOSUPPORT, -EINVAL; nothing beyond `size` is read. */
int us_inet_pton(int family, const char* text, size_t text_size, uint8_t* into, size_t size);
int us_inet_ntop(int family, const uint8_t* from, size_t from_size, char* into, size_t size);

/* --- names ------------------------------------------------------------------------------------ */

typedef struct us_addrinfo {
    int family;
    int type;
    int proto;
    us_address address;
} us_addrinfo;

/* How many entries were written to `into`, IPv4 first, streams before datagrams. `service`: a
 * name or a number as text, or NULL: `port`. `timeout_ms` -1: as long as it takes. Failure of the
 * name itself is -1000 plus glibc's negative EAI_* number (-1002: EAI_NONAME), so that it is no
 * errno. Numbers never ask a server. */
int us_getaddrinfo(
    const char* host, size_t host_size, const char* service, int64_t port, int family, int type,
    int proto, int flags, int64_t timeout_ms, us_addrinfo* into, size_t capacity);

/* The same without waiting, and with the same errors. The query goes on whenever this thread's loop
 * runs (us_step(), any call that waits); `timeout_ms` later its answer is -1003 (EAI_AGAIN). A
 * number is never given twice: one that is over, or another thread's, is -EBADF. */
typedef int64_t us_query;
us_query us_getaddrinfo_start(
    const char* host, size_t host_size, const char* service, int64_t port, int family, int type,
    int proto, int flags, int64_t timeout_ms);
/* -EAGAIN: not yet. Anything else ends the query. */
int us_getaddrinfo_result(us_query q, us_addrinfo* into, size_t capacity);
int us_getaddrinfo_cancel(us_query q);

/* --- sockets ---------------------------------------------------------------------------------- */

/* A blocking socket. `proto` 0 follows the type. -EAFNOSUPPORT, -EINVAL, -EPROTONOSUPPORT, -EMFILE,
 * -ENOMEM. */
us_socket us_open(int family, int type, int proto);

/* Delivers what was sent, then FIN. Neither allocates nor fails for a handle that ever was one. */
int us_close(us_socket s);

int us_bind(us_socket s, const us_address* at);
int us_listen(us_socket s, int backlog); /* negative is 0 */
int us_listen_default(us_socket s);
us_socket us_accept(us_socket s, us_address* from); /* from may be NULL */
int us_connect(us_socket s, const us_address* to);
int us_shutdown(us_socket s, int how);
int us_getsockname(us_socket s, us_address* into);
int us_getpeername(us_socket s, us_address* into);

/* Blocking: all of it. With a timeout: all, or what was taken when it struck. Neither: 1..size. */
int64_t us_send(us_socket s, const void* data, size_t size, int flags);
/* 1..size bytes, 0 at the end of the stream. */
int64_t us_recv(us_socket s, void* into, size_t size, int flags);
int64_t us_sendto(us_socket s, const void* data, size_t size, int flags, const us_address* to);
int64_t us_recvfrom(us_socket s, void* into, size_t size, int flags, us_address* from);
/* 0 or an error; how many were taken is in `*done` (may be NULL) in each case. */
int us_sendall(us_socket s, const void* data, size_t size, size_t* done);

/* No short reads or writes, unless the socket may not wait: then what there is, or -EAGAIN. After
 * any other error the bytes that were read are first in line for the next call. */
int64_t us_read(us_socket s, void* into, size_t size);
/* Up to and with a line feed, or `size` bytes of a longer line. */
int64_t us_readline(us_socket s, void* into, size_t size);
int us_write(us_socket s, const void* data, size_t size, size_t* done);

/* For results of unknown size: waits until `size` bytes (or a line) are held, fewer at the end of
 * the stream; how many. us_take() moves held bytes out. */
int64_t us_hold(us_socket s, size_t size);
int64_t us_hold_line(us_socket s);
int64_t us_take(us_socket s, void* into, size_t size);

/* Milliseconds; -1 blocks, 0 does not. */
int us_settimeout(us_socket s, int64_t milliseconds);
int us_gettimeout(us_socket s, int64_t* milliseconds);

int us_setsockopt(us_socket s, int level, int option, const void* value, size_t size);
int us_setsockopt_int(us_socket s, int level, int option, int value);
int us_getsockopt_int(us_socket s, int level, int option, int* value);

/* --- MicroPython's stream protocol: a count, or (size_t)-1 and the errno in *error -------------
 */

size_t us_stream_read(us_socket s, void* into, size_t size, int* error);
size_t us_stream_write(us_socket s, const void* data, size_t size, int* error);
size_t us_stream_ioctl(us_socket s, unsigned request, uintptr_t argument, int* error);

/* --- TLS (docs/tls.md), in builds that have it: elsewhere -EPROTONOSUPPORT ---------------------
 */

/* wrap_socket()'s arguments; zero is the default of each, a client that verifies nobody. Key,
 * certificates and authorities are PEM or DER. A client with US_CERT_REQUIRED names whom it
 * expects. */
typedef struct us_tls {
    int server_side;
    int cert_reqs;
    int do_handshake; /* waits for it, where the socket may wait */
    const void* key;
    size_t key_size;
    const void* cert;
    size_t cert_size;
    const void* cadata;
    size_t cadata_size;
    const char* server_hostname;
    size_t server_hostname_size;
} us_tls;

/* What is sent and received is TLS's from here on: now if connected, else when it is; of a
 * listener, its connections'. How the handshake failed; -EISCONN: it is TLS already; -EINVAL. A
 * timeout ends the waiting alone. */
int us_wrap(us_socket s, const us_tls* how);
int us_do_handshake(us_socket s); /* -EAGAIN: not over */
/* For this thread's sockets of US_IPPROTO_SEC that are not wrapped, as clients or as servers.
 * Without a name clients that verify believe whomever `cadata` knows. */
int us_tls_default(const us_tls* how);

/* --- readiness and the loop ------------------------------------------------------------------- */

/* Which of `mask` hold now; US_POLLERR and US_POLLHUP whatever was asked; US_POLLNVAL: closed. */
unsigned us_poll(us_socket s, unsigned mask);

/* Called from the loop's turn when the socket may be ready for more than before. It may call
 * everything that does not wait, us_close() too. NULL: no more. The socket keeps `context`. */
typedef void (*us_ready)(us_socket s, void* context);
int us_set_ready(us_socket s, us_ready callback, void* context);

/* One turn of this thread's loop, which sleeps for `milliseconds` at most (-1: until something
 * happens) and returns after the first thing that happened. */
int us_step(int64_t milliseconds);
/* For pollers that sleep themselves: readable when us_step(0) has something to do; -1: none. */
int us_wake_fd(void);
/* When us_step() must be called at the latest, in milliseconds from now; -1: only by us_wake_fd. */
int64_t us_next_deadline(void);

/* Ends the sleep that a call of the thread which asked for `w` is in, or the next one. The one call
 * that other threads, signal handlers and interrupts may make. */
typedef struct us_waker us_waker;
void us_wake(us_waker* w);
/* This thread's; NULL: it has no stack. Valid until the thread ends, or changes its stack. */
us_waker* us_get_waker(void);

/* Called at least each `interval_ms` while a call of this thread waits; what is not 0 ends that
 * call with -EINTR. NULL: none. */
typedef int (*us_idle)(void* context);
int us_set_idle(us_idle hook, void* context, int64_t interval_ms);

/* True (1) when all that was sent on this thread's stack has been delivered. */
int us_drained(void);

/* Where this thread's new sockets come from, in WEFT_STACK's words ("host", "lwip",
 * "lwip:tap0+10.0.0.2/24+10.0.0.1"); before its first socket. -EBUSY: later; -EINVAL:
 * us_explanation() names what is wrong. */
int us_use(const char* stack);

/* The interface that this thread's stack is on: lwIP's; of the host, its loopback. What there is
 * not is 0.0.0.0. -ENODEV: a stack that was made elsewhere. */
typedef struct us_interface {
    us_address address;
    us_address gateway;
    us_address name_server;
    unsigned prefix;
} us_interface;
int us_get_interface(us_interface* into);

/* --- many sockets at once: what a wait costs grows with those that are ready
 */

typedef struct us_poller us_poller;
typedef struct us_polled {
    us_socket socket;
    uintptr_t tag;
    unsigned events;
} us_polled;

us_poller* us_poller_open(void); /* NULL: no memory */
void us_poller_close(us_poller* p);

/* From now on `mask` is waited for; US_POLLERR and US_POLLHUP always. `tag` comes back with the
 * events. -EBADF, -EPERM, -ENOMEM. */
int us_poller_set(us_poller* p, us_socket s, unsigned mask, uintptr_t tag);
/* No effect on what is not there. A closed socket is there until it is dropped: US_POLLNVAL. */
void us_poller_drop(us_poller* p, us_socket s);

/* Waits until sockets are ready, `milliseconds` at most (-1: for ever); how many are.
 * US_ONE_SHOT: those are not waited for again until us_poller_set(). US_NO_TURN: of what is known,
 * without a turn of the loop, for one who has just had one. -EINTR: the idle hook; -EDEADLK: a wait
 * inside the loop's turn. */
enum { US_ONE_SHOT = 1, US_NO_TURN = 2 };
int us_poller_wait(us_poller* p, int64_t milliseconds, int flags);
/* The next of those that the last wait found, `capacity` at most; fewer: these were the last.
 * Sockets may be closed between the calls, but not set or dropped. */
size_t us_poller_take(us_poller* p, us_polled* into, size_t capacity);

/* --- errors ----------------------------------------------------------------------------------- */

/* "ECONNRESET" for 104 or -104, "EAI_NONAME" for -1002. */
const char* us_error_name(int64_t error);
const char* us_error_message(int64_t error);
/* What Python's OSError has for it: 104 for -104, -2 for -1002, and mbedTLS's number for TLS's. */
int us_error_number(int64_t error);
/* More about this thread's last failure that needed words; never NULL. */
const char* us_explanation(void);

#ifdef __cplusplus
}
#endif

#endif
