/* Echo of 64 bytes through lwIP's own blocking sockets: its thread, a server thread and a client
 * thread, over the loopback interface.
 *
 *     lwip_echo_sockets ROUND_TRIPS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwip/sockets.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"
#include "settling.h"

enum { message_size = 64, port = 7 };

static _Noreturn void fail(const char* what) {
    fprintf(stderr, "%s\n", what);
    exit(2);
}

static void started(void* semaphore) {
    sys_sem_signal(semaphore);
}

static struct sockaddr_in loopback(void) {
    struct sockaddr_in at;
    memset(&at, 0, sizeof at);
    at.sin_len = sizeof at;
    at.sin_family = AF_INET;
    at.sin_port = lwip_htons(port);
    at.sin_addr.s_addr = lwip_htonl(INADDR_LOOPBACK);
    return at;
}

static void set_nodelay(int s) {
    const int on = 1;
    lwip_setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void serve(void* listener) {
    const int peer = lwip_accept(*(int*)listener, NULL, NULL);
    if (peer < 0)
        fail("accept failed");
    set_nodelay(peer);
    char buffer[1024];
    for (;;) {
        const ssize_t n = lwip_recv(peer, buffer, sizeof buffer, 0);
        if (n <= 0)
            return;
        if (lwip_send(peer, buffer, (size_t)n, 0) != n)
            fail("the server cannot answer");
    }
}

int main(int argc, char** argv) {
    char* end = NULL;
    const unsigned long long round_trips = argc < 2 ? 0 : strtoull(argv[1], &end, 10);
    if (round_trips == 0 || *end != '\0')
        fail("usage: lwip_echo_sockets ROUND_TRIPS (a positive number)");
    sys_sem_t ready;
    sys_sem_new(&ready, 0);
    tcpip_init(started, &ready);
    sys_sem_wait(&ready);

    struct sockaddr_in at = loopback();
    int listener = lwip_socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || lwip_bind(listener, (struct sockaddr*)&at, sizeof at) != 0 ||
        lwip_listen(listener, 8) != 0)
        fail("lwIP cannot listen");
    sys_thread_new("server", serve, &listener, 0, 0);
    const int client = lwip_socket(AF_INET, SOCK_STREAM, 0);
    if (client < 0 || lwip_connect(client, (struct sockaddr*)&at, sizeof at) != 0)
        fail("lwIP cannot connect");
    set_nodelay(client);

    usleep(bench_settling_turns * bench_settling_us); /* its thread takes the turns */

    char message[message_size];
    char answer[message_size];
    memset(message, 'w', sizeof message);
    for (unsigned long long i = 0; i < round_trips; ++i) {
        memcpy(message, &i, sizeof i);
        if (lwip_send(client, message, sizeof message, 0) != (ssize_t)sizeof message)
            fail("the client cannot send");
        for (size_t received = 0; received < sizeof answer;) {
            const ssize_t n = lwip_recv(client, answer + received, sizeof answer - received, 0);
            if (n <= 0)
                fail("the server closed early");
            received += (size_t)n;
        }
        if (memcmp(message, answer, sizeof message) != 0)
            fail("the bytes that came back differ");
    }
    printf("{\"round_trips\": %llu}\n", round_trips);
    fflush(stdout);
    _Exit(0); /* the threads are still in their calls */
}
