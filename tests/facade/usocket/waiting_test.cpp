// What may happen while a call waits: the idle hook (EINTR), closing, calls from inside the loop.
#include "scene.hpp"

#include <c/usocket.h>

#include <weft/sync_wait.hpp>

#include <cstring>

namespace contract {
namespace {

/// An idle hook that interrupts at its third look, while it lives.
class interrupting {
  public:
    interrupting() {
        CHECK(
            us_set_idle(
                [](void* self) { return ++static_cast<interrupting*>(self)->looks == 3 ? 1 : 0; },
                this, 1) == 0);
    }
    interrupting(const interrupting&) = delete;
    interrupting& operator=(const interrupting&) = delete;
    ~interrupting() { us_set_idle(nullptr, nullptr, 1); }
    int looks = 0;
};

TEST_CASE("the idle hook interrupts each blocking call: EINTR, nothing lost") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        socket l = at.listener();
        socket d = at.server_datagrams();
        std::byte room[8];
        const auto interrupted = [](auto call) {
            const interrupting now;
            CHECK(number_of(call) == EINTR);
            CHECK(now.looks == 3);
        };
        interrupted([&] { l.accept(); });
        interrupted([&] { client.recv(1); });
        interrupted([&] { client.recv(1, MSG_PEEK); });
        interrupted([&] { client.recvfrom(1); });
        interrupted([&] { client.read(1); });
        interrupted([&] { client.read(); });
        interrupted([&] { client.readinto(room); });
        interrupted([&] { client.readline(); });
        interrupted([&] { d.recvfrom(1); });
        interrupted([&] { d.recv(1); });
        auto poller = uselect::poll();
        poller.register_(client, POLLIN);
        interrupted([&] { poller.poll(); });
        interrupted([&] { poller.ipoll(); });
        const socket* const reading[] = {&client};
        interrupted([&] { uselect::select(reading, {}, {}); });

        socket c = at.client();
        c.connect(l.getsockname()); // and all goes on afterwards
        (void)l.accept();
        server.send("nothing lost\n");
        CHECK(text_of(client.readline()) == "nothing lost\n");
    });
}

TEST_CASE("the idle hook interrupts connect(): EINTR, and no pcb is left") {
    on_both([](scene& at) {
        unanswered u = at.attempt();
        const std::size_t before = at.w.open_sockets();
        {
            socket c = at.client();
            const interrupting now;
            CHECK(number_of([&] { c.connect(u.listener.getsockname()); }) == EINTR);
        }
        CHECK(at.until([&] { return at.w.open_sockets() == before; }));
    });
}

TEST_CASE("the idle hook interrupts sendall() and write(): EINTR with the count") {
    scene at;
    auto [server, client] = at.connected();
    at.fill_up(client);
    client.settimeout(None);
    const auto& all = at.plenty();
    const interrupting now;
    CHECK(number_of([&] { client.sendall(all); }) == EINTR);
}

TEST_CASE("the idle hook: an interval that is not positive EINVAL") {
    CHECK(us_set_idle([](void*) { return 0; }, nullptr, 0) == -EINVAL);
    CHECK(us_set_idle([](void*) { return 0; }, nullptr, -1) == -EINVAL);
    CHECK(us_set_idle(nullptr, nullptr, 0) == 0);
}

TEST_CASE("the idle hook is called at least each interval while a call waits") {
    scene at;
    auto [server, client] = at.connected();
    int looks = 0;
    us_set_idle(
        [](void* n) {
            ++*static_cast<int*>(n);
            return 0;
        },
        &looks, 10);
    client.settimeout(0.1);
    CHECK(number_of([&] { client.recv(1); }) == ETIMEDOUT);
    us_set_idle(nullptr, nullptr, 1);
    CHECK(looks >= (at.known().virtual_time ? 10 : 1)); // a busy machine sleeps longer
}

// --- EDEADLK

weft::task<> call_from_inside(std::function<void()> what) {
    what();
    co_return;
}

/// From a coroutine of the loop: EDEADLK, and its message names what to await instead.
template <class F>
void deadlocks(scene& at, std::string_view instead, F call) {
    int number = 0;
    std::string told;
    (void)weft::sync_wait(at.w.home(), call_from_inside([&] {
                              try {
                                  call();
                              } catch (const OSError& error) {
                                  number = error.args[0];
                                  told = error.what();
                              }
                          }));
    CHECK(number == EDEADLK);
    INFO(told);
    CHECK(told.find(instead) != std::string::npos);
    CHECK(told.find("co_await") != std::string::npos);
}

TEST_CASE("EDEADLK: a call that would wait, from a coroutine of its loop; the message names the "
          "awaitable") {
    scene at;
    auto [server, client] = at.connected();
    socket l = at.listener();
    socket c = at.client();
    socket d = at.server_datagrams();
    std::byte room[8];
    deadlocks(at, "tcp_listener::accept", [&] { l.accept(); });
    deadlocks(at, "stack::connect", [&] { c.connect(l.getsockname()); });
    deadlocks(at, "tcp_stream::recv", [&] { client.recv(1); });
    deadlocks(at, "tcp_stream::read_exactly", [&] { client.read(1); });
    deadlocks(at, "tcp_stream::read_exactly", [&] { client.readinto(room); });
    deadlocks(at, "tcp_stream::recv", [&] { client.readline(); });
    deadlocks(at, "tcp_stream::send_all", [&] { client.send("x"); });
    deadlocks(at, "tcp_stream::send_all", [&] { client.sendall("x"); });
    deadlocks(at, "tcp_stream::send_all", [&] { client.write("x"); });
    deadlocks(at, "udp_socket::recv_from", [&] { d.recvfrom(1); });
    deadlocks(at, "udp_socket::send_to", [&] { d.sendto("x", at.client_at(9)); });
    deadlocks(at, "getaddrinfo_async", [&] { getaddrinfo("a.name", 80); });
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    deadlocks(at, "readable", [&] { poller.poll(10); });
    client.settimeout(5);
    deadlocks(at, "tcp_stream::recv", [&] { client.recv(1); });
    CHECK(us_step(0) == 0);
    int step = 0;
    (void)weft::sync_wait(at.w.home(), call_from_inside([&] { step = us_step(0); }));
    CHECK(step == -EDEADLK);
    CHECK(client.send("x") == 1); // all is well outside
    CHECK(server.recv(1) == "x");
}

TEST_CASE("EDEADLK: not for calls that never wait") {
    scene at;
    auto [server, client] = at.connected();
    client.settimeout(0);
    int sent = -1;
    int received = -1;
    bool empty = false;
    auto poller = uselect::poll();
    poller.register_(client, POLLIN);
    (void)weft::sync_wait(at.w.home(), call_from_inside([&] {
                              sent = number_of([&] { client.send("x"); });
                              received = number_of([&] { client.recv(1); });
                              empty = poller.poll(0).empty();
                              (void)getaddrinfo("127.0.0.1", 80);
                          }));
    CHECK(sent == 0);
    CHECK(received == EAGAIN);
    CHECK(empty);
    CHECK(server.recv(1) == "x");
}

// --- closing

TEST_CASE("closing a socket inside its own ready callback") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        int calls = 0;
        client.setsockopt(SOL_SOCKET, SO_CALLBACK, [&](socket& s) {
            ++calls;
            s.close();
        });
        server.send("x");
        CHECK(at.until([&] { return client.fileno() == -1; }));
        at.settle();
        CHECK(calls == 1);
    });
}

TEST_CASE("closing a socket inside the ready callback of another") {
    scene at;
    auto [server, client] = at.connected();
    auto [other, peer] = at.connected();
    client.setsockopt(SOL_SOCKET, SO_CALLBACK, [&peer](socket&) { peer.close(); });
    server.send("x");
    other.send("y");
    CHECK(at.until([&] { return peer.fileno() == -1; }));
}

TEST_CASE("closing a socket inside each blocking call of itself, from a timer: EBADF") {
    on_both([](scene& at) {
        std::byte room[8];
        const auto closed_meanwhile = [&](socket s, auto call) {
            at.later(at.scaled(50ms), [&s] { s.close(); });
            CHECK(number_of([&] { call(s); }) == EBADF);
            CHECK(s.fileno() == -1);
        };
        closed_meanwhile(at.listener(), [](socket& s) { s.accept(); });
        std::vector<socket> peers;
        const auto connected = [&] {
            ends pair = at.connected();
            peers.push_back(std::move(pair.server));
            return std::move(pair.client);
        };
        closed_meanwhile(connected(), [](socket& s) { s.recv(1); });
        closed_meanwhile(connected(), [](socket& s) { s.recv(1, MSG_PEEK); });
        closed_meanwhile(connected(), [](socket& s) { s.read(1); });
        closed_meanwhile(connected(), [](socket& s) { s.read(); });
        closed_meanwhile(connected(), [&](socket& s) { s.readinto(room); });
        closed_meanwhile(connected(), [](socket& s) { s.readline(); });
        const auto& all = at.plenty();
        closed_meanwhile(connected(), [&](socket& s) { s.send(all); });
        closed_meanwhile(connected(), [&](socket& s) { s.sendall(all); });
        closed_meanwhile(connected(), [&](socket& s) { s.write(all); });
        closed_meanwhile(at.server_datagrams(), [](socket& s) { s.recvfrom(1); });
        closed_meanwhile(at.server_datagrams(), [](socket& s) { s.recvfrom(1, MSG_PEEK); });
        unanswered u = at.attempt();
        closed_meanwhile(at.client(), [&](socket& s) { s.connect(u.listener.getsockname()); });
    });
}

TEST_CASE("closing a socket inside a blocking call of itself, through its ready callback: EBADF") {
    scene at;
    auto [server, client] = at.connected();
    server.settimeout(0);
    client.setsockopt(SOL_SOCKET, SO_CALLBACK, [](socket& s) { s.close(); });
    at.later(at.scaled(50ms), [&server] { server.send("x"); });
    const int number = number_of([&client] { client.read(100); });
    CHECK(number == EBADF);
}

TEST_CASE("a ready callback that reads takes what a blocking read() waits for: nothing crashes") {
    scene at;
    auto [server, client] = at.connected();
    server.settimeout(0);
    std::string got;
    client.setsockopt(
        SOL_SOCKET, SO_CALLBACK, [&](socket& s) { got += text_of(s.recv(2, MSG_DONTWAIT)); });
    at.later(at.scaled(50ms), [&server] { server.send("abcdef"); });
    at.later(at.scaled(100ms), [&server] { server.close(); });
    got += text_of(client.read());
    CHECK(got.size() == 6);
    CHECK(got.find_first_not_of("abcdef") == std::string::npos);
}

TEST_CASE("leave() closes every socket of the loop, and new ones come from elsewhere") {
    scene at;
    socket a = at.client();
    socket b = at.server_datagrams();
    auto [server, client] = at.connected();
    leave(at.w.home());
    CHECK(a.fileno() == -1);
    CHECK(b.fileno() == -1);
    CHECK(client.fileno() == -1);
    CHECK(number_of([&client] { client.recv(1); }) == EBADF);
}

} // namespace
} // namespace contract
