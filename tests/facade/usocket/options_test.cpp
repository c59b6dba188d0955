// The contract's rows setsockopt(), getsockopt(), settimeout() and setblocking().
#include "scene.hpp"

#include <c/usocket.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace contract {
namespace {

std::string as_text(int value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    return std::string(raw, sizeof value);
}

TEST_CASE("setsockopt(): value an integer or bytes") {
    on_both([](scene& at) {
        socket s = at.client();
        for (const auto& [level, option] :
             {std::pair(SOL_SOCKET, SO_REUSEADDR),
              {SOL_SOCKET, SO_KEEPALIVE},
              {IPPROTO_TCP, TCP_NODELAY}}) {
            CHECK(s.getsockopt(level, option) == 0);
            s.setsockopt(level, option, 1);
            CHECK(s.getsockopt(level, option) == 1);
            s.setsockopt(level, option, as_text(0));
            CHECK(s.getsockopt(level, option) == 0);
            s.setsockopt(level, option, as_text(1));
            CHECK(s.getsockopt(level, option) == 1);
        }
        socket d = at.client(SOCK_DGRAM);
        d.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
        CHECK(d.getsockopt(SOL_SOCKET, SO_BROADCAST) == 1);
        d.setsockopt(SOL_SOCKET, SO_BROADCAST, as_text(0));
        CHECK(d.getsockopt(SOL_SOCKET, SO_BROADCAST) == 0);
    });
}

TEST_CASE("setsockopt(): unknown option ENOPROTOOPT, wrong length EINVAL, never silence") {
    on_both([](scene& at) {
        for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
            socket s = at.client(type);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, 0x7777, 1); }) == ENOPROTOOPT);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, 0x7777, as_text(1)); }) == ENOPROTOOPT);
            CHECK(number_of([&] { s.setsockopt(99, SO_REUSEADDR, 1); }) == ENOPROTOOPT);
            CHECK(number_of([&] {
                      s.setsockopt(1, SO_REUSEADDR, 1);
                  }) == ENOPROTOOPT); // the host's SOL_SOCKET
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_ERROR, 1); }) == ENOPROTOOPT);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_CALLBACK, 1); }) == ENOPROTOOPT);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, ""); }) == EINVAL);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, "x"); }) == EINVAL);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_REUSEADDR, "12345"); }) == EINVAL);
            CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_LINGER, "x"); }) == EINVAL);
            CHECK(number_of([&] { s.getsockopt(SOL_SOCKET, 0x7777); }) == ENOPROTOOPT);
            CHECK(number_of([&] { s.getsockopt(99, 1); }) == ENOPROTOOPT);
        }
        socket d = at.client(SOCK_DGRAM);
        CHECK(number_of([&] { d.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1); }) == ENOPROTOOPT);
    });
}

TEST_CASE("setsockopt(): SO_SNDBUF and SO_RCVBUF: set, or refused; never silence") {
    scene at;
    for (socket* const each : {new socket(at.server()), new socket(at.client())}) {
        const std::unique_ptr<socket> s(each);
        for (const int option : {SO_SNDBUF, SO_RCVBUF}) {
            const int before = s->getsockopt(SOL_SOCKET, option);
            CHECK(before > 0);
            const int number = number_of([&] { s->setsockopt(SOL_SOCKET, option, 32768); });
            CHECK((number == 0 || number == ENOPROTOOPT));
            if (number == 0) {
                CHECK(s->getsockopt(SOL_SOCKET, option) >= 32768);
            } else {
                CHECK(s->getsockopt(SOL_SOCKET, option) == before);
            }
            CHECK(number_of([&] { s->setsockopt(SOL_SOCKET, option, -1); }) == EINVAL);
        }
    }
}

TEST_CASE("setsockopt(): SO_BINDTODEVICE: an interface's name where it means something") {
    scene at;
    socket s = at.server(SOCK_DGRAM);
    const int number = number_of([&] { s.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, "no-such-one"); });
    CHECK((number == ENODEV || number == ENOPROTOOPT));
    CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, 1); }) == EINVAL);
}

TEST_CASE("setsockopt(): SO_LINGER with no time resets at close()") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.setsockopt(SOL_SOCKET, SO_LINGER, 0);
        CHECK(client.getsockopt(SOL_SOCKET, SO_LINGER) == 0);
        client.close();
        CHECK(number_of([&] { server.recv(1); }) == ECONNRESET);
        auto [other, peer] = at.connected();
        peer.setsockopt(SOL_SOCKET, SO_LINGER, as_text(1) + as_text(0));
        peer.close();
        CHECK(number_of([&] { other.recv(1); }) == ECONNRESET);
    });
}

TEST_CASE("setsockopt(): SO_LINGER with a time, or off, delivers") {
    on_both([](scene& at) {
        for (const std::string& value :
             {as_text(1) + as_text(5), as_text(0) + as_text(0), as_text(3)}) {
            auto [server, client] = at.connected();
            client.setsockopt(
                SOL_SOCKET, SO_LINGER, value.size() == 4 ? as_text(1) + as_text(3) : value);
            client.send("delivered");
            client.close();
            CHECK(text_of(server.read()) == "delivered");
        }
        socket s = at.client();
        CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_LINGER, -1); }) == EINVAL);
    });
}

TEST_CASE("setsockopt(): SO_CALLBACK takes a callable, called when there is something to receive") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        std::string got;
        client.settimeout(0);
        client.setsockopt(SOL_SOCKET, SO_CALLBACK, [&](socket& s) {
            const std::optional<bytes> some = s.read(100);
            got += some ? std::string(some->view()) : "";
        });
        at.settle();
        CHECK(got == "");
        server.send("one ");
        CHECK(at.until([&] { return got == "one "; }));
        server.send("two");
        CHECK(at.until([&] { return got == "one two"; }));
        client.setsockopt(SOL_SOCKET, SO_CALLBACK, None);
        server.send("three");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(got == "one two");
        CHECK(client.recv(100) == "three");
    });
}

TEST_CASE(
    "setsockopt(): SO_CALLBACK of a listener is called for a connection, of UDP for a datagram") {
    scene at;
    socket l = at.listener();
    int connections = 0;
    l.settimeout(0);
    l.setsockopt(SOL_SOCKET, SO_CALLBACK, [&](socket& s) {
        connections += number_of([&] { (void)s.accept(); }) == 0 ? 1 : 0;
    });
    socket c = at.client();
    c.connect(l.getsockname());
    CHECK(at.until([&] { return connections == 1; }));
    socket d = at.server_datagrams();
    std::string got;
    d.setsockopt(
        SOL_SOCKET, SO_CALLBACK, [&](socket& s) { got = text_of(s.recv(100, MSG_DONTWAIT)); });
    socket e = at.client_datagrams();
    e.sendto("datagram", d.getsockname());
    CHECK(at.until([&] { return got == "datagram"; }));
}

TEST_CASE("setsockopt(): SO_CALLBACK is called for what was there before it") {
    scene at;
    auto [server, client] = at.connected();
    server.send("early");
    CHECK(at.becomes(client, 5) == 5);
    bool called = false;
    client.setsockopt(SOL_SOCKET, SO_CALLBACK, [&](socket&) { called = true; });
    CHECK_FALSE(called); // from the loop, not from here
    CHECK(at.until([&] { return called; }));
}

TEST_CASE("setsockopt(): the callable of SO_CALLBACK goes with the socket, or with the next one") {
    scene at;
    const auto token = std::make_shared<int>(1);
    socket s = at.client();
    s.setsockopt(SOL_SOCKET, SO_CALLBACK, [token](socket&) {});
    CHECK(token.use_count() == 2);
    s.setsockopt(SOL_SOCKET, SO_CALLBACK, [token](socket&) {});
    CHECK(token.use_count() == 2);
    s.setsockopt(SOL_SOCKET, SO_CALLBACK, None);
    CHECK(token.use_count() == 1);
    s.setsockopt(SOL_SOCKET, SO_CALLBACK, [token](socket&) {});
    s.close();
    CHECK(token.use_count() == 1);
    CHECK(number_of([&] { s.setsockopt(SOL_SOCKET, SO_CALLBACK, [token](socket&) {}); }) == EBADF);
    CHECK(token.use_count() == 1);
}

TEST_CASE("getsockopt(): SO_TYPE, and SO_ERROR 0 on a healthy socket") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(client.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
        CHECK(client.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
        CHECK(at.client().getsockopt(SOL_SOCKET, SO_ERROR) == 0);
        CHECK(at.client(SOCK_DGRAM).getsockopt(SOL_SOCKET, SO_ERROR) == 0);
    });
}

TEST_CASE("getsockopt(): SO_ERROR after a reset tells it once") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(client.getsockopt(SOL_SOCKET, SO_ERROR) == ECONNRESET);
        CHECK(client.getsockopt(SOL_SOCKET, SO_ERROR) == 0);
        CHECK(client.recv(1) == "");
    });
}

// --- settimeout(), setblocking()

TEST_CASE("settimeout(): seconds, fractions kept to 1 ms: 0.0004 is 1 ms, not 0") {
    scene at;
    socket s = at.client();
    const std::pair<double, double> kept[] = {
        {1, 1},       {0.0004, 0.001}, {1e-9, 0.001},   {0.001, 0.001},
        {0.25, 0.25}, {1.5, 1.5},      {0.0015, 0.002},
    };
    for (const auto& [given, told] : kept) {
        s.settimeout(given);
        REQUIRE(s.gettimeout());
        CHECK(*s.gettimeout() == doctest::Approx(told).epsilon(1e-9));
    }
    s.settimeout(1e300);
    CHECK(*s.gettimeout() > 1e8);
}

TEST_CASE("settimeout(): 0.0004 waits for 1 ms") {
    scene at;
    auto [server, client] = at.connected();
    at.settle();
    client.settimeout(0.0004);
    times_out(at, 1ms, [&] { client.recv(1); });
}

TEST_CASE("settimeout(): None blocks, 0 is non-blocking, negative and NaN EINVAL") {
    scene at;
    auto [server, client] = at.connected();
    client.settimeout(0);
    CHECK(client.gettimeout() == 0.0);
    CHECK(number_of([&] { client.recv(1); }) == EAGAIN);
    for (const double wrong :
         {-1.0, -0.0001, std::nan(""), -std::numeric_limits<double>::infinity()}) {
        CHECK(number_of([&] { client.settimeout(wrong); }) == EINVAL);
        CHECK(client.gettimeout() == 0.0);
    }
    client.settimeout(-0.0);
    CHECK(client.gettimeout() == 0.0);
    client.settimeout(None);
    CHECK(client.gettimeout() == std::nullopt);
    CHECK(us_settimeout(client.number(), -2) == -EINVAL);
}

TEST_CASE("setblocking(True) is settimeout(None) and clears an earlier timeout") {
    scene at;
    auto [server, client] = at.connected();
    client.settimeout(at.seconds(at.scaled(100ms)));
    client.setblocking(true);
    CHECK(client.gettimeout() == std::nullopt);
    server.settimeout(0);
    at.later(at.scaled(1s), [&] { server.send("much later"); });
    CHECK(client.recv(100) == "much later");
}

TEST_CASE("setblocking(False) is settimeout(0)") {
    scene at;
    auto [server, client] = at.connected();
    client.settimeout(5);
    client.setblocking(false);
    CHECK(client.gettimeout() == 0.0);
    CHECK(number_of([&] { client.recv(1); }) == EAGAIN);
}

} // namespace
} // namespace contract
