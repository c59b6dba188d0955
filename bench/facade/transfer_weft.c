/* Non-blocking send and recv of 64 bytes over a loopback connection, through the C ABI.
 *
 *     facade_transfer_weft ROUNDS
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
    const long rounds = argc > 1 ? atol(argv[1]) : 1000;
    us_address at;
    us_address_set(&at, US_AF_INET, "127.0.0.1", 9, 0, 0, 0);
    const us_socket listener = must(us_open(US_AF_INET, US_SOCK_STREAM, 0), "open");
    must(us_bind(listener, &at), "bind");
    must(us_listen_default(listener), "listen");
    must(us_getsockname(listener, &at), "getsockname");
    const us_socket sender = must(us_open(US_AF_INET, US_SOCK_STREAM, 0), "open");
    must(us_connect(sender, &at), "connect");
    const us_socket receiver = must(us_accept(listener, NULL), "accept");
    must(us_setsockopt_int(sender, US_IPPROTO_TCP, US_TCP_NODELAY, 1), "setsockopt");
    must(us_settimeout(sender, 0), "settimeout");
    must(us_settimeout(receiver, 0), "settimeout");
    char message[64] = "message";
    char buffer[64];
    for (long i = 0; i != rounds; ++i) {
        if (us_send(sender, message, sizeof message, 0) != sizeof message ||
            us_recv(receiver, buffer, sizeof buffer, 0) != sizeof buffer) {
            fprintf(stderr, "round %ld\n", i);
            return 2;
        }
    }
    us_close(receiver);
    us_close(sender);
    us_close(listener);
    return 0;
}
