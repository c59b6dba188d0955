// The contract's rows bind(), listen() and accept().
#include "scene.hpp"

namespace contract {
namespace {

// --- bind()

TEST_CASE("bind(): in use EADDRINUSE; and it can be bound elsewhere then") {
    on_both([](scene& at) {
        socket l = at.listener();
        socket s = at.server();
        CHECK(number_of([&] { s.bind(l.getsockname()); }) == EADDRINUSE);
        CHECK(number_of([&] { s.bind(at.server_at()); }) == 0);
        socket d = at.server_datagrams();
        socket e = at.server(SOCK_DGRAM);
        CHECK(number_of([&] { e.bind(d.getsockname()); }) == EADDRINUSE);
    });
}

TEST_CASE("bind(): bound already EINVAL") {
    on_both([](scene& at) {
        socket s = at.server();
        s.bind(at.server_at());
        CHECK(number_of([&] { s.bind(at.server_at()); }) == EINVAL);
        socket l = at.listener();
        CHECK(number_of([&] { l.bind(at.server_at()); }) == EINVAL);
        auto [server, client] = at.connected();
        CHECK(number_of([&] { client.bind(at.client_at()); }) == EINVAL);
        CHECK(number_of([&] { server.bind(at.server_at()); }) == EINVAL);
        socket d = at.server_datagrams();
        CHECK(number_of([&] { d.bind(at.server_at()); }) == EINVAL);
    });
}

TEST_CASE("bind(): an address that is not ours EADDRNOTAVAIL") {
    scene at;
    socket s = at.server();
    CHECK(number_of([&] { s.bind({"192.0.2.77", 0}); }) == EADDRNOTAVAIL);
}

TEST_CASE("bind(): before connect() chooses the client's port") {
    on_both([](scene& at) {
        socket l = at.listener();
        socket c = at.client();
        c.bind(at.client_at());
        const sockaddr name = c.getsockname();
        CHECK(name.port() != 0);
        c.connect(l.getsockname());
        CHECK(l.accept().second == name);
    });
}

// --- listen()

TEST_CASE("listen(): unbound it takes an ephemeral port") {
    on_both([](scene& at) {
        socket l = at.server();
        l.listen(4);
        const int port = l.getsockname().port();
        CHECK(port != 0);
        socket c = at.client();
        c.connect(at.server_at(static_cast<std::uint16_t>(port)));
        (void)l.accept();
    });
}

TEST_CASE("listen(): negative is 0, and nobody is refused for it") {
    on_both([](scene& at) {
        for (const int backlog : {-1, -1000, 0}) {
            socket l = at.server();
            l.bind(at.server_at());
            l.listen(backlog);
            socket c = at.client();
            c.connect(l.getsockname());
            (void)l.accept();
        }
    });
}

/// How many connections wait before any is accepted, of `wanted`.
std::size_t waiting(scene& at, socket& l, std::size_t wanted) {
    const sockaddr to = l.getsockname();
    std::vector<socket> clients;
    while (clients.size() != wanted) {
        clients.push_back(at.client());
        clients.back().settimeout(0);
        CHECK(number_of([&] { clients.back().connect(to); }) == EINPROGRESS);
    }
    at.settle();
    std::size_t accepted = 0;
    l.settimeout(0);
    while (number_of([&] { (void)l.accept(); }) == 0) {
        ++accepted;
    }
    return accepted;
}

TEST_CASE("listen(): without a number a default that takes a burst") {
    scene at;
    socket l = at.server();
    l.bind(at.server_at());
    l.listen();
    CHECK(waiting(at, l, 50) == 50);
}

TEST_CASE("listen(): large values are honoured and never wrapped: listen(256), listen(65536)") {
    scene at;
    for (const int backlog : {256, 512, 65536, 1 << 24, INT32_MAX}) {
        socket l = at.server();
        l.bind(at.server_at());
        l.listen(backlog);
        CHECK(waiting(at, l, 60) == 60);
    }
}

TEST_CASE("listen(): UDP EOPNOTSUPP") {
    on_both([](scene& at) {
        socket d = at.server_datagrams();
        CHECK(number_of([&] { d.listen(1); }) == EOPNOTSUPP);
        CHECK(number_of([&] { d.listen(); }) == EOPNOTSUPP);
        CHECK(number_of([&] { d.accept(); }) == EOPNOTSUPP);
    });
}

TEST_CASE("listen(): twice changes the backlog") {
    scene at;
    socket l = at.server();
    l.bind(at.server_at());
    l.listen(1);
    l.listen(40);
    CHECK(waiting(at, l, 30) == 30);
}

TEST_CASE("listen(): a connected socket EINVAL") {
    scene at;
    auto [server, client] = at.connected();
    CHECK(number_of([&] { client.listen(1); }) == EINVAL);
    CHECK(number_of([&] { server.listen(1); }) == EINVAL);
}

// --- accept()

TEST_CASE("accept(): (conn, address) of the client") {
    on_both([](scene& at) {
        socket l = at.listener();
        socket c = at.client();
        c.connect(l.getsockname());
        auto [conn, address] = l.accept();
        CHECK(address == c.getsockname());
        CHECK(conn.getpeername() == address);
        CHECK(conn.getsockname() == l.getsockname());
        c.send("ping");
        CHECK(conn.recv(10) == "ping");
    });
}

TEST_CASE("accept(): conn starts blocking, whatever the listener is") {
    scene at;
    for (const std::optional<double> limit : {std::optional<double>(0.0), {5.0}, {}}) {
        socket l = at.listener();
        l.settimeout(limit);
        socket c = at.client();
        c.connect(l.getsockname());
        at.becomes(l, POLLIN);
        CHECK(l.accept().first.gettimeout() == std::nullopt);
        CHECK(l.gettimeout() == limit);
    }
}

TEST_CASE("accept(): timeout ETIMEDOUT, non-blocking with none EAGAIN, not listening EINVAL") {
    on_both([](scene& at) {
        socket l = at.listener();
        l.settimeout(at.seconds(at.scaled(400ms)));
        times_out(at, at.scaled(400ms), [&] { l.accept(); });
        l.settimeout(0);
        CHECK(number_of([&] { l.accept(); }) == EAGAIN);
        socket s = at.server();
        CHECK(number_of([&] { s.accept(); }) == EINVAL);
        s.bind(at.server_at());
        CHECK(number_of([&] { s.accept(); }) == EINVAL);
        auto [server, client] = at.connected();
        CHECK(number_of([&] { client.accept(); }) == EINVAL);
    });
}

TEST_CASE("accept(): blocks until a client comes") {
    on_both([](scene& at) {
        socket l = at.listener();
        const sockaddr to = l.getsockname();
        socket c = at.client();
        c.settimeout(0);
        at.later(at.scaled(100ms), [&] { (void)number_of([&] { c.connect(to); }); });
        const sockaddr from = l.accept().second;
        CHECK(from == c.getsockname());
    });
}

TEST_CASE("accept(): in the order in which they came") {
    scene at;
    socket l = at.listener();
    std::vector<socket> clients;
    for (int i = 0; i != 5; ++i) {
        clients.push_back(at.client());
        clients.back().connect(l.getsockname());
    }
    for (socket& each : clients) {
        CHECK(l.accept().second == each.getsockname());
    }
}

TEST_CASE("accept(): closing a listener with connections pending resets them and leaks nothing") {
    on_both([](scene& at) {
        socket l = at.listener();
        std::vector<socket> clients;
        for (int i = 0; i != 5; ++i) {
            clients.push_back(at.client());
            clients.back().connect(l.getsockname());
        }
        at.becomes(l, POLLIN);
        at.settle();
        l.close();
        for (socket& each : clients) {
            CHECK(number_of([&] { each.recv(1); }) == ECONNRESET);
            each.close();
        }
    });
}

TEST_CASE("accept(): without sockets left EMFILE or ENOMEM, and the connection stays queued") {
    scene at;
    socket l = at.listener();
    socket c = at.client();
    const std::shared_ptr<void> scarce = at.w.ration_sockets(10);
    std::vector<socket> held;
    use(at.w.server_net());
    CHECK(number_of([&] {
              while (held.size() != 100'000) {
                  held.emplace_back(AF_INET, SOCK_STREAM);
              }
          }) == static_cast<int>(at.known().exhausted));
    c.settimeout(0);
    CHECK(number_of([&] { c.connect(l.getsockname()); }) == EINPROGRESS);
    at.settle();
    l.settimeout(0);
    const int number = number_of([&] { l.accept(); });
    CHECK((number == static_cast<int>(at.known().exhausted) || number == EAGAIN));
    held.resize(held.size() / 2 + 1);
    l.settimeout(None);
    socket conn = l.accept().first;
    CHECK(at.becomes(c, POLLOUT) == POLLOUT);
    c.send("still here");
    CHECK(conn.recv(100) == "still here");
}

} // namespace
} // namespace contract
