// The contract's row close().
#include "scene.hpp"

#include <c/usocket.h>

namespace contract {
namespace {

TEST_CASE("close(): idempotent, returns None") {
    on_both([](scene& at) {
        socket s = at.client();
        s.close();
        s.close();
        CHECK(us_close(s.number()) == 0);
        CHECK(us_close(s.number()) == 0);
    });
}

TEST_CASE("close(): every later call on the object is EBADF, but close() None and fileno() -1") {
    scene at;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        socket s = at.client(type);
        CHECK(s.fileno() > 0);
        s.close();
        std::byte room[4];
        CHECK(number_of([&] { s.bind(at.client_at()); }) == EBADF);
        CHECK(number_of([&] { s.listen(1); }) == EBADF);
        CHECK(number_of([&] { s.listen(); }) == EBADF);
        CHECK(number_of([&] { s.accept(); }) == EBADF);
        CHECK(number_of([&] { s.connect(at.server_at(9)); }) == EBADF);
        CHECK(number_of([&] { s.send("x"); }) == EBADF);
        CHECK(number_of([&] { s.sendall("x"); }) == EBADF);
        CHECK(number_of([&] { s.sendto("x", at.server_at(9)); }) == EBADF);
        CHECK(number_of([&] { s.recv(1); }) == EBADF);
        CHECK(number_of([&] { s.recvfrom(1); }) == EBADF);
        CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1); }) == EBADF);
        CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_CALLBACK, None); }) == EBADF);
        CHECK(number_of([&] { s.getsockopt(SOL_SOCKET, SO_ERROR); }) == EBADF);
        CHECK(number_of([&] { s.settimeout(1); }) == EBADF);
        CHECK(number_of([&] { s.gettimeout(); }) == EBADF);
        CHECK(number_of([&] { s.setblocking(true); }) == EBADF);
        CHECK(number_of([&] { s.makefile(); }) == EBADF);
        CHECK(number_of([&] { s.read(); }) == EBADF);
        CHECK(number_of([&] { s.read(1); }) == EBADF);
        CHECK(number_of([&] { s.readinto(room); }) == EBADF);
        CHECK(number_of([&] { s.readline(); }) == EBADF);
        CHECK(number_of([&] { s.write("x"); }) == EBADF);
        CHECK(number_of([&] { s.shutdown(SHUT_WR); }) == EBADF);
        CHECK(number_of([&] { s.getsockname(); }) == EBADF);
        CHECK(number_of([&] { s.getpeername(); }) == EBADF);
        s.close();
        CHECK(s.fileno() == -1);
    }
}

TEST_CASE("close(): data already accepted for sending is delivered, then FIN") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        constexpr std::size_t size = 40'000;
        client.sendall(known_bytes(0, size));
        client.close();
        const std::optional<bytes> got = server.read();
        REQUIRE(got->size() == size);
        CHECK(parity::agreeing(got->span(), 0) == size);
        CHECK(server.recv(1) == "");
    });
}

TEST_CASE("close(): with received data unread what was sent is still delivered, then FIN") {
    on_both([](scene& at) {
        for (const bool server_closes : {false, true}) {
            auto [server, client] = at.connected();
            socket& closing = server_closes ? server : client;
            socket& peer = server_closes ? client : server;
            peer.sendall(known_bytes(0, 5000));
            CHECK(at.becomes(closing, POLLIN | POLLOUT) == 5);
            at.settle();
            closing.sendall("the answer");
            closing.close();
            CHECK(text_of(peer.read()) == "the answer");
        }
    });
}

TEST_CASE("close(): on destruction too, and when another takes its place") {
    on_both([](scene& at) {
        socket l = at.listener();
        {
            socket c = at.client();
            c.connect(l.getsockname());
            c.send("last words");
        }
        CHECK(text_of(l.accept().first.read()) == "last words");
        socket c = at.client();
        c.connect(l.getsockname());
        c = at.client();
        CHECK(text_of(l.accept().first.read()) == "");
    });
}

TEST_CASE("close(): leaving `with`, which is a scope, by an exception too") {
    scene at;
    auto [server, client] = at.connected();
    try {
        const socket with = std::move(client);
        throw 1;
    } catch (int) {
    }
    CHECK(text_of(server.read()) == "");
}

TEST_CASE("close(): of sockets dropped 300 times no descriptor and no pcb is left") {
    scene at;
    const std::size_t before = at.w.open_sockets();
    for (int times = 0; times != 300; ++times) {
        (void)at.client(times % 2 == 0 ? SOCK_STREAM : SOCK_DGRAM);
    }
    CHECK(at.w.open_sockets() == before);
    socket l = at.listener();
    for (int times = 0; times != 300; ++times) {
        socket c = at.client();
        c.connect(l.getsockname());
        (void)l.accept();
    }
}

TEST_CASE("close(): input that arrives later may reset; the closed socket leaks nothing") {
    scene at;
    auto [server, client] = at.connected();
    client.close();
    CHECK(at.becomes(server, POLLIN | POLLOUT) == 5);
    server.settimeout(at.seconds(at.scaled(10s)));
    int number = 0;
    for (int times = 0; times != 1000 && number == 0; ++times) {
        number = number_of([&] { server.send("nobody hears this"); });
        at.pass(at.scaled(20ms));
    }
    CHECK((number == EPIPE || number == ECONNRESET));
}

TEST_CASE("close(): unlinks a socket of accept() like any other") {
    scene at;
    socket l = at.listener();
    for (int times = 0; times != 20; ++times) {
        socket c = at.client();
        c.connect(l.getsockname());
        socket s = l.accept().first;
        s.send("x");
        s.close();
        CHECK(text_of(c.read()) == "x");
    }
}

} // namespace
} // namespace contract
