// The contract's list of defects seen in existing ports, each a test. Where one is a row of a table
// as well, its test is there and named in README.md.
#include "scene.hpp"

#include <c/usocket.h>

#include <memory>

namespace contract {
namespace {

TEST_CASE("defect: send() after a reported reset crashing") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(number_of([&client] { client.recv(1); }) == ECONNRESET);
        CHECK(number_of([&client] { client.send("x"); }) == EPIPE);
        CHECK(number_of([&client] { client.sendall("x"); }) == EPIPE);
        CHECK(number_of([&client] { client.write("x"); }) == EPIPE);
        client.settimeout(0);
        CHECK(number_of([&client] { client.send("x"); }) == EPIPE);
    });
}

TEST_CASE("defect: setsockopt() on a closed socket crashing") {
    scene at;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        socket s = at.client(type);
        s.close();
        for (const int option :
             {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_LINGER, SO_SNDBUF, SO_RCVBUF, SO_ERROR,
              SO_BINDTODEVICE, 12345}) {
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, option, 1); }) == EBADF);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, option, "text"); }) == EBADF);
        }
        CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_CALLBACK, [](socket&) {}); }) == EBADF);
        CHECK(number_of([&] { s.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1); }) == EBADF);
        CHECK(number_of([&] { s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, "12345678"); }) == EBADF);
    }
}

TEST_CASE("defect: setsockopt() and getsockopt() crashing on a socket whose connect failed") {
    scene at;
    std::optional<socket> holder;
    const sockaddr to = at.closed_port(holder);
    socket c = at.client();
    CHECK(number_of([&] { c.connect(to); }) == ECONNREFUSED);
    for (const int option :
         {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_BINDTODEVICE}) {
        (void)number_of([&] { c.setsockopt(SOL_SOCKET, option, 1); });
        (void)number_of([&] { c.setsockopt(SOL_SOCKET, option, "text"); });
        (void)number_of([&] { c.getsockopt(SOL_SOCKET, option); });
    }
    c.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    CHECK(c.getsockopt(IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(c.getsockname().port() == 0);
}

TEST_CASE("defect: a burst of 10 datagrams keeping 4 with no count of the rest") {
    scene at;
    const result<weft::udp_socket> opened =
        at.w.server_net().bind_udp(weft::endpoint{at.w.server_address(family::ipv4), 0});
    REQUIRE(opened);
    socket c = at.client_datagrams();
    for (int i = 0; i != 10; ++i) {
        c.sendto("x", *opened->local());
    }
    at.settle();
    int got = 0;
    std::byte room[8];
    auto& receiver = const_cast<weft::udp_socket&>(*opened);
    while (receiver.try_recv_from(room)) {
        ++got;
    }
    CHECK(got == 10);
    CHECK(receiver.dropped() == 0);
}

TEST_CASE("defect: getaddrinfo() leaving a pointer to a dead stack frame when interrupted") {
    if (!here().known().names_go_unanswered) {
        skip("its name server is the machine's");
        return;
    }
    scene at;
    for (int times = 0; times != 10; ++times) {
        int looks = 0;
        us_set_idle([](void* n) { return ++*static_cast<int*>(n) == 3 ? 1 : 0; }, &looks, 100);
        CHECK(number_of([] { getaddrinfo("interrupted.example", 80); }) == EINTR);
        us_set_idle(nullptr, nullptr, 1);
        at.pass(1s); // the query goes on, and must not touch what is gone
    }
    at.pass(60s);
    CHECK(getaddrinfo("127.0.0.1", 80).size() == 2);
}

TEST_CASE("defect: accept() failing always told as a timeout") {
    scene at;
    socket l = at.listener();
    l.settimeout(0);
    CHECK(number_of([&] { l.accept(); }) == EAGAIN);
    l.settimeout(None);
    at.later(at.scaled(50ms), [&] { l.close(); });
    CHECK(number_of([&] { l.accept(); }) == EBADF);
    socket s = at.server();
    CHECK(number_of([&] { s.accept(); }) == EINVAL);
}

TEST_CASE("defect: EAGAIN told as b\"\", which is EOF") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(0);
        std::byte room[4];
        CHECK(number_of([&client] { client.recv(1); }) == EAGAIN);
        CHECK(client.read(1) == std::nullopt);
        CHECK(client.readinto(room) == std::nullopt);
        CHECK(client.readline() == std::nullopt);
        server.close();
        CHECK(at.becomes(client, 5) == 5);
        CHECK(client.recv(1) == "");
        CHECK(text_of(client.read(1)) == "");
        CHECK(client.readinto(room) == 0);
        CHECK(text_of(client.readline()) == "");
    });
}

TEST_CASE("defect: a blocking send() sleeping when memory is short: it goes on as room appears") {
    if (!here().known().virtual_time) {
        skip("asks the virtual clock");
        return;
    }
    scene at;
    auto [server, client] = at.connected();
    const std::size_t taken = at.fill_up(client);
    client.settimeout(None);
    server.settimeout(0);
    weft::time_point drained{};
    at.later(100ms, [&] {
        drained = at.now();
        CHECK(server.read(static_cast<std::int64_t>(taken))->size() > 0);
    });
    CHECK(client.send("x") == 1);
    // a window update's way is 2 ms; nothing sleeps 50 to 500
    CHECK(at.now() - drained <= 10ms);
}

TEST_CASE("defect: a freed descriptor reused under a poller") {
    scene at;
    auto poller = uselect::poll();
    auto [server, client] = at.connected();
    poller.register_(client, POLLIN);
    CHECK(poller.poll(0).empty());
    const std::int64_t number = client.fileno();
    client.close();
    auto [other, peer] = at.connected(); // may have the same descriptor
    other.send("x");
    CHECK(at.becomes(peer, 5) == 5);
    const auto found = poller.poll(0);
    REQUIRE(found.size() == 1);
    CHECK(found[0].fileno == number);
    CHECK(found[0].events == POLLNVAL); // and not somebody else's IN
    CHECK(peer.fileno() != number);
}

TEST_CASE("defect: a socket closed while it is registered crashing the poller later") {
    scene at;
    auto poller = std::make_unique<uselect::poller>();
    socket a = at.client();
    socket b = at.client(SOCK_DGRAM);
    poller->register_(a);
    poller->register_(b);
    a.close();
    CHECK(poller->poll(0).size() == 2);
    poller.reset();
    b.close();
}

} // namespace
} // namespace contract
