/* The same by bare system calls.
 *
 *     facade_transfer_libc ROUNDS
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int must(int made, const char* what) {
    if (made < 0) {
        perror(what);
        exit(2);
    }
    return made;
}

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? atol(argv[1]) : 1000;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(bind(listener, (struct sockaddr*)&at, sizeof at), "bind");
    must(listen(listener, 1), "listen");
    must(getsockname(listener, (struct sockaddr*)&at, &size), "getsockname");
    const int sender = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(connect(sender, (struct sockaddr*)&at, sizeof at), "connect");
    const int receiver = must(accept(listener, NULL, NULL), "accept");
    const int on = 1;
    must(setsockopt(sender, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    must(fcntl(sender, F_SETFL, O_NONBLOCK), "fcntl");
    must(fcntl(receiver, F_SETFL, O_NONBLOCK), "fcntl");
    char message[64] = "message";
    char buffer[64];
    for (long i = 0; i != rounds; ++i) {
        if (send(sender, message, sizeof message, MSG_NOSIGNAL) != sizeof message ||
            recv(receiver, buffer, sizeof buffer, 0) != sizeof buffer) {
            fprintf(stderr, "round %ld\n", i);
            return 2;
        }
    }
    close(receiver);
    close(sender);
    close(listener);
    return 0;
}
