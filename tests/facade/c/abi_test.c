/* The C ABI from plain C99: each check is a line of the contract as C sees it. Both ends are in
 * this process, on the stack that WEFT_STACK names. The exit status is 0 if all hold. */
#include "abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks = 0;
static int failures = 0;

void check_at(const char* file, int line, int truth, const char* what, long long got) {
    ++checks;
    if (!truth) {
        ++failures;
        fprintf(
            stderr, "%s:%d: not so: %s (%lld, %s; %s)\n", file, line, what, got, us_error_name(got),
            us_explanation());
    }
}
static us_address loopback(int port) {
    us_address at;
    memset(&at, 0, sizeof at);
    IS(us_address_set(&at, US_AF_INET, "127.0.0.1", 9, port, 0, 0), 0);
    return at;
}

struct pair connected(void) {
    struct pair made;
    us_address at = loopback(0);
    made.listener = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    IS(us_bind(made.listener, &at), 0);
    IS(us_listen(made.listener, 5), 0);
    IS(us_getsockname(made.listener, &at), 0);
    HOLDS(at.port != 0);
    made.client = us_open(US_AF_INET, US_SOCK_STREAM, US_IPPROTO_TCP);
    IS(us_connect(made.client, &at), 0);
    us_address from;
    made.server = us_accept(made.listener, &from);
    HOLDS(made.server > 0);
    us_address own;
    IS(us_getsockname(made.client, &own), 0);
    IS(from.port, own.port);
    IS(us_settimeout(made.client, 5000), 0);
    IS(us_settimeout(made.server, 5000), 0);
    return made;
}

void close_all(struct pair p) {
    IS(us_close(p.client), 0);
    IS(us_close(p.server), 0);
    IS(us_close(p.listener), 0);
}

/* Before the first socket, and never again. */
static void choosing(void) {
    IS(us_use(NULL), -22);
    IS(us_use("no such stack"), -22);
    HOLDS(strstr(us_explanation(), "no such stack") != NULL);
    IS(us_use(getenv("WEFT_STACK")), 0);
    const us_socket s = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    HOLDS(s > 0);
    IS(us_use(getenv("WEFT_STACK")), -16);
    IS(us_close(s), 0);
}

static void opening(void) {
    IS(us_open(99, US_SOCK_STREAM, 0), -97);
    IS(us_open(US_AF_INET, 99, 0), -22);
    IS(us_open(US_AF_INET, US_SOCK_RAW, 0), -22);
#if defined(WITH_TLS)
    const us_socket secure = us_open(US_AF_INET, US_SOCK_STREAM, US_IPPROTO_SEC);
    HOLDS(secure > 0);
    IS(us_close(secure), 0);
#else
    IS(us_open(US_AF_INET, US_SOCK_STREAM, US_IPPROTO_SEC), -93);
#endif
    IS(us_open(US_AF_INET, US_SOCK_DGRAM, US_IPPROTO_SEC), -93);
    IS(us_open(US_AF_INET, US_SOCK_STREAM, US_IPPROTO_UDP), -93);
    const us_socket s =
        us_open(US_AF_INET, US_SOCK_DGRAM, US_IPPROTO_TCP); /* the default follows */
    HOLDS(s > 0);
    int type = 0;
    IS(us_getsockopt_int(s, US_SOL_SOCKET, US_SO_TYPE, &type), 0);
    IS(type, US_SOCK_DGRAM);
    IS(us_listen(s, 1), -95);
    IS(us_accept(s, NULL), -95);
    IS(us_close(s), 0);
}

/* A handle that was closed is never another socket. */
static void handles(void) {
    char byte = 0;
    const us_socket first = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    IS(us_close(first), 0);
    IS(us_close(first), 0); /* idempotent */
    for (int i = 0; i != 300; ++i) {
        const us_socket next = us_open(US_AF_INET, US_SOCK_STREAM, 0);
        HOLDS(next > 0 && next != first);
        IS(us_recv(first, &byte, 1, 0), -9);
        IS(us_close(next), 0);
    }
    us_address at = loopback(7);
    IS(us_bind(first, &at), -9);
    IS(us_listen(first, 1), -9);
    IS(us_accept(first, NULL), -9);
    IS(us_connect(first, &at), -9);
    IS(us_send(first, &byte, 1, 0), -9);
    IS(us_sendall(first, &byte, 1, NULL), -9);
    IS(us_sendto(first, &byte, 1, 0, &at), -9);
    IS(us_recvfrom(first, &byte, 1, 0, &at), -9);
    IS(us_read(first, &byte, 1), -9);
    IS(us_readline(first, &byte, 1), -9);
    IS(us_write(first, &byte, 1, NULL), -9);
    IS(us_settimeout(first, 0), -9);
    IS(us_setsockopt_int(first, US_SOL_SOCKET, US_SO_REUSEADDR, 1), -9);
    IS(us_getsockname(first, &at), -9);
    IS(us_shutdown(first, US_SHUT_RDWR), -9);
    IS(us_set_ready(first, NULL, NULL), -9);
    IS(us_poll(first, US_POLLIN), US_POLLNVAL);
    int error = 0;
    IS(us_stream_ioctl(first, 3, US_POLLIN, &error), US_POLLNVAL);
    IS(us_stream_read(first, &byte, 1, &error), (size_t)-1);
    IS(error, 9);
    IS(us_close(0), -9);
    IS(us_close(-1), -9);
    IS(us_close(INT64_MAX), -9);
    IS(us_recv(0, &byte, 1, 0), -9);
    IS(us_recv(INT64_MIN, &byte, 1, 0), -9);
}

static void arguments(void) {
    struct pair p = connected();
    char byte = 0;
    IS(us_recv(p.client, NULL, 1, 0), -22);
    IS(us_recv(p.client, &byte, (size_t)-1, 0), -22);
    IS(us_recv(p.client, NULL, 0, 0), 0);
    IS(us_send(p.client, NULL, 1, 0), -22);
    IS(us_send(p.client, &byte, (size_t)-1, 0), -22);
    IS(us_send(p.client, NULL, 0, 0), 0);
    IS(us_connect(p.client, NULL), -22);
    us_address wrong = loopback(7);
    wrong.family = 77;
    IS(us_connect(p.client, &wrong), -22);
    IS(us_settimeout(p.client, -2), -22);
    IS(us_gettimeout(p.client, NULL), -22);
    IS(us_shutdown(p.client, 3), -22);
    IS(us_setsockopt_int(p.client, US_SOL_SOCKET, 0x7777, 1), -92);
    IS(us_setsockopt_int(p.client, 77, US_SO_REUSEADDR, 1), -92);
    IS(us_setsockopt(p.client, US_SOL_SOCKET, US_SO_KEEPALIVE, "abc", 3), -22);
    IS(us_getsockopt_int(p.client, US_SOL_SOCKET, 0x7777, NULL), -22);
    IS(us_bind(p.client, &wrong), -22);
    IS(us_set_idle(NULL, NULL, 0), 0);
    us_address at;
    IS(us_address_set(&at, US_AF_INET, "localhost", 9, 80, 0, 0), -22);
    IS(us_address_set(&at, US_AF_INET, "1.2.3.4", 7, 65536, 0, 0), -22);
    IS(us_address_set(&at, US_AF_INET, "1.2.3.4", 7, -1, 0, 0), -22);
    IS(us_address_set(&at, US_AF_INET6, "::1", 3, 80, 1, 0), -22);
    IS(us_address_set(&at, US_AF_INET6, "", 0, 80, 0, 0), 0);
    IS(at.family, US_AF_INET6);
    char text[64];
    IS(us_address_text(&at, text, 2), -22);
    IS(us_address_text(&at, text, sizeof text), 2);
    HOLDS(strcmp(text, "::") == 0);
    uint8_t bytes[16];
    IS(us_inet_pton(US_AF_INET, "1.2.3.4", 7, bytes, 4), 4);
    HOLDS(memcmp(bytes, "\1\2\3\4", 4) == 0);
    IS(us_inet_pton(US_AF_INET, "1.2.3.4", 7, bytes, 3), -22);
    IS(us_inet_pton(US_AF_INET, "1.2.3", 5, bytes, 4), -22);
    IS(us_inet_pton(77, "1.2.3.4", 7, bytes, 4), -97);
    IS(us_inet_ntop(US_AF_INET, bytes, 3, text, sizeof text), -22);
    IS(us_inet_ntop(77, bytes, 4, text, sizeof text), -97);
    close_all(p);
}

static void bytes_and_lines(void) {
    struct pair p = connected();
    char room[64];
    size_t done = 99;
    IS(us_send(p.client, "one\ntwo\nthr", 11, 0), 11);
    IS(us_recv(p.server, room, 2, US_MSG_PEEK), 2);
    IS(us_readline(p.server, room, sizeof room), 4);
    HOLDS(memcmp(room, "one\n", 4) == 0);
    IS(us_poll(p.server, US_POLLIN) & US_POLLIN, US_POLLIN); /* what is held is readable */
    IS(us_recv(p.server, room, 2, 0), 2);
    HOLDS(memcmp(room, "tw", 2) == 0);
    IS(us_settimeout(p.server, 30), 0);
    IS(us_read(p.server, room, 10), -110); /* "o\nthr" stays first in line */
    IS(us_sendall(p.client, "ee\n", 3, &done), 0);
    IS(done, 3);
    IS(us_settimeout(p.server, 5000), 0);
    IS(us_hold_line(p.server), 2);
    IS(us_take(p.server, room, 2), 2);
    HOLDS(memcmp(room, "o\n", 2) == 0);
    IS(us_readline(p.server, room, 3), 3); /* a longer line in pieces */
    HOLDS(memcmp(room, "thr", 3) == 0);
    IS(us_read(p.server, room, 3), 3);
    HOLDS(memcmp(room, "ee\n", 3) == 0);
    IS(us_settimeout(p.server, 0), 0);
    IS(us_recv(p.server, room, 1, 0), -11);
    IS(us_read(p.server, room, 1), -11);
    IS(us_readline(p.server, room, 1), -11);
    IS(us_hold(p.server, 1), -11);
    int error = 0;
    IS(us_stream_read(p.server, room, 1, &error), (size_t)-1);
    IS(error, 11);
    IS(us_stream_write(p.client, "x", 1, &error), 1);
    IS(us_stream_ioctl(p.client, 10, 0, &error), (size_t)-1); /* GET_FILENO */
    IS(error, 22);
    IS(us_stream_ioctl(p.client, 2, 0, &error), (size_t)-1); /* SEEK */
    IS(us_stream_ioctl(p.client, 1, 0, &error), 0);          /* FLUSH */
    IS(us_stream_ioctl(p.client, 5, 20, &error), 0);         /* TIMEOUT */
    int64_t limit = 0;
    IS(us_gettimeout(p.client, &limit), 0);
    IS(limit, 20);
    IS(us_stream_ioctl(p.client, 4, 0, &error), 0); /* CLOSE */
    IS(us_getsockname(p.client, NULL), -9);
    IS(us_settimeout(p.server, 5000), 0);
    IS(us_read(p.server, room, 5), 1);
    IS(us_read(p.server, room, 5), 0); /* the end, for good */
    IS(us_recv(p.server, room, 5, 0), 0);
    close_all(p);
}

static void timeouts(void) {
    struct pair p = connected();
    char room[8];
    IS(us_settimeout(p.server, 20), 0);
    IS(us_settimeout(p.listener, 20), 0);
    IS(us_recv(p.server, room, 8, 0), -110);
    IS(us_accept(p.listener, NULL), -110);
    IS(us_recv(p.server, room, 8, US_MSG_DONTWAIT), -11);
    IS(us_settimeout(p.listener, 0), 0);
    IS(us_accept(p.listener, NULL), -11);
    IS(us_accept(p.server, NULL), -22);
    close_all(p);
}

struct told {
    us_socket expected;
    int times;
    int deadlocks;
    int closes;
};

static void on_ready(us_socket s, void* context) {
    struct told* t = context;
    char room[8];
    HOLDS(s == t->expected);
    ++t->times;
    t->deadlocks += us_step(0) == -35;
    t->deadlocks += us_recv(s, room, sizeof room, 0) == -35; /* it blocks, so it may not here */
    if (t->closes) {
        IS(us_close(s), 0);
    }
}

static void readiness(void) {
    struct pair p = connected();
    struct told t = {p.server, 0, 0, 0};
    char room[8];
    IS(us_set_ready(p.server, on_ready, &t), 0);
    IS(us_step(0), 0); /* once soon */
    HOLDS(t.times >= 1);
    const int before = t.times;
    IS(us_send(p.client, "x", 1, 0), 1);
    for (int i = 0; i != 200 && t.times == before; ++i) {
        IS(us_step(10), 0);
    }
    HOLDS(t.times > before);
    HOLDS(t.deadlocks == 2 * t.times);
    HOLDS(strstr(us_explanation(), "co_await") != NULL);
    IS(us_set_ready(p.server, NULL, NULL), 0);
    IS(us_recv(p.server, room, sizeof room, 0), 1);
    t.closes = 1;
    IS(us_set_ready(p.server, on_ready, &t), 0);
    IS(us_recv(p.server, room, sizeof room, 0), -9); /* closed in its own callback, while waiting */
    HOLDS(us_next_deadline() >= -1);
    HOLDS(us_wake_fd() >= -1);
    close_all(p);
}

static int stop_at(void* context) {
    int* left = context;
    return --*left == 0;
}

static void idle_hook(void) {
    struct pair p = connected();
    char room[8];
    int left = 3;
    IS(us_settimeout(p.server, -1), 0);
    IS(us_set_idle(stop_at, &left, 5), 0);
    IS(us_read(p.server, room, 4), -4);
    HOLDS(left == 0);
    left = -1;
    IS(us_send(p.client, "data", 4, 0), 4);
    IS(us_read(p.server, room, 4), 4);
    left = 2;
    IS(us_settimeout(p.listener, -1), 0);
    IS(us_accept(p.listener, NULL), -4);
    IS(us_set_idle(stop_at, &left, 0), -22);
    IS(us_set_idle(NULL, NULL, 0), 0);
    close_all(p);
}

static void names(void) {
    us_addrinfo found[8];
    IS(us_getaddrinfo("127.0.0.1", 9, "http", 0, 0, 0, 0, 0, 1000, found, 8), 2);
    IS(found[0].family, US_AF_INET);
    IS(found[0].type, US_SOCK_STREAM);
    IS(found[0].proto, US_IPPROTO_TCP);
    IS(found[0].address.port, 80);
    IS(found[1].type, US_SOCK_DGRAM);
    IS(us_getaddrinfo("::1", 3, NULL, 7, 0, US_SOCK_STREAM, 0, 0, 1000, found, 8), 1);
    IS(found[0].family, US_AF_INET6);
    IS(us_getaddrinfo("::1", 3, NULL, 7, 0, US_SOCK_STREAM, 0, 0, 1000, found, 0), 0);
    IS(us_getaddrinfo("no number", 9, NULL, 7, 0, 0, 0, US_AI_NUMERICHOST, 1000, found, 8), -1002);
    IS(us_getaddrinfo("1.2.3.4", 7, "no service", 7, 0, 0, 0, 0, 1000, found, 8), -1008);
    IS(us_getaddrinfo("1.2.3.4", 7, NULL, 7, 99, 0, 0, 0, 1000, found, 8), -1006);
    IS(us_getaddrinfo("1.2.3.4", 7, NULL, 7, 0, 99, 0, 0, 1000, found, 8), -1007);
    IS(us_getaddrinfo("1.2.3.4", 7, NULL, 7, 0, 0, 0, 0x4000, 1000, found, 8), -1001);
    IS(us_getaddrinfo("1.2.3.4", 7, NULL, 65536, 0, 0, 0, 0, 1000, found, 8), -22);
    IS(us_getaddrinfo(NULL, 7, NULL, 7, 0, 0, 0, 0, 1000, found, 8), -22);
    HOLDS(strcmp(us_error_name(-1002), "EAI_NONAME") == 0);
    HOLDS(strcmp(us_error_name(-104), "ECONNRESET") == 0);
    HOLDS(strcmp(us_error_name(104), "ECONNRESET") == 0);
    HOLDS(strlen(us_error_message(-104)) != 0);
}

static void datagrams(void) {
    us_address at = loopback(0);
    us_address from;
    char room[8];
    const us_socket a = us_open(US_AF_INET, US_SOCK_DGRAM, 0);
    const us_socket b = us_open(US_AF_INET, US_SOCK_DGRAM, 0);
    IS(us_bind(a, &at), 0);
    IS(us_getsockname(a, &at), 0);
    IS(us_settimeout(a, 5000), 0);
    IS(us_send(b, "x", 1, 0), -89);
    IS(us_sendto(b, "longer than that", 16, 0, &at), 16);
    IS(us_sendto(b, "", 0, 0, &at), 0);
    IS(us_sendto(b, "last", 4, 0, &at), 4);
    IS(us_recvfrom(a, room, sizeof room, US_MSG_PEEK, &from), 8);
    IS(us_recvfrom(a, room, sizeof room, 0, &from), 8); /* cut */
    HOLDS(memcmp(room, "longer t", 8) == 0);
    IS(us_recvfrom(a, room, sizeof room, 0, &from), 0); /* an empty one is real */
    IS(us_recvfrom(a, room, sizeof room, 0, NULL), 4);
    IS(us_settimeout(a, 0), 0);
    IS(us_recvfrom(a, room, sizeof room, 0, &from), -11);
    IS(us_readline(a, room, sizeof room), -95);
    IS(us_connect(b, &at), 0);
    IS(us_send(b, "x", 1, 0), 1);
    IS(us_close(a), 0);
    IS(us_close(b), 0);
}

/* The answer, with the turns that it takes. */
static int answer_of(us_query q, us_addrinfo* into, size_t capacity) {
    int result = us_getaddrinfo_result(q, into, capacity);
    for (int turns = 0; result == -11 && turns != 1000; ++turns) {
        us_step(100);
        result = us_getaddrinfo_result(q, into, capacity);
    }
    return result;
}

/* getaddrinfo that nobody waits in: a number, asked for its answer, which it has once. */
static void queries(void) {
    us_addrinfo found[4];
    const us_query number =
        us_getaddrinfo_start("10.1.2.3", 8, "http", 0, 0, US_SOCK_STREAM, 0, 0, 5000);
    HOLDS(number > 0);
    const us_query name =
        us_getaddrinfo_start("localhost", 9, NULL, 7000, US_AF_INET, 0, 0, 0, 5000);
    HOLDS(name > 0 && name != number);
    IS(answer_of(name, found, 4), 2);
    IS(found[0].address.port, 7000);
    IS(found[0].type, US_SOCK_STREAM);
    IS(found[1].type, US_SOCK_DGRAM);
    IS(answer_of(number, found, 4), 1);
    IS(found[0].address.port, 80);
    IS(found[0].address.bytes[3], 3);
    IS(us_getaddrinfo_result(name, found, 4), -9); /* it has been told */
    IS(us_getaddrinfo_cancel(name), -9);
    const us_query dropped =
        us_getaddrinfo_start("nobody.invalid", 14, NULL, 80, 0, 0, 0, 0, 60000);
    HOLDS(dropped > name);
    IS(us_getaddrinfo_cancel(dropped), 0);
    IS(us_getaddrinfo_cancel(dropped), -9);
    IS(us_getaddrinfo_result(dropped, found, 4), -9);
    const us_query late = us_getaddrinfo_start("nobody.invalid", 14, NULL, 80, 0, 0, 0, 0, 1);
    HOLDS(late > dropped);
    HOLDS(answer_of(late, found, 4) <= -1000); /* in time or not, it has no address */
    const us_query wrong = us_getaddrinfo_start("10.1.2.3", 8, NULL, 80, US_AF_INET6, 0, 0, 0, -1);
    IS(answer_of(wrong, found, 4), -1005);
    IS(us_getaddrinfo_start("10.1.2.3", 8, "no such service", 0, 0, 0, 0, 0, -1), -1008);
    IS(us_getaddrinfo_start("10.1.2.3", 8, NULL, 65536, 0, 0, 0, 0, -1), -22);
    IS(us_getaddrinfo_start("10.1.2.3", 8, NULL, 80, 0, 0, 0, 0, -2), -22);
    IS(us_getaddrinfo_start(NULL, 8, NULL, 80, 0, 0, 0, 0, -1), -22);
    IS(us_getaddrinfo_result(number, NULL, 4), -22);
    IS(us_getaddrinfo_result(0, found, 4), -9);
    IS(us_getaddrinfo_cancel(-1), -9);
}

/* Many sockets at once: those that are ready come out, with their tags, again and again. */
static void pollers(void) {
    struct pair p = connected();
    us_polled found[4];
    us_poller* const all = us_poller_open();
    HOLDS(all != NULL);
    IS(us_poller_wait(all, 0, 0), 0);
    IS(us_poller_set(all, p.listener, US_POLLIN, 1), 0);
    IS(us_poller_set(all, p.client, US_POLLIN, 2), 0);
    IS(us_poller_set(all, p.server, US_POLLIN, 3), 0);
    IS(us_poller_wait(all, 0, 0), 0);
    IS(us_poller_take(all, found, 4), 0);
    IS(us_send(p.client, "x", 1, 0), 1);
    for (int again = 0; again != 2; ++again) {
        IS(us_poller_wait(all, 5000, 0), 1);
        IS(us_poller_take(all, found, 4), 1);
        IS(found[0].socket, p.server);
        IS(found[0].tag, 3);
        IS(found[0].events, US_POLLIN);
        IS(us_poller_take(all, found, 4), 0);
    }
    IS(us_poller_set(all, p.client, US_POLLIN | US_POLLOUT, 20), 0); /* another tag, too */
    IS(us_poller_wait(all, 5000, 0), 2);
    IS(us_poller_take(all, found, 1), 1);
    IS(us_poller_take(all, found + 1, 3), 1);
    HOLDS(found[0].tag + found[1].tag == 23);
    us_poller_drop(all, p.client);
    us_poller_drop(all, p.client);
    IS(us_poller_wait(all, 5000, 1), 1);
    IS(us_poller_wait(all, 0, 0), 0); /* that was a shot */
    IS(us_poller_set(all, p.server, US_POLLIN, 3), 0);
    IS(us_poller_wait(all, 5000, 0), 1);
    char byte = 0;
    IS(us_recv(p.server, &byte, 1, 0), 1);
    IS(us_poller_wait(all, 0, 0), 0);
    IS(us_close(p.server), 0);
    IS(us_poller_wait(all, 5000, 0), 1);
    IS(us_poller_take(all, found, 4), 1);
    IS(found[0].tag, 3);
    IS(found[0].events, US_POLLNVAL);
    us_poller_drop(all, p.server);
    IS(us_poller_wait(all, 0, 0), 0);
    IS(us_poller_set(all, p.server, US_POLLIN, 3), -9);
    IS(us_poller_wait(all, -2, 0), -22);
    us_poller_close(all);
    us_poller_close(NULL);
    close_all(p);
}

/* What is known before the wait's turn is a shot's, too, if the turn tells it once more. */
static void one_shot_told_twice(void) {
    struct pair p = connected();
    us_poller* const all = us_poller_open();
    us_polled found[2];
    HOLDS(all != NULL);
    IS(us_poller_set(all, p.server, US_POLLIN, 3), 0);
    for (int again = 0; again != 3; ++again) {
        IS(us_send(p.client, "x", 1, 0), 1);
        IS(us_step(100), 0);
        IS(us_send(p.client, "y", 1, 0), 1);
        IS(us_poller_wait(all, 5000, US_ONE_SHOT), 1);
        IS(us_poller_take(all, found, 2), 1);
        IS(found[0].events, US_POLLIN);
        IS(us_poller_wait(all, 0, US_ONE_SHOT), 0);
        IS(us_poller_set(all, p.server, US_POLLIN, 3), 0);
    }
    us_poller_close(all);
    close_all(p);
}

/* A sender whose last send took less than it was given, so that none has been refused, is told when
 * there is room again. */
static void room_again(void) {
    static char much[1 << 20];
    struct pair p = connected();
    us_polled found[1];
    us_poller* const all = us_poller_open();
    IS(us_settimeout(p.client, 0), 0);
    IS(us_poller_set(all, p.client, US_POLLOUT, 1), 0);
    size_t unread = 0;
    for (int turns = 0; turns != 20 && us_poller_wait(all, 0, 0) == 1; ++turns) {
        const int64_t sent = us_send(p.client, much, sizeof much, 0);
        HOLDS(sent > 0);
        unread += (size_t)sent;
    }
    IS(us_poller_wait(all, 0, 0), 0);
    while (unread != 0) {
        const int64_t got = us_recv(p.server, much, sizeof much, 0);
        HOLDS(got > 0);
        unread -= got > 0 ? (size_t)got : unread;
    }
    IS(us_poller_wait(all, 5000, 0), 1);
    IS(us_poller_take(all, found, 1), 1);
    IS(found[0].events, US_POLLOUT);
    us_poller_close(all);
    close_all(p);
}

static int stop_at_once(void* context) {
    (void)context;
    return 1;
}

/* A wake-up before the sleep ends that sleep: nothing can come between a look and it. */
static void waking(void) {
    us_waker* const mine = us_get_waker();
    HOLDS(mine != NULL);
    IS(us_step(0), 0);
    us_wake(mine);
    IS(us_step(60000), 0); /* the test's own limit is as long */
    IS(us_set_idle(stop_at_once, NULL, INT64_MAX), 0);
    us_poller* const none = us_poller_open();
    us_wake(mine);
    IS(us_poller_wait(none, 60000, 0), -4);
    us_poller_close(none);
    IS(us_set_idle(NULL, NULL, 0), 0);
    us_wake(NULL);
}

static void interface(void) {
    us_interface known;
    char text[64];
    IS(us_get_interface(&known), 0);
    IS(us_address_text(&known.address, text, sizeof text), 9);
    HOLDS(strcmp(text, "127.0.0.1") == 0);
    IS(known.prefix, 8);
    IS(us_address_text(&known.gateway, text, sizeof text), 7);
    IS(us_get_interface(NULL), -22);
}

int main(void) {
    choosing();
    opening();
    becoming_tls();
    handles();
    arguments();
    bytes_and_lines();
    timeouts();
    readiness();
    idle_hook();
    names();
    queries();
    pollers();
    one_shot_told_twice();
    room_again();
    waking();
    interface();
    datagrams();
    for (int i = 0; i != 1000 && us_drained() == 0; ++i) {
        us_step(10);
    }
    IS(us_drained(), 1);
    printf("%d checks, %d failures\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
