// uselect: poll objects, select(), and any object with a stream ioctl beside sockets.
#include "scene.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> allocations{0};
} // namespace

// Counted, for the tests of what allocates.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* const made = std::malloc(size != 0 ? size : 1)) {
        return made;
    }
    throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size != 0 ? size : 1);
}
void operator delete(void* at) noexcept {
    std::free(at);
}
void operator delete(void* at, std::size_t) noexcept {
    std::free(at);
}

namespace contract {
namespace {

/// A stream of somebody else's: ready for what it was told to be.
class other_stream : public uselect::stream {
  public:
    unsigned holds = 0;
    int asked = 0;
    std::size_t ioctl(unsigned request, std::uintptr_t argument, int* error) noexcept override {
        if (request != stream_poll) {
            *error = EINVAL;
            return stream_error;
        }
        ++asked;
        return holds & static_cast<unsigned>(argument);
    }
};

TEST_CASE("uselect.poll: register() asks for IN and OUT unless told otherwise") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        auto poller = uselect::poll();
        poller.register_(client);
        auto found = poller.poll(0);
        REQUIRE(found.size() == 1);
        CHECK(found[0].is(client));
        CHECK_FALSE(found[0].is(server));
        CHECK(found[0].fileno == client.fileno());
        CHECK(found[0].events == POLLOUT);
        server.send("x");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(poller.poll(0)[0].events == 5);
    });
}

TEST_CASE("uselect.poll: register() again: the new mask counts, and it is there once") {
    scene at;
    auto [server, client] = at.connected();
    auto poller = uselect::poll();
    poller.register_(client, POLLOUT);
    poller.register_(client, POLLIN);
    CHECK(poller.poll(0).empty());
    poller.register_(client, POLLOUT);
    CHECK(poller.poll(0).size() == 1);
    poller.unregister(client);
    CHECK(poller.poll(0).empty());
}

TEST_CASE("uselect.poll: modify(), unknown ENOENT; unregister() of what is unknown has no effect") {
    scene at;
    auto [server, client] = at.connected();
    other_stream file;
    auto poller = uselect::poll();
    CHECK(number_of([&] { poller.modify(client, POLLIN); }) == ENOENT);
    CHECK(number_of([&] { poller.modify(file, POLLIN); }) == ENOENT);
    poller.unregister(client);
    poller.unregister(file);
    poller.register_(client, POLLIN);
    CHECK(poller.poll(0).empty());
    poller.modify(client, POLLOUT);
    CHECK(poller.poll(0).size() == 1);
    poller.unregister(client);
    CHECK(number_of([&] { poller.modify(client, POLLIN); }) == ENOENT);
}

TEST_CASE("uselect.poll: a closed socket cannot be registered: EBADF; one closed later is NVAL") {
    scene at;
    auto [server, client] = at.connected();
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    CHECK(poller.poll(0).empty());
    client.close();
    const auto found = poller.poll(0);
    REQUIRE(found.size() == 1);
    CHECK(found[0].events == POLLNVAL);
    CHECK(found[0].is(client));
    CHECK(number_of([&] { uselect::poll().register_(client); }) == EBADF);
    poller.unregister(client);
    CHECK(poller.poll(0).empty());
}

TEST_CASE("uselect.poll: poll(ms) waits for what comes in time; without end if negative") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.settimeout(0);
        auto poller = uselect::poll();
        poller.register_(client, POLLIN);
        at.later(at.scaled(100ms), [&server] { server.send("x"); });
        CHECK(poller.poll(60'000)[0].events == POLLIN);
        CHECK(client.recv(1) == "x");
        at.later(at.scaled(100ms), [&server] { server.send("y"); });
        CHECK(poller.poll(-1)[0].events == POLLIN);
        CHECK(client.recv(1) == "y");
        CHECK(poller.poll(0).empty());
    });
}

TEST_CASE("uselect.poll: level-triggered: told again while it holds") {
    scene at;
    auto [server, client] = at.connected();
    server.send("xy");
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    for (int times = 0; times != 3; ++times) {
        CHECK(poller.poll(10'000).size() == 1);
    }
    CHECK(at.until([&client] { return client.recv(2, MSG_PEEK) == "xy"; }));
    CHECK(client.recv(1) == "x");
    CHECK(poller.poll(10'000).size() == 1);
    CHECK(client.recv(1) == "y");
    CHECK(poller.poll(0).empty());
}

TEST_CASE("uselect.poll: ERR and HUP whatever was asked for") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        auto poller = uselect::poll();
        poller.register_(client, 0);
        CHECK(poller.poll(0).empty());
        at.reset(server);
        CHECK(poller.poll(60'000)[0].events == (POLLERR | POLLHUP));
    });
}

TEST_CASE("uselect.poll: many sockets: those that are ready, and only those") {
    scene at;
    socket l = at.listener(64);
    std::vector<ends> pairs;
    auto poller = uselect::poll();
    for (int i = 0; i != 20; ++i) {
        socket c = at.client();
        c.connect(l.getsockname());
        pairs.push_back({l.accept().first, std::move(c)});
        poller.register_(pairs.back().client, POLLIN);
    }
    poller.register_(l, POLLIN);
    CHECK(poller.poll(0).empty());
    for (const std::size_t i : std::initializer_list<std::size_t>{3, 7, 19}) {
        pairs[i].server.send("x");
        at.becomes(pairs[i].client, 5);
    }
    CHECK(poller.poll(0).size() == 3);
    for (const uselect::ready& each : poller.ipoll(0)) {
        CHECK((each.is(pairs[3].client) || each.is(pairs[7].client) || each.is(pairs[19].client)));
        CHECK(each.events == POLLIN);
    }
}

TEST_CASE("uselect.poll: ipoll(ms, 1) is one-shot: asks for nothing more until it is modified") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        auto poller = uselect::poll();
        poller.register_(client, POLLOUT);
        const auto count = [&](unsigned flags) {
            std::size_t n = 0;
            for (const uselect::ready& each : poller.ipoll(0, flags)) {
                CHECK(each.is(client));
                CHECK(each.events == POLLOUT);
                ++n;
            }
            return n;
        };
        CHECK(count(0) == 1);
        CHECK(count(0) == 1);
        CHECK(count(1) == 1);
        CHECK(count(1) == 0);
        CHECK(count(0) == 0);
        at.reset(server); // not even errors
        CHECK(at.becomes(client, 29) == 29);
        CHECK(poller.poll(0).empty());
        poller.modify(client, POLLOUT);
        CHECK(poller.poll(0)[0].events == 28);
    });
}

TEST_CASE("uselect.poll: any object with a stream ioctl beside sockets") {
    scene at;
    auto [server, client] = at.connected();
    other_stream file;
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    poller.register_(file);
    CHECK(poller.poll(0).empty());
    CHECK(file.asked > 0);
    file.holds = POLLIN;
    auto found = poller.poll(-1);
    REQUIRE(found.size() == 1);
    CHECK(found[0].is(file));
    CHECK(found[0].fileno == -1);
    CHECK(found[0].events == POLLIN);
    server.send("x");
    CHECK(at.becomes(client, 5) == 5);
    CHECK(poller.poll(-1).size() == 2);
    poller.modify(file, POLLOUT);
    CHECK(poller.poll(0).size() == 1);
    at.later(at.scaled(100ms), [&] { file.holds = POLLOUT; });
    poller.unregister(client);
    CHECK(poller.poll(60'000)[0].is(file)); // it is asked again and again
    poller.unregister(file);
    CHECK(poller.poll(0).empty());
}

TEST_CASE("uselect.poll: streams alone, without any socket") {
    scene at;
    other_stream file;
    auto poller = uselect::poll();
    poller.register_(file, POLLIN);
    CHECK(poller.poll(5).empty());
    file.holds = 5;
    CHECK(poller.poll(5)[0].events == POLLIN);
}

TEST_CASE("uselect.poll: two pollers of one socket both hear of it") {
    scene at;
    auto [server, client] = at.connected();
    auto first = uselect::poll();
    auto second = uselect::poll();
    first.register_(client, POLLIN);
    second.register_(client, POLLIN);
    CHECK(first.poll(0).empty());
    server.send("x");
    CHECK(first.poll(60'000).size() == 1);
    CHECK(second.poll(60'000).size() == 1);
}

TEST_CASE("uselect.select(): readable, writable and exceptional, each in the order given") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        auto [other, peer] = at.connected();
        socket gone = at.client();
        const socket* const all[] = {&peer, &client, &gone};
        const socket* const both[] = {&peer, &client};
        server.send("x");
        CHECK(at.becomes(client, 5) == 5);
        const auto found = uselect::select(both, all, all, 0);
        REQUIRE(found.readable.size() == 1);
        CHECK(found.readable[0].is(client));
        REQUIRE(found.writable.size() == 3);
        CHECK(found.writable[0].is(peer));
        CHECK(found.writable[1].is(client));
        REQUIRE(found.exceptional.size() == 1); // HUP: new
        CHECK(found.exceptional[0].is(gone));
    });
}

TEST_CASE("uselect.select(): waits for `seconds` at most; None without end; negative EINVAL") {
    scene at;
    auto [server, client] = at.connected();
    at.settle();
    const socket* const reading[] = {&client};
    const weft::time_point begun = at.now();
    CHECK(uselect::select(reading, {}, {}, 0.05).readable.empty());
    CHECK(at.now() - begun >= 50ms);
    CHECK((!at.known().virtual_time || at.now() - begun == 50ms));
    server.settimeout(0);
    at.later(at.scaled(100ms), [&server] { server.send("x"); });
    CHECK(uselect::select(reading, {}, {}).readable.size() == 1);
    CHECK(number_of([&] { uselect::select(reading, {}, {}, -1.0); }) == EINVAL);
    client.close();
    CHECK(number_of([&] { uselect::select(reading, {}, {}, 0); }) == EBADF);
}

TEST_CASE("uselect.poll: ipoll() in steady state allocates nothing") {
    scene at;
    auto [server, client] = at.connected();
    server.settimeout(0);
    server.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    client.settimeout(0);
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    std::byte room[16];
    std::size_t in_ipoll = 0;
    for (int times = 0; times != 120; ++times) {
        server.send("ping");
        const std::size_t before = allocations;
        std::size_t found = 0;
        for (const uselect::ready& each : poller.ipoll(20'000)) {
            found += each.events == POLLIN ? 1 : 0;
            CHECK(client.readinto(room).value_or(0) > 0);
        }
        if (times >= 20) {
            in_ipoll += allocations - before;
        }
        CHECK(found == 1);
    }
    CHECK(in_ipoll == 0);
}

/// How many turns a wait of `time` takes, at the idle hook's look after each.
TEST_CASE(
    "waiting sleeps: an idle socket's poll() and recv() take few turns, not one after another") {
    scene at;
    auto [server, client] = at.connected();
    at.pass(at.known().virtual_time ? duration(60s) : duration(300ms));
    int turns = 0;
    thread::here().set_idle_hook(
        [](void* n) {
            ++*static_cast<int*>(n);
            return 0;
        },
        &turns, 1h);
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    CHECK(poller.poll(100).empty());
    client.settimeout(0.1);
    CHECK(number_of([&client] { client.recv(1); }) == ETIMEDOUT);
    thread::here().set_idle_hook(nullptr, nullptr, 1h);
    CHECK(turns >= 2);
    CHECK(turns <= 20); // lwIP's own timers are some of them
}

} // namespace
} // namespace contract
