// A socket belongs to the thread that made it. On the host's stack in each configuration: lwIP is
// one thread's.
#include "scene.hpp"

#include <c/usocket.h>

#include <latch>
#include <thread>

namespace contract {
namespace {

#if defined(PARITY_HOST)

TEST_CASE("threads: from another thread every call is EPERM, and none harms the socket") {
    scene at;
    auto [server, client] = at.connected();
    socket d = at.server_datagrams();
    std::thread([&client, &d] {
        std::byte room[4];
        const sockaddr to("127.0.0.1", 9);
        CHECK(number_of([&] { client.send("x"); }) == EPERM);
        CHECK(number_of([&] { client.sendall("x"); }) == EPERM);
        CHECK(number_of([&] { client.write("x"); }) == EPERM);
        CHECK(number_of([&] { client.recv(1); }) == EPERM);
        CHECK(number_of([&] { client.read(1); }) == EPERM);
        CHECK(number_of([&] { client.readinto(room); }) == EPERM);
        CHECK(number_of([&] { client.readline(); }) == EPERM);
        CHECK(number_of([&] { client.accept(); }) == EPERM);
        CHECK(number_of([&] { client.listen(1); }) == EPERM);
        CHECK(number_of([&] { client.bind(to); }) == EPERM);
        CHECK(number_of([&] { client.connect(to); }) == EPERM);
        CHECK(number_of([&] { client.settimeout(1); }) == EPERM);
        CHECK(number_of([&] { client.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1); }) == EPERM);
        CHECK(number_of([&] { client.getsockopt(SOL_SOCKET, SO_ERROR); }) == EPERM);
        CHECK(number_of([&] { client.getsockname(); }) == EPERM);
        CHECK(number_of([&] { client.shutdown(SHUT_WR); }) == EPERM);
        CHECK(number_of([&] { d.recvfrom(1); }) == EPERM);
        CHECK(number_of([&] { d.sendto("x", to); }) == EPERM);
        CHECK(number_of([&] { uselect::poll().register_(client); }) == EPERM);
        CHECK(us_close(client.number()) == -EPERM);
        client.close(); // has no effect
    }).join();
    CHECK(client.fileno() > 0);
    client.send("unharmed");
    CHECK(server.recv(100) == "unharmed");
}

/// A round trip of this thread's own sockets.
void talk_to_oneself(int rounds) {
    socket l;
    l.bind({"127.0.0.1", 0});
    l.listen(1);
    socket c;
    c.connect(l.getsockname());
    socket s = l.accept().first;
    for (int i = 0; i != rounds; ++i) {
        c.send("ping\n");
        CHECK(text_of(s.readline()) == "ping\n");
        s.send("pong\n");
        CHECK(text_of(c.readline()) == "pong\n");
    }
}

TEST_CASE("threads: two threads with two loops each have sockets of their own") {
    scene at;
    std::latch both(2);
    const auto work = [&both] {
        both.arrive_and_wait();
        talk_to_oneself(200);
    };
    std::thread first(work);
    std::thread second(work);
    first.join();
    second.join();
}

TEST_CASE("threads: two threads talk to each other") {
    scene at;
    std::latch listening(1);
    sockaddr where("", 0);
    std::thread serving([&] {
        socket l;
        l.bind({"127.0.0.1", 0});
        l.listen(1);
        where = l.getsockname();
        listening.count_down();
        socket s = l.accept().first;
        while (true) {
            const bytes some = s.recv(1000);
            if (some.empty()) {
                break;
            }
            s.send(some);
        }
    });
    std::thread asking([&] {
        listening.wait();
        socket c;
        c.connect(where);
        for (int i = 0; i != 100; ++i) {
            c.send("echo");
            CHECK(text_of(c.read(4)) == "echo");
        }
    });
    asking.join();
    serving.join();
}

TEST_CASE("threads: a thread that ends with sockets open leaves no descriptor") {
    scene at; // counts them
    std::int64_t number = 0;
    std::optional<socket> kept; // neither is destroyed in its thread
    std::optional<socket> kept_listener;
    std::thread([&] {
        socket l;
        l.bind({"127.0.0.1", 0});
        l.listen(4);
        socket c;
        c.connect(l.getsockname());
        number = c.number();
        kept.emplace(std::move(c));
        kept_listener.emplace(std::move(l));
    }).join();
    CHECK(us_poll(number, US_POLLIN) == US_POLLNVAL);
    CHECK(number_of([&] { kept->recv(1); }) == EBADF);
    CHECK(us_close(number) == 0);
}

#endif

} // namespace
} // namespace contract
