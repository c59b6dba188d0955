// The contract's table "Readiness": each state with its exact mask; and the ioctl requests.
#include "scene.hpp"

#include <c/usocket.h>

namespace contract {
namespace {

constexpr unsigned in = POLLIN;
constexpr unsigned out = POLLOUT;
constexpr unsigned both = POLLIN | POLLOUT;

TEST_CASE("readiness: new: OUT and HUP (20)") {
    on_both([](scene& at) {
        const socket s = at.client();
        CHECK(at.mask_of(s, both) == 20);
        CHECK(at.mask_of(s, out) == 20);
        CHECK(at.mask_of(s, in) == 16);
        CHECK(at.mask_of(s, 0) == 16);
        socket bound = at.server();
        bound.bind(at.server_at());
        CHECK(at.mask_of(bound) == 20);
    });
}

TEST_CASE("readiness: listening: nothing; IN when a connection waits") {
    on_both([](scene& at) {
        socket l = at.listener();
        at.settle();
        CHECK(at.mask_of(l, both) == 0);
        socket c = at.client();
        c.connect(l.getsockname());
        CHECK(at.becomes(l, 1) == 1);
        CHECK(at.mask_of(l, in) == 1);
        CHECK(at.mask_of(l, out) == 0);
        const socket s = l.accept().first;
        CHECK(at.mask_of(l) == 0);
    });
}

TEST_CASE("readiness: connecting: nothing") {
    on_both([](scene& at) {
        const unanswered u = at.attempt();
        CHECK(at.mask_of(u.client, both) == 0);
        CHECK(at.mask_of(u.client, in) == 0);
        CHECK(at.mask_of(u.client, out) == 0);
    });
}

TEST_CASE("readiness: connected: OUT; IN with data") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.settle();
        for (socket* const each : {&server, &client}) {
            CHECK(at.mask_of(*each, both) == 4);
            CHECK(at.mask_of(*each, in) == 0);
        }
        server.send("xy");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(at.mask_of(client, in) == 1);
        CHECK(at.mask_of(client, out) == 4);
        CHECK(client.recv(1) == "x");
        CHECK(at.mask_of(client) == 5);
        CHECK(client.recv(1) == "y"); // exactly all
        CHECK(at.mask_of(client) == 4);
    });
}

TEST_CASE(
    "readiness: connected: no OUT while nothing more is taken, OUT again when there is room") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        const std::size_t taken = at.fill_up(client);
        CHECK(at.mask_of(client) == 0);
        CHECK(server.read(static_cast<std::int64_t>(taken))->size() == taken);
        CHECK(at.becomes(client, 4) == 4);
    });
}

TEST_CASE("readiness: peer sent FIN: IN and OUT, no HUP") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.close();
        CHECK(at.becomes(client, 5) == 5);
        CHECK(client.recv(1) == "");
        CHECK(at.mask_of(client) == 5); // for good
        CHECK(at.mask_of(client, in) == 1);
    });
}

TEST_CASE("readiness: reset: IN OUT ERR HUP (29); ERR and HUP whatever was asked for") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(at.mask_of(client, in) == 25);
        CHECK(at.mask_of(client, out) == 28);
        CHECK(at.mask_of(client, 0) == 24);
    });
}

TEST_CASE("readiness: refused: IN OUT ERR HUP (29); ERR and HUP whatever was asked for") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        socket c = at.client();
        c.settimeout(0);
        CHECK(number_of([&] { c.connect(to); }) == EINPROGRESS);
        CHECK(at.becomes(c, 29) == 29);
        CHECK(at.mask_of(c, in) == 25);
        CHECK(at.mask_of(c, 0) == 24);
    });
}

TEST_CASE(
    "readiness: error already reported: IN, OUT and HUP (21); 17 where only IN was asked for") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(number_of([&] { client.recv(1); }) == ECONNRESET);
        CHECK(at.mask_of(client, both) == 21);
        CHECK(at.mask_of(client, in) == 17);
        CHECK(at.mask_of(client, out) == 20);

        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        socket c = at.client();
        c.settimeout(0);
        CHECK(number_of([&] { c.connect(to); }) == EINPROGRESS);
        CHECK(at.becomes(c, 29) == 29);
        CHECK(c.getsockopt(SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
        CHECK(at.mask_of(c, both) == 21);
        CHECK(at.mask_of(c, in) == 17);
    });
}

TEST_CASE("readiness: both sides ended: IN, OUT and HUP (21); 17 where only IN was asked for") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.shutdown(SHUT_WR);
        CHECK(at.mask_of(client) == 4); // ours alone
        server.shutdown(SHUT_WR);
        CHECK(at.becomes(client, 21) == 21);
        CHECK(at.mask_of(client, in) == 17);
        CHECK(at.becomes(server, 21) == 21);
        CHECK(at.mask_of(server, in) == 17);
    });
}

TEST_CASE("readiness: blocking connect failed: OUT and HUP (20)") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        socket c = at.client();
        CHECK(number_of([&] { c.connect(to); }) == ECONNREFUSED);
        CHECK(at.mask_of(c, both) == 20);
        CHECK(at.mask_of(c, in) == 16);
        unanswered u = at.attempt();
        socket d = at.client();
        d.settimeout(at.seconds(at.scaled(100ms)));
        CHECK(number_of([&] { d.connect(u.listener.getsockname()); }) == ETIMEDOUT);
        CHECK(at.mask_of(d, both) == 20);
    });
}

TEST_CASE("readiness: UDP, connected, refused: OUT and ERR (12)") {
    on_both([](scene& at) {
        socket gone = at.server_datagrams();
        const sockaddr to = gone.getsockname();
        gone.close();
        socket c = at.client(SOCK_DGRAM);
        c.connect(to);
        CHECK(at.mask_of(c) == 4);
        c.send("x");
        CHECK(at.becomes(c, 12) == 12);
        CHECK(at.mask_of(c, in) == 8);
        CHECK(c.getsockopt(SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
        CHECK(at.mask_of(c) == 4);
    });
}

TEST_CASE("readiness: closed: NVAL") {
    scene at;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        socket s = at.client(type);
        s.close();
        CHECK(at.mask_of(s, both) == POLLNVAL);
        CHECK(at.mask_of(s, 0) == POLLNVAL);
        CHECK(us_poll(s.number(), US_POLLIN) == POLLNVAL);
    }
}

TEST_CASE("readiness: UDP: OUT, and IN with a datagram queued; never HUP on a healthy socket") {
    on_both([](scene& at) {
        socket fresh = at.server(SOCK_DGRAM);
        CHECK(at.mask_of(fresh, both) == 4);
        CHECK(at.mask_of(fresh, in) == 0);
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        CHECK(at.mask_of(s) == 4);
        c.sendto("x", s.getsockname());
        CHECK(at.becomes(s, 5) == 5);
        CHECK(at.mask_of(s, in) == 1);
        CHECK(s.recv(1) == "x");
        CHECK(at.mask_of(s) == 4);
    });
}

TEST_CASE("readiness: bytes that the façade keeps count as IN") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.send("line\nmore");
        CHECK(at.becomes(client, 5) == 5);
        at.settle();
        CHECK(text_of(client.readline()) == "line\n"); // "more" is read ahead
        CHECK(at.mask_of(client) == 5);
        CHECK(client.recv(100) == "more");
        CHECK(at.mask_of(client) == 4);
    });
}

// --- ioctl requests

std::size_t ask(const socket& s, unsigned request, std::uintptr_t argument, int& error) {
    error = 0;
    return stream_ioctl(s, request, argument, &error);
}

TEST_CASE("ioctl: FLUSH 1, POLL 3, CLOSE 4, TIMEOUT 5 are known by these numbers") {
    CHECK(stream_flush == 1);
    CHECK(stream_seek == 2);
    CHECK(stream_poll == 3);
    CHECK(stream_close == 4);
    CHECK(stream_timeout == 5);
    CHECK(stream_get_fileno == 10);
    scene at;
    auto [server, client] = at.connected();
    int error = 0;
    CHECK(ask(client, 1, 0, error) == 0);
    CHECK(ask(client, 3, 5, error) == 4);
    CHECK(ask(client, 5, 250, error) == 0);
    CHECK(client.gettimeout() == 0.25);
    CHECK(ask(client, 5, 0, error) == 0);
    CHECK(client.gettimeout() == 0.0);
    CHECK(ask(client, 5, static_cast<std::uintptr_t>(-1), error) == 0);
    CHECK(client.gettimeout() == std::nullopt);
    CHECK(ask(client, 4, 0, error) == 0);
    CHECK(client.fileno() == -1);
    CHECK(ask(client, 4, 0, error) == 0); // again
    CHECK(error == 0);
    CHECK(ask(client, 1, 0, error) == stream_error);
    CHECK(error == EBADF);
}

TEST_CASE("ioctl: unknown requests, SEEK and GET_FILENO: EINVAL on both stacks") {
    scene at;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        for (const socket& s : {at.client(type), at.server(type)}) {
            for (const unsigned request : {0U, 2U, 6U, 7U, 8U, 9U, 10U, 11U, 99U, ~0U}) {
                int error = 0;
                CHECK(ask(s, request, 0, error) == stream_error);
                CHECK(error == EINVAL);
            }
        }
    }
}

TEST_CASE("the stream protocol: read and write give counts, or an errno: EAGAIN, ETIMEDOUT") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        char room[16] = {};
        int error = 0;
        client.settimeout(0);
        CHECK(stream_read(client, room, sizeof room, &error) == stream_error);
        CHECK(error == EAGAIN);
        client.settimeout(at.seconds(at.scaled(100ms)));
        CHECK(stream_read(client, room, sizeof room, &error) == stream_error);
        CHECK(error == ETIMEDOUT);
        CHECK(stream_write(server, "abc", 3, &error) == 3);
        CHECK(stream_read(client, room, sizeof room, &error) == 3);
        CHECK(std::string_view(room, 3) == "abc");
        server.close();
        CHECK(stream_read(client, room, sizeof room, &error) == 0);
    });
}

} // namespace
} // namespace contract
