// The contract's row sendto() / recvfrom().
#include "scene.hpp"

#include <set>

namespace contract {
namespace {

TEST_CASE("sendto(), recvfrom(): a datagram and where it comes from") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        CHECK(c.sendto("ping", s.getsockname()) == 4);
        auto [data, from] = s.recvfrom(100);
        CHECK(data == "ping");
        CHECK(from == c.getsockname());
        CHECK(s.sendto("pong", from) == 4);
        CHECK(c.recv(100) == "pong");
    });
}

TEST_CASE("recvfrom(): datagram boundaries are kept, a longer datagram is cut to n") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        for (const char* each : {"first", "second", "third"}) {
            c.sendto(each, s.getsockname());
        }
        CHECK(s.recvfrom(3).first == "fir");
        CHECK(s.recvfrom(1000).first == "second");
        CHECK(s.recv(1000) == "third");
    });
}

TEST_CASE("recvfrom(): empty datagrams are real") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        CHECK(c.sendto("", s.getsockname()) == 0);
        CHECK(c.sendto("after it", s.getsockname()) == 8);
        CHECK(at.becomes(s, 5) == 5);
        auto [data, from] = s.recvfrom(100);
        CHECK(data == "");
        CHECK(from == c.getsockname());
        CHECK(s.recv(100) == "after it");
        s.settimeout(0);
        CHECK(number_of([&] { s.recv(1); }) == EAGAIN); // unlike "", nothing is EAGAIN
    });
}

TEST_CASE("sendto(): too long EMSGSIZE, and nothing is sent") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        CHECK(number_of([&] { c.sendto(known_bytes(0, 65536), s.getsockname()); }) == EMSGSIZE);
        CHECK(number_of([&] { c.sendto(known_bytes(0, 100'000), s.getsockname()); }) == EMSGSIZE);
        c.sendto("short", s.getsockname());
        CHECK(s.recv(100) == "short");
    });
}

TEST_CASE("sendto(): a datagram of several fragments arrives whole") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        CHECK(c.sendto(known_bytes(0, 4000), s.getsockname()) == 4000);
        const bytes got = s.recv(65536);
        CHECK(got.size() == 4000);
        CHECK(parity::agreeing(got.span(), 0) == 4000);
    });
}

TEST_CASE("recvfrom() on TCP gives the peer") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.send("stream");
        auto [data, from] = server.recvfrom(100);
        CHECK(data == "stream");
        CHECK(from == client.getsockname());
    });
}

TEST_CASE("sendto() on connected TCP sends to the peer") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(client.sendto("to whom else", server.getsockname()) == 12);
        CHECK(server.recv(100) == "to whom else");
    });
}

TEST_CASE("UDP: connect() fixes the peer: send() goes there, others' datagrams are not received") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        socket stranger = at.client_datagrams();
        s.connect(c.getsockname());
        CHECK(s.getpeername() == c.getsockname());
        stranger.sendto("from a stranger", s.getsockname());
        c.sendto("from the peer", s.getsockname());
        CHECK(s.recv(100) == "from the peer");
        s.settimeout(0);
        at.settle();
        CHECK(number_of([&] { s.recv(100); }) == EAGAIN);
        CHECK(s.send("answer") == 6);
        CHECK(c.recv(100) == "answer");
    });
}

TEST_CASE("UDP: recvfrom() with a timeout ETIMEDOUT; it waits for what comes in time") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        const sockaddr to = s.getsockname();
        s.settimeout(at.seconds(at.scaled(400ms)));
        times_out(at, at.scaled(400ms), [&] { s.recvfrom(10); });
        c.settimeout(0);
        s.settimeout(20);
        at.later(at.scaled(100ms), [&] { c.sendto("in time", to); });
        CHECK(s.recvfrom(10).first == "in time");
    });
}

TEST_CASE("UDP: a peer that is not there: ECONNREFUSED once, then the socket goes on") {
    on_both([](scene& at) {
        socket gone = at.server_datagrams();
        const sockaddr to = gone.getsockname();
        gone.close();
        socket c = at.client(SOCK_DGRAM);
        c.connect(to);
        c.send("anybody?");
        CHECK(at.becomes(c, 12) == 12);
        c.settimeout(0);
        CHECK(number_of([&] { c.recv(10); }) == ECONNREFUSED);
        CHECK(number_of([&] { c.recv(10); }) == EAGAIN);
        CHECK(at.mask_of(c) == POLLOUT);
    });
}

TEST_CASE("UDP: MSG_PEEK shows a datagram and leaves it whole") {
    on_both([](scene& at) {
        socket s = at.server_datagrams();
        socket c = at.client_datagrams();
        c.sendto("one", s.getsockname());
        c.sendto("two", s.getsockname());
        CHECK(s.recv(2, MSG_PEEK) == "on");
        auto [shown, from] = s.recvfrom(100, MSG_PEEK);
        CHECK(shown == "one");
        CHECK(from == c.getsockname());
        CHECK(at.mask_of(s) == 5);
        CHECK(s.recvfrom(2).first == "on"); // cut, and the rest is gone
        CHECK(s.recv(100) == "two");
        s.settimeout(None);
        CHECK(number_of([&] { s.recv(1, MSG_DONTWAIT); }) == EAGAIN);
    });
}

TEST_CASE("UDP: an empty datagram that was peeked at is taken once") {
    scene at;
    socket s = at.server_datagrams();
    socket c = at.client_datagrams();
    c.sendto("", s.getsockname());
    CHECK(s.recv(10, MSG_PEEK) == "");
    CHECK(at.mask_of(s) == 5);
    CHECK(s.recv(10) == "");
    s.settimeout(0);
    CHECK(number_of([&] { s.recv(10); }) == EAGAIN);
}

TEST_CASE("UDP: a burst of 10, of 30 datagrams is kept") {
    on_both([](scene& at) {
        for (const int burst : {10, 30}) {
            socket s = at.server_datagrams();
            socket c = at.client_datagrams();
            for (int i = 0; i != burst; ++i) {
                c.sendto(std::to_string(i), s.getsockname());
            }
            at.settle();
            s.settimeout(20);
            std::set<std::string> got;
            for (int i = 0; i != burst; ++i) {
                got.insert(text_of(s.recv(100)));
            }
            CHECK(got.size() == static_cast<std::size_t>(burst));
        }
    });
}

TEST_CASE("UDP: read(), readinto() and write() are one datagram; None where there is none") {
    scene at;
    socket s = at.server_datagrams();
    socket c = at.client(SOCK_DGRAM);
    c.connect(s.getsockname());
    CHECK(c.write("one") == 3);
    CHECK(c.write("two") == 3);
    CHECK(text_of(s.read(100)) == "one");
    std::byte room[100];
    CHECK(s.readinto(room) == 3);
    s.settimeout(0);
    CHECK(s.read(100) == std::nullopt);
    CHECK(s.readinto(room) == std::nullopt);
}

TEST_CASE("UDP: multicast membership: a member receives, one that left does not") {
    if (!here().known().isolated) {
        skip("this machine's own network");
        return;
    }
    scene at;
    socket s = at.server(SOCK_DGRAM);
    s.bind({"224.1.2.3", 0});
    socket c = at.client_datagrams();
    const std::string mreq = std::string(inet_pton(AF_INET, "224.1.2.3").view()) +
                             std::string(inet_pton(AF_INET, at.server_host()).view());
    s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq);
    s.settimeout(20);
    c.sendto("to the group", s.getsockname());
    auto [data, from] = s.recvfrom(100);
    CHECK(data == "to the group");
    CHECK(from == c.getsockname());
    s.setsockopt(IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq);
    c.sendto("to the group", s.getsockname());
    at.settle();
    s.settimeout(0);
    CHECK(number_of([&] { s.recv(100); }) == EAGAIN);
}

TEST_CASE("multicast membership: twice EADDRINUSE, leaving twice EADDRNOTAVAIL, closing leaves") {
    if (!here().known().isolated) {
        skip("this machine's own network");
        return;
    }
    scene at;
    const std::string mreq = std::string(inet_pton(AF_INET, "224.1.2.4").view()) +
                             std::string(inet_pton(AF_INET, at.server_host()).view());
    for (int times = 0; times != 2; ++times) {
        socket s = at.server(SOCK_DGRAM);
        socket other = at.server(SOCK_DGRAM);
        s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq);
        CHECK(number_of([&] { s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq); }) == EADDRINUSE);
        CHECK(number_of([&] {
                  other.setsockopt(IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq);
              }) == EADDRNOTAVAIL);
        other.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq);
        s.setsockopt(IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq);
        CHECK(number_of([&] {
                  s.setsockopt(IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq);
              }) == EADDRNOTAVAIL);
    }
}

TEST_CASE("multicast membership: not an address of a group, a wrong length, a stream") {
    scene at;
    socket s = at.server(SOCK_DGRAM);
    const std::string own(inet_pton(AF_INET, at.server_host()).view());
    const std::string group(inet_pton(AF_INET, "224.1.2.3").view());
    CHECK(number_of([&] { s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, own + own); }) == EINVAL);
    CHECK(number_of([&] { s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, group); }) == EINVAL);
    CHECK(number_of([&] {
              s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, group + own + "x");
          }) == EINVAL);
    CHECK(number_of([&] { s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, 1); }) == EINVAL);
    socket stream = at.server();
    CHECK(number_of([&] {
              stream.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, group + own);
          }) == ENOPROTOOPT);
}

} // namespace
} // namespace contract
