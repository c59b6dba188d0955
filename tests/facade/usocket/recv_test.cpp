// The contract's row recv().
#include "scene.hpp"

namespace contract {
namespace {

TEST_CASE("recv(n): up to n, at least 1") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.send("hello world");
        at.becomes(client, 5);
        CHECK(client.recv(5) == "hello");
        CHECK(client.recv(1) == " ");
        CHECK(client.recv(1000) == "world");
        at.later(at.scaled(100ms), [&] {
            server.settimeout(0);
            server.send("x");
        });
        CHECK(client.recv(1'000'000) == "x");
    });
}

TEST_CASE("recv(n): b\"\" at EOF, for good") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.send("bye");
        server.close();
        CHECK(text_of(client.read()) == "bye");
        for (const std::optional<double> limit : {std::optional<double>(0.0), {5.0}, {}}) {
            client.settimeout(limit);
            CHECK(client.recv(10) == "");
            CHECK(client.recv(10) == "");
        }
    });
}

TEST_CASE("recv(0) is b\"\" at once, recv(-1) EINVAL") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(client.recv(0) == "");
        CHECK(number_of([&] { client.recv(-1); }) == EINVAL);
        CHECK(number_of([&] { client.recv(INT64_MIN); }) == EINVAL);
        server.send("x");
        at.becomes(client, 5);
        CHECK(client.recv(0) == "");
        CHECK(client.recv(1) == "x");
    });
}

TEST_CASE("recv after RST: unread data first, then ECONNRESET once, then b\"\"") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(number_of([&] { client.recv(10); }) == ECONNRESET);
        for (int times = 0; times != 3; ++times) {
            CHECK(client.recv(10) == "");
        }

        auto [sender, receiver] = at.connected();
        sender.send("unread");
        CHECK(at.becomes(receiver, 5) == 5);
        at.settle();
        at.reset(sender);
        CHECK(at.becomes(receiver, 29) == 29);
        CHECK(receiver.recv(3) == "unr");
        CHECK(receiver.recv(10) == "ead");
        CHECK(number_of([&] { receiver.recv(10); }) == ECONNRESET);
        CHECK(receiver.recv(10) == "");
    });
}

TEST_CASE("recv: timeout ETIMEDOUT, not EAGAIN; would block EAGAIN, not b\"\"") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(at.seconds(at.scaled(300ms)));
        times_out(at, at.scaled(300ms), [&] { client.recv(10); });
        client.settimeout(0);
        CHECK(number_of([&] { client.recv(10); }) == EAGAIN);
        client.settimeout(None);
        CHECK(number_of([&] { client.recv(10, MSG_DONTWAIT); }) == EAGAIN);
    });
}

TEST_CASE("recv: connecting, or UDP with nothing queued, EAGAIN when non-blocking") {
    on_both([](scene& at) {
        unanswered u = at.attempt();
        CHECK(number_of([&] { u.client.recv(1); }) == EAGAIN);
        socket d = at.client_datagrams();
        d.settimeout(0);
        CHECK(number_of([&] { d.recv(1); }) == EAGAIN);
        CHECK(number_of([&] { d.recvfrom(1); }) == EAGAIN);
    });
}

TEST_CASE("recv: with a timeout, connecting still: ETIMEDOUT; connected meanwhile it receives") {
    scene at;
    unanswered u = at.attempt();
    u.client.settimeout(at.seconds(at.scaled(300ms)));
    times_out(at, at.scaled(300ms), [&] { u.client.recv(1); });
    socket l = at.listener();
    socket c = at.client();
    c.settimeout(0);
    CHECK(number_of([&] { c.connect(l.getsockname()); }) == EINPROGRESS);
    socket s = l.accept().first;
    s.send("welcome");
    c.settimeout(5);
    CHECK(c.recv(100) == "welcome");
}

TEST_CASE("recv: TCP never connected, or listening, ENOTCONN") {
    on_both([](scene& at) {
        socket c = at.client();
        socket l = at.listener();
        for (const std::optional<double> limit : {std::optional<double>(0.0), {5.0}, {}}) {
            c.settimeout(limit);
            l.settimeout(limit);
            CHECK(number_of([&] { c.recv(1); }) == ENOTCONN);
            CHECK(number_of([&] { c.recvfrom(1); }) == ENOTCONN);
            CHECK(number_of([&] { c.read(1); }) == ENOTCONN);
            CHECK(number_of([&] { c.readline(); }) == ENOTCONN);
            CHECK(number_of([&] { l.recv(1); }) == ENOTCONN);
        }
    });
}

TEST_CASE("recv: refused: the error once, then b\"\"") {
    on_both([](scene& at) {
        std::optional<socket> holder;
        const sockaddr to = at.closed_port(holder);
        socket c = at.client();
        c.settimeout(0);
        CHECK(number_of([&] { c.connect(to); }) == EINPROGRESS);
        CHECK(at.becomes(c, 29) == 29);
        CHECK(number_of([&] { c.recv(1); }) == ECONNREFUSED);
        CHECK(c.recv(1) == "");
    });
}

TEST_CASE("recv: MSG_PEEK leaves what it shows, with MSG_DONTWAIT it does not wait") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(number_of([&] { client.recv(4, MSG_PEEK | MSG_DONTWAIT); }) == EAGAIN);
        server.send("peeked");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(client.recv(3, MSG_PEEK) == "pee");
        CHECK(client.recv(100, MSG_PEEK) == "peeked");
        CHECK(at.mask_of(client) == 5);
        CHECK(client.recv(4) == "peek");
        CHECK(at.mask_of(client) == 5);
        CHECK(client.recv(100, MSG_PEEK) == "ed");
        CHECK(text_of(client.read(2)) == "ed");
        CHECK(at.mask_of(client) == POLLOUT);
        server.close();
        CHECK(client.recv(1, MSG_PEEK) == "");
        CHECK(client.recv(1) == "");
    });
}

TEST_CASE("recv: EOF and not an error after the peer's shutdown") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.shutdown(SHUT_WR);
        CHECK(client.recv(1) == "");
        client.send("one way");
        CHECK(server.recv(100) == "one way");
    });
}

} // namespace
} // namespace contract
