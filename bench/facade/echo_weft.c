/* A blocking echo server for one connection, through the C ABI.
 *
 *     echo_facade_weft PORT [--buffer BYTES]        as host/server.hpp says; the buffer is 1,024
 */
#include "c/usocket.h"

#include <stdio.h>
#include <stdlib.h>

static us_socket must(us_socket made, const char* what) {
    if (made < 0) {
        fprintf(stderr, "%s: %s\n", what, us_error_name(made));
        exit(2);
    }
    return made;
}

int main(int argc, char** argv) {
    us_address at;
    must(
        us_address_set(&at, US_AF_INET, "127.0.0.1", 9, argc > 1 ? atol(argv[1]) : 0, 0, 0),
        "PORT");
    const us_socket listener = must(us_open(US_AF_INET, US_SOCK_STREAM, 0), "open");
    must(us_setsockopt_int(listener, US_SOL_SOCKET, US_SO_REUSEADDR, 1), "setsockopt");
    must(us_bind(listener, &at), "bind");
    must(us_listen_default(listener), "listen");
    must(us_getsockname(listener, &at), "getsockname");
    printf("listening %u\n", (unsigned)at.port);
    fflush(stdout);
    const us_socket peer = must(us_accept(listener, NULL), "accept");
    must(us_setsockopt_int(peer, US_IPPROTO_TCP, US_TCP_NODELAY, 1), "setsockopt");
    char buffer[1024];
    int64_t n = 0;
    while ((n = us_recv(peer, buffer, sizeof buffer, 0)) > 0) {
        if (us_send(peer, buffer, (size_t)n, 0) != n) {
            break;
        }
    }
    us_close(peer);
    us_close(listener);
    return 0;
}
