/* The same with libc's sockets.
 *
 *     echo_facade_libc PORT [--buffer BYTES]
 */
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
    struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof at;
    const int on = 1;
    const int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
    must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt");
    must(bind(listener, (struct sockaddr*)&at, sizeof at), "bind");
    must(listen(listener, 128), "listen");
    must(getsockname(listener, (struct sockaddr*)&at, &size), "getsockname");
    printf("listening %u\n", (unsigned)ntohs(at.sin_port));
    fflush(stdout);
    const int peer = must(accept(listener, NULL, NULL), "accept");
    must(setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    char buffer[1024];
    ssize_t n = 0;
    while ((n = recv(peer, buffer, sizeof buffer, 0)) > 0) {
        if (send(peer, buffer, (size_t)n, MSG_NOSIGNAL) != n) {
            break;
        }
    }
    close(peer);
    close(listener);
    return 0;
}
