// Timeouts are measured over the whole call, by a monotonic clock.
#include "scene.hpp"

#include <c/usocket.h>

namespace contract {
namespace {

/// Sends one byte each `gap` for ever, from inside the loop.
void drip(scene& at, socket& from, duration gap) {
    at.later(gap, [&at, &from, gap] {
        if (number_of([&] { from.send("x"); }) == 0) {
            drip(at, from, gap);
        }
    });
}

/// A connection whose server sends a byte every 900 ms against a timeout of 1 s.
struct dripping {
    explicit dripping(scene& in) : at(in), pair(in.connected()), limit(in.scaled(1s)) {
        pair.server.settimeout(0);
        pair.server.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
        pair.client.settimeout(at.seconds(limit));
        at.settle();
        drip(at, pair.server, at.scaled(900ms));
    }
    scene& at;
    ends pair;
    duration limit;
};

TEST_CASE("a byte each 900 ms does not keep read(1000) with a 1 s timeout alive") {
    on_both([](scene& at) {
        dripping d(at);
        times_out(at, d.limit, [&] { d.pair.client.read(1000); });
        d.pair.client.settimeout(20);
        CHECK(d.pair.client.recv(1000).size() >= 1); // kept
    });
}
TEST_CASE("a byte each 900 ms does not keep read() with a 1 s timeout alive") {
    scene at;
    dripping d(at);
    times_out(at, d.limit, [&] { d.pair.client.read(); });
    d.pair.client.settimeout(20);
    CHECK(d.pair.client.recv(1000).size() >= 1);
}
TEST_CASE("a byte each 900 ms does not keep readinto() with a 1 s timeout alive") {
    scene at;
    dripping d(at);
    std::byte room[1000];
    times_out(at, d.limit, [&] { d.pair.client.readinto(room); });
    d.pair.client.settimeout(20);
    CHECK(d.pair.client.recv(1000).size() >= 1);
}
TEST_CASE("a byte each 900 ms does not keep readline() with a 1 s timeout alive") {
    scene at;
    dripping d(at);
    times_out(at, d.limit, [&] { d.pair.client.readline(); });
    d.pair.client.settimeout(20);
    CHECK(d.pair.client.recv(1000).size() >= 1);
}

TEST_CASE("a peer that takes a little each 900 ms does not keep write() with a 1 s timeout alive") {
    scene at;
    auto [server, client] = at.connected();
    at.fill_up(client);
    server.settimeout(0);
    std::function<void()> sip = [&] {
        (void)server.read(3000);
        at.later(at.scaled(900ms), sip);
    };
    at.later(at.scaled(900ms), sip);
    client.settimeout(at.seconds(at.scaled(1s)));
    const auto& all = at.plenty();
    times_out(at, at.scaled(1s), [&] { client.write(all); });
    times_out(at, at.scaled(1s), [&] { client.sendall(all); });
}

/// Each call with timeout t ends not before t, and in virtual time exactly at t.
template <class F>
void ends_in_time(scene& at, socket& s, F call) {
    for (const auto t : {duration(40ms), duration(1s), duration(2'345ms)}) {
        s.settimeout(at.seconds(at.scaled(t)));
        // settimeout() keeps whole milliseconds, rounded up
        const auto kept = std::chrono::ceil<std::chrono::milliseconds>(at.scaled(t));
        times_out(at, kept, call);
    }
}

TEST_CASE("timeout of accept(): not before t; in virtual time exactly at t") {
    scene at;
    socket l = at.listener();
    ends_in_time(at, l, [&] { l.accept(); });
}
TEST_CASE("timeout of connect(): not before t; in virtual time exactly at t") {
    scene at;
    unanswered u = at.attempt();
    socket c = at.client();
    ends_in_time(at, c, [&] { c.connect(u.listener.getsockname()); });
}
TEST_CASE("timeout of recv(): not before t; in virtual time exactly at t") {
    scene at;
    auto [server, client] = at.connected();
    ends_in_time(at, client, [&] { client.recv(1); });
    ends_in_time(at, client, [&] { client.recv(1, MSG_PEEK); });
}
TEST_CASE("timeout of recvfrom(): not before t; in virtual time exactly at t") {
    scene at;
    socket d = at.server_datagrams();
    ends_in_time(at, d, [&] { d.recvfrom(1); });
    ends_in_time(at, d, [&] { d.recvfrom(1, MSG_PEEK); });
    ends_in_time(at, d, [&] { d.recv(1); });
}
TEST_CASE("timeout of read(): not before t; in virtual time exactly at t") {
    scene at;
    auto [server, client] = at.connected();
    ends_in_time(at, client, [&] { client.read(1); });
    ends_in_time(at, client, [&] { client.read(); });
}
TEST_CASE("timeout of readinto(): not before t; in virtual time exactly at t") {
    scene at;
    auto [server, client] = at.connected();
    std::byte room[8];
    ends_in_time(at, client, [&] { client.readinto(room); });
}
TEST_CASE("timeout of readline(): not before t; in virtual time exactly at t") {
    scene at;
    auto [server, client] = at.connected();
    ends_in_time(at, client, [&] { client.readline(); });
}
TEST_CASE("timeout of sendall() and write(): not before t; in virtual time exactly at t") {
    scene at;
    auto [server, client] = at.connected();
    at.fill_up(client);
    const auto& all = at.plenty();
    ends_in_time(at, client, [&] { client.sendall(all); });
    ends_in_time(at, client, [&] { client.write(all); });
}
TEST_CASE("timeout of poll(): not before t; in virtual time exactly at t") {
    scene at;
    auto [server, client] = at.connected();
    at.settle();
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    for (const std::int64_t milliseconds : {0, 1, 40, 117}) {
        const weft::time_point begun = at.now();
        CHECK(poller.poll(milliseconds).empty());
        CHECK(poller.ipoll(milliseconds).begin() == std::default_sentinel);
        const duration took = at.now() - begun;
        CHECK(took >= 2 * std::chrono::milliseconds(milliseconds));
        CHECK((!at.known().virtual_time || took == 2 * std::chrono::milliseconds(milliseconds)));
    }
}

TEST_CASE(
    "a timeout set from inside the loop counts for the next call, not for the one under way") {
    scene at;
    auto [server, client] = at.connected();
    server.settimeout(0);
    client.settimeout(20);
    at.later(at.scaled(100ms), [&] { client.settimeout(0.001); });
    at.later(at.scaled(600ms), [&] { server.send("x"); });
    CHECK(client.recv(1) == "x");
    CHECK(number_of([&] { client.recv(1); }) == ETIMEDOUT);
}

TEST_CASE("getaddrinfo() has a deadline: EAI_AGAIN when nobody answers in time") {
    if (!here().known().names_go_unanswered) {
        skip("its name server is the machine's");
        return;
    }
    scene at;
    const weft::time_point begun = at.now();
    CHECK(number_of([] { getaddrinfo("www.micropython.org", 80, 0, 0, 0, 0, 1500ms); }) == -3);
    CHECK(at.now() - begun == 1500ms);
    us_addrinfo found[2];
    CHECK(us_getaddrinfo("a.b", 3, nullptr, 80, 0, 0, 0, 0, 700, found, 2) == -1003);
    CHECK(at.now() - begun == 2200ms);
    CHECK(number_of([] { getaddrinfo("www.micropython.org", 80); }) == -3); // its own default
}

} // namespace
} // namespace contract
