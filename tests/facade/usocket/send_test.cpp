// The contract's rows send() and sendall().
#include "scene.hpp"

#include <algorithm>

namespace contract {
namespace {

/// Reads and compares `size` bytes of the known sequence; how many agreed.
std::size_t read_known(socket& from, std::size_t size) {
    std::size_t at = 0;
    while (at != size) {
        const bytes got =
            from.recv(static_cast<std::int64_t>(std::min<std::size_t>(size - at, 65536)));
        if (got.empty() || parity::agreeing(got.span(), at) != got.size()) {
            break;
        }
        at += got.size();
    }
    return at;
}

/// Takes what the peer sends, from inside the loop, until `got` has reached `size`.
void drain_soon(scene& at, socket& from, std::size_t& got, std::size_t size) {
    from.settimeout(0);
    at.later(at.known().virtual_time ? duration(20ms) : duration(200us), [&at, &from, &got, size] {
        std::optional<bytes> some = from.read(1 << 20);
        if (some) {
            CHECK(parity::agreeing(some->span(), got) == some->size());
            got += some->size();
        }
        if (got != size) {
            drain_soon(at, from, got, size);
        }
    });
}

TEST_CASE("send(): blocking it takes all, however slowly the peer reads") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        constexpr std::size_t size = 3'000'000;
        const auto all = known_bytes(0, size);
        std::size_t got = 0;
        drain_soon(at, server, got, size);
        CHECK(client.send(all) == size);
        CHECK(at.until([&] { return got == size; }));
    });
}

TEST_CASE("send(): with a timeout all, or the count taken when it struck") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        const auto& all = at.plenty();
        const duration limit = at.scaled(2s);
        client.settimeout(at.seconds(limit));
        const weft::time_point begun = at.now();
        const std::size_t taken = client.send(all);
        CHECK(taken > 0);
        CHECK(taken < all.size());
        CHECK(at.now() - begun >= limit);
        server.settimeout(None);
        CHECK(read_known(server, taken) == taken); // exactly those
        CHECK(client.send("x") == 1);
        CHECK(server.recv(10) == "x");
    });
}

TEST_CASE("send(): with a timeout and nothing taken ETIMEDOUT") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        std::size_t taken = at.fill_up(client);
        const duration limit = at.scaled(600ms);
        client.settimeout(at.seconds(limit));
        int number = 0;
        for (int tries = 0; tries != 100 && number == 0; ++tries) { // a kernel's buffer may grow
            const weft::time_point begun = at.now();
            number = number_of([&] { taken += client.send(known_bytes(taken, 65536)); });
            CHECK((number == 0 || at.now() - begun >= limit));
            CHECK((number == 0 || !at.known().virtual_time || at.now() - begun == limit));
        }
        CHECK(number == ETIMEDOUT);
        CHECK(read_known(server, taken) == taken);
    });
}

TEST_CASE("send(): non-blocking 1..len, or EAGAIN") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(0);
        const auto& all = at.plenty();
        const std::size_t some = client.send(all);
        CHECK(some >= 1);
        CHECK(some < all.size());
        std::size_t taken = at.fill_up(client, some);
        int number = 0;
        for (int tries = 0; tries != 100 && number == 0; ++tries) { // a kernel's buffer may grow
            number = number_of([&] { taken += client.send(known_bytes(taken, 1)); });
        }
        CHECK(number == EAGAIN);
        CHECK(read_known(server, taken) == taken);
    });
}

TEST_CASE("send(): connecting EAGAIN") {
    on_both([](scene& at) {
        unanswered u = at.attempt();
        CHECK(number_of([&] { u.client.send("x"); }) == EAGAIN);
        CHECK(number_of([&] { u.client.sendall("x"); }) == EAGAIN);
        CHECK(u.client.write("x") == std::nullopt);
    });
}

TEST_CASE("send(): with a timeout, connecting still: it waits for the connection, then sends") {
    scene at;
    socket l = at.listener();
    socket c = at.client();
    c.settimeout(0);
    CHECK(number_of([&] { c.connect(l.getsockname()); }) == EINPROGRESS);
    c.settimeout(5);
    CHECK(c.send("first") == 5);
    CHECK(l.accept().first.recv(10) == "first");
}

TEST_CASE("send(): TCP not connected ENOTCONN") {
    on_both([](scene& at) {
        socket c = at.client();
        CHECK(number_of([&] { c.send("x"); }) == ENOTCONN);
        CHECK(number_of([&] { c.sendall("x"); }) == ENOTCONN);
        CHECK(number_of([&] { c.write("x"); }) == ENOTCONN);
        CHECK(number_of([&] { c.sendto("x", at.server_at(9)); }) == ENOTCONN);
        c.settimeout(0);
        CHECK(number_of([&] { c.send("x"); }) == ENOTCONN);
        socket l = at.listener();
        CHECK(number_of([&] { l.send("x"); }) == ENOTCONN);
    });
}

TEST_CASE("send(): UDP without a peer EDESTADDRREQ") {
    on_both([](scene& at) {
        socket d = at.client(SOCK_DGRAM);
        CHECK(number_of([&] { d.send("x"); }) == EDESTADDRREQ);
        CHECK(number_of([&] { d.sendall("x"); }) == EDESTADDRREQ);
        CHECK(number_of([&] { d.write("x"); }) == EDESTADDRREQ);
    });
}

TEST_CASE("send(): peer gone ECONNRESET once, then EPIPE; nothing crashes") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(number_of([&] { client.send("x"); }) == ECONNRESET);
        for (int times = 0; times != 5; ++times) {
            CHECK(number_of([&] { client.send("x"); }) == EPIPE);
            CHECK(number_of([&] { client.sendall("x"); }) == EPIPE);
            CHECK(number_of([&] { client.write("x"); }) == EPIPE);
        }
    });
}

TEST_CASE("send(): str is sent as UTF-8 and the count is bytes") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(client.send("套接字") == 9);
        CHECK(client.write("é") == 2);
        CHECK(text_of(server.read(11)) == "套接字é");
    });
}

TEST_CASE("send(): no bytes 0") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(client.send("") == 0);
        client.sendall("");
        CHECK(client.write("") == 0);
        client.settimeout(0);
        CHECK(client.send("") == 0);
    });
}

TEST_CASE("send(): MSG_DONTWAIT does not wait") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        at.fill_up(client);
        client.settimeout(None);
        const auto many = known_bytes(0, 65536);
        int number = 0;
        for (int tries = 0; tries != 10'000 && number == 0; ++tries) { // a kernel's buffer may grow
            number = number_of([&] { client.send(many, MSG_DONTWAIT); });
        }
        CHECK(number == EAGAIN);
    });
}

// --- sendall()

TEST_CASE("sendall(): all, however slowly the peer reads") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        constexpr std::size_t size = 2'000'000;
        std::size_t got = 0;
        drain_soon(at, server, got, size);
        client.sendall(known_bytes(0, size));
        CHECK(at.until([&] { return got == size; }));
    });
}

TEST_CASE("sendall(): the timeout spans the call, and its error tells how many were taken") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        const auto& all = at.plenty();
        const duration limit = at.scaled(2s);
        client.settimeout(at.seconds(limit));
        std::size_t taken = 0;
        times_out(at, limit, [&] {
            try {
                client.sendall(all);
            } catch (const OSError& error) {
                taken = error.count();
                throw;
            }
        });
        CHECK(taken > 0);
        CHECK(taken < all.size());
        CHECK(read_known(server, taken) == taken);
        server.settimeout(0);
        at.settle();
        CHECK(number_of([&] { server.recv(1); }) == EAGAIN); // and no more than those
    });
}

TEST_CASE("sendall(): non-blocking EAGAIN before anything is sent if not all fits") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(0);
        CHECK(number_of([&] { client.sendall(at.plenty()); }) == EAGAIN);
        client.sendall("fits");
        server.settimeout(None);
        CHECK(server.recv(100) == "fits");
    });
}

TEST_CASE("sendall(): UDP one datagram") {
    on_both([](scene& at) {
        socket d = at.server_datagrams();
        socket e = at.client(SOCK_DGRAM);
        e.connect(d.getsockname());
        e.sendall("one");
        CHECK(d.recv(10) == "one");
    });
}

} // namespace
} // namespace contract
