// What crosses threads in the façade: the table of handles, and nothing else. Two threads with two
// loops each have sockets of their own.
#include "c/usocket.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace {

struct pair {
    us_socket listener;
    us_socket client;
    us_socket server;
};

pair connected() {
    pair made{};
    us_address at{};
    us_address_set(&at, US_AF_INET, "127.0.0.1", 9, 0, 0, 0);
    made.listener = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    us_bind(made.listener, &at);
    us_listen(made.listener, 5);
    us_getsockname(made.listener, &at);
    made.client = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    us_connect(made.client, &at);
    made.server = us_accept(made.listener, nullptr);
    return made;
}

/// How many of `rounds` questions came back.
int talk(int rounds) {
    int good = 0;
    for (int i = 0; i != rounds; ++i) {
        const pair p = connected();
        char room[4];
        const bool sent = us_send(p.client, "ping", 4, 0) == 4;
        good += sent && us_read(p.server, room, 4) == 4 && std::memcmp(room, "ping", 4) == 0;
        us_close(p.client);
        us_close(p.server);
        us_close(p.listener);
    }
    return good;
}

} // namespace

TEST_CASE("two threads with two loops each open, talk and close at the same time") {
    constexpr int rounds = 200;
    std::vector<int> good(3);
    std::vector<std::thread> threads;
    for (int& each : good) {
        threads.emplace_back([&each] { each = talk(rounds); });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    CHECK(good == std::vector<int>(3, rounds));
}

TEST_CASE(
    "another thread's handle is EPERM while it is open, EBADF after, and never somebody else's") {
    std::atomic<us_socket> shown{0};
    std::atomic<bool> ended{false};
    std::thread owner([&] {
        for (int i = 0; i != 2000; ++i) {
            const us_socket mine = us_open(US_AF_INET, US_SOCK_DGRAM, 0);
            shown.store(mine);
            us_close(mine);
        }
        ended.store(true);
    });
    int wrong = 0;
    int tries = 0;
    while (!ended.load() || tries == 0) {
        char byte = 0;
        const us_socket theirs = shown.load();
        const auto received = us_recv(theirs, &byte, 1, 0);
        wrong += received != -1 && received != -9;
        const int closed = us_close(theirs); // 0: it was closed already
        wrong += closed != -1 && closed != -9 && closed != 0;
        const unsigned polled = us_poll(theirs, US_POLLIN);
        wrong += polled != US_POLLNVAL;
        ++tries;
    }
    owner.join();
    CHECK(wrong == 0);
}

TEST_CASE("a thread that ends closes its sockets: the peer sees the end, the handles are EBADF") {
    us_address at{};
    us_address_set(&at, US_AF_INET, "127.0.0.1", 9, 0, 0, 0);
    const us_socket listener = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    REQUIRE(us_bind(listener, &at) == 0);
    REQUIRE(us_listen(listener, 5) == 0);
    REQUIRE(us_getsockname(listener, &at) == 0);
    us_socket forgotten = 0;
    std::thread([&] {
        forgotten = us_open(US_AF_INET, US_SOCK_STREAM, 0);
        us_connect(forgotten, &at);
        us_send(forgotten, "last", 4, 0);
    }).join();
    const us_socket server = us_accept(listener, nullptr);
    REQUIRE(server > 0);
    char room[8];
    CHECK(us_read(server, room, sizeof room) == 4);
    CHECK(us_read(server, room, sizeof room) == 0);
    CHECK(us_recv(forgotten, room, 1, 0) == -9);
    us_close(server);
    us_close(listener);
}
