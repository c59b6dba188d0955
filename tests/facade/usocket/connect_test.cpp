// The contract's row connect(), and shutdown(), getsockname() and getpeername() beside it.
#include "scene.hpp"

namespace contract {
namespace {

TEST_CASE("connect(): refused ECONNREFUSED, never told as a reset") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        for (int times = 0; times != 3; ++times) {
            socket c = at.client();
            CHECK(number_of([&] { c.connect(to); }) == ECONNREFUSED);
        }
    });
}

TEST_CASE("connect(): nobody answers: ETIMEDOUT when the timeout strikes") {
    on_both([](scene& at) {
        unanswered u = at.attempt();
        socket c = at.client();
        c.settimeout(at.seconds(at.scaled(700ms)));
        times_out(at, at.scaled(700ms), [&] { c.connect(u.listener.getsockname()); });
    });
}

TEST_CASE("connect(): nobody answers a blocking socket: ETIMEDOUT of the stack's own accord") {
    if (!here().known().can_cut) {
        skip("minutes of real time");
        return;
    }
    scene at;
    socket l = at.listener();
    {
        auto [server, client] = at.connected(); // neighbours know each other
    }
    at.w.cut(true);
    socket c = at.client();
    CHECK(number_of([&] { c.connect(l.getsockname()); }) == ETIMEDOUT);
    at.w.cut(false);
}

TEST_CASE("connect(): unreachable EHOSTUNREACH or ENETUNREACH") {
    scene at;
    if (at.known().isolated) {
        socket c = at.client();
        CHECK(number_of([&] { c.connect({"198.51.100.77", 7}); }) == ENETUNREACH);
        socket d = at.client(SOCK_DGRAM);
        CHECK(number_of([&] { d.sendto("x", {"198.51.100.77", 7}); }) == ENETUNREACH);
    }
    if (at.known().nobody_is_noticed) {
        socket c = at.client();
        const int number =
            number_of([&] { c.connect(weft::endpoint{at.w.nobody(family::ipv4), 7}); });
        CHECK((number == EHOSTUNREACH || number == ETIMEDOUT));
    }
}

TEST_CASE("connect(): connected already, or a listener, EISCONN") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        socket l = at.listener();
        const sockaddr to = l.getsockname();
        CHECK(number_of([&] { client.connect(to); }) == EISCONN);
        CHECK(number_of([&] { server.connect(to); }) == EISCONN);
        CHECK(number_of([&] { l.connect(to); }) == EISCONN);
        client.settimeout(0);
        CHECK(number_of([&] { client.connect(to); }) == EISCONN);
        server.close();
        at.becomes(client, 5);
        CHECK(number_of([&] { client.connect(to); }) == EISCONN);
    });
}

TEST_CASE("connect(): non-blocking EINPROGRESS, then EALREADY, then it is connected") {
    on_both([](scene& at) {
        unanswered u = at.attempt();
        CHECK(number_of([&] { u.client.connect(u.listener.getsockname()); }) == EALREADY);
        CHECK(u.client.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
        CHECK(number_of([&] { u.client.getpeername(); }) == ENOTCONN);

        socket l = at.listener();
        socket c = at.client();
        c.settimeout(0);
        CHECK(number_of([&] { c.connect(l.getsockname()); }) == EINPROGRESS);
        CHECK(at.becomes(c, POLLOUT) == POLLOUT);
        CHECK(c.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
        CHECK(c.getpeername() == l.getsockname());
        CHECK(number_of([&] { c.connect(l.getsockname()); }) == EISCONN);
    });
}

TEST_CASE("connect(): after a non-blocking one SO_ERROR tells the outcome, once") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        socket c = at.client();
        c.settimeout(0);
        CHECK(number_of([&] { c.connect(to); }) == EINPROGRESS);
        CHECK(at.becomes(c, 29) == 29);
        CHECK(c.getsockopt(SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
        CHECK(c.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
    });
}

TEST_CASE("connect(): a second call tells a refusal once, a third tries again") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        socket c = at.client();
        c.settimeout(0);
        CHECK(number_of([&] { c.connect(to); }) == EINPROGRESS);
        CHECK(at.becomes(c, 29) == 29);
        CHECK(number_of([&] { c.connect(to); }) == ECONNREFUSED);
        socket l = at.listener();
        CHECK(number_of([&] { c.connect(l.getsockname()); }) == EINPROGRESS);
        CHECK(at.becomes(c, POLLOUT) == POLLOUT);
    });
}

TEST_CASE("connect(): a failed one leaves a socket that can be closed, and no pcb") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        const std::size_t before = at.w.open_sockets();
        socket refused = at.client();
        CHECK(number_of([&] { refused.connect(to); }) == ECONNREFUSED);
        CHECK(at.until([&] { return at.w.open_sockets() == before; }));
        socket later = at.client();
        later.settimeout(0);
        CHECK(number_of([&] { later.connect(to); }) == EINPROGRESS);
        at.becomes(later, 29);
        CHECK(at.until([&] { return at.w.open_sockets() == before; }));
        CHECK(refused.fileno() > 0);
        refused.close();
        later.close();
    });
}

TEST_CASE("connect(): again after a failure it connects, with the options that it was given") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr nobody = at.closed_port(holder);
        socket l = at.listener();
        socket c = at.client();
        c.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
        c.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
        for (int times = 0; times != 3; ++times) {
            CHECK(number_of([&] { c.connect(nobody); }) == ECONNREFUSED);
        }
        c.connect(l.getsockname());
        CHECK(c.getsockopt(IPPROTO_TCP, TCP_NODELAY) == 1);
        CHECK(c.getsockopt(SOL_SOCKET, SO_KEEPALIVE) == 1);
        socket s = l.accept().first;
        c.send("after all");
        CHECK(s.recv(100) == "after all");
    });
}

TEST_CASE("connect(): after a timeout it may be tried again") {
    scene at;
    unanswered u = at.attempt();
    socket l = at.listener();
    socket c = at.client();
    c.settimeout(at.seconds(at.scaled(200ms)));
    CHECK(number_of([&] { c.connect(u.listener.getsockname()); }) == ETIMEDOUT);
    CHECK(number_of([&] { c.connect(l.getsockname()); }) == 0);
}

TEST_CASE("connect(): a socket of the other family EINVAL or EAFNOSUPPORT, and it stays usable") {
    if (!here().known().ipv6) {
        skip("no IPv6");
        return;
    }
    on_both([](scene& at) {
        socket c = at.client();
        const sockaddr other =
            at.ip == family::ipv4 ? sockaddr("2001:db8::1", 80) : sockaddr("192.0.2.1", 80);
        const int number = number_of([&] { c.connect(other); });
        CHECK((number == EINVAL || number == EAFNOSUPPORT));
        socket l = at.listener();
        CHECK(number_of([&] { c.connect(l.getsockname()); }) == 0);
    });
}

// --- present too

TEST_CASE("getsockname(), getpeername(): of a new socket, a connected one, after a failure") {
    on_both([](scene& at) {
        socket c = at.client();
        CHECK(c.getsockname().port() == 0);
        CHECK(c.getsockname().host() == (at.ip == family::ipv4 ? "0.0.0.0" : "::"));
        CHECK(number_of([&] { c.getpeername(); }) == ENOTCONN);
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        CHECK(number_of([&] { c.connect(to); }) == ECONNREFUSED);
        CHECK(number_of([&] { c.getpeername(); }) == ENOTCONN);
        socket l = at.listener();
        c.connect(l.getsockname());
        CHECK(c.getpeername() == l.getsockname());
        CHECK(c.getsockname().port() != 0);
        CHECK(number_of([&] { l.getpeername(); }) == ENOTCONN);
        socket d = at.client(SOCK_DGRAM);
        CHECK(number_of([&] { d.getpeername(); }) == ENOTCONN);
        d.connect(at.server_at(9));
        CHECK(d.getpeername() == at.server_at(9));
    });
}

TEST_CASE("shutdown(): SHUT_WR sends FIN after what was sent, and receiving goes on") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.send("question");
        client.shutdown(SHUT_WR);
        CHECK(text_of(server.read()) == "question");
        server.send("answer");
        server.close();
        CHECK(text_of(client.read()) == "answer");
        CHECK(number_of([&] { client.send("x"); }) == EPIPE);
    });
}

TEST_CASE("shutdown(): SHUT_RD ends receiving here, and sending goes on") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.shutdown(SHUT_RD);
        CHECK(client.recv(1) == "");
        CHECK((at.mask_of(client) & POLLIN) != 0);
        client.send("still talking");
        client.shutdown(SHUT_RDWR);
        CHECK(text_of(server.read()) == "still talking");
    });
}

TEST_CASE("shutdown(): not connected ENOTCONN, another number EINVAL") {
    scene at;
    socket c = at.client();
    for (const int how : {SHUT_RD, SHUT_WR, SHUT_RDWR}) {
        CHECK(number_of([&] { c.shutdown(how); }) == ENOTCONN);
    }
    CHECK(number_of([&] { c.shutdown(3); }) == EINVAL);
    CHECK(number_of([&] { c.shutdown(-1); }) == EINVAL);
}

TEST_CASE("fileno(): a number that is this socket's alone, for good") {
    scene at;
    socket a = at.client();
    socket b = at.client();
    const std::int64_t of_a = a.fileno();
    CHECK(of_a > 0);
    CHECK(of_a != b.fileno());
    a.close();
    for (int i = 0; i != 100; ++i) {
        CHECK(at.client().fileno() != of_a);
    }
}

} // namespace
} // namespace contract
