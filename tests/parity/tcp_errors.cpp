// What goes wrong with TCP, each told as its own error; and scarcity, from which one recovers.
#include "sequence.hpp"

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>

#include <tuple>
#include <vector>

namespace parity {
namespace {

// --- connecting -----------------------------------------------------------------------------

task<> refused(world& w, family f) {
    const result<weft::tcp_socket*> opened = w.server_net().open_tcp(f);
    REQUIRE(error_of(opened) == errc::ok);
    const tcp_stream holder(*opened); // bound and not listening: nobody else gets the port
    REQUIRE(error_of((*opened)->bind(endpoint{w.server_address(f), 0})) == errc::ok);
    const result<endpoint> at = holder.local();
    REQUIRE(error_of(at) == errc::ok);
    for (int times = 0; times < 3; ++times) {
        auto stream = co_await w.client_net().connect(*at);
        CHECK(error_of(stream) == errc::connection_refused);
    }
}
TEST_CASE("connecting to a port where nobody listens: connection_refused") {
    run_both(refused);
}

task<> no_route(world& w, family f) {
    constexpr std::array<std::uint8_t, 16> documentation = {0x20, 0x01, 0x0d, 0xb8, 0x77};
    const address far =
        f == family::ipv4 ? address::v4(198, 51, 100, 77) : address::v6(documentation);
    auto stream = co_await w.client_net().connect(endpoint{far, 7});
    CHECK(error_of(stream) == errc::network_unreachable);
}
TEST_CASE("connecting where no route leads: network_unreachable") {
    if (!here().known().isolated) {
        skip("this machine may not make a network namespace, and its own routes are its own");
        return;
    }
    run_both(no_route);
}

task<> nobody_answers(world& w, family f) {
    auto stream = co_await w.client_net().connect(endpoint{w.nobody(f), 7});
    const errc told = error_of(stream);
    CHECK((told == errc::host_unreachable || told == errc::timed_out));
}
TEST_CASE("connecting to an address that no host has: host_unreachable or timed_out") {
    if (!here().known().nobody_is_noticed) {
        skip("loopback has no neighbours, and lwIP's connect gives up after minutes of real time");
        return;
    }
    run_both(nobody_answers);
}

task<> peer_disappears(world& w) {
    auto pair = co_await connect_pair(w);
    w.cut(true);
    auto sent = co_await send_sequence(w, pair->client, 0, 1000, 1000);
    CHECK(error_of(sent) == errc::ok);
    std::byte room[16];
    auto got = co_await pair->client.recv(room);
    w.cut(false);
    CHECK(error_of(got) == errc::timed_out);
    auto again = co_await pair->client.recv(room);
    REQUIRE(error_of(again) == errc::ok);
    CHECK(*again == 0);
    pair->server.abort();
}
TEST_CASE("a peer that disappears: what was sent is not acknowledged, recv ends with timed_out") {
    if (!here().known().can_cut) {
        skip("no wire to cut");
        return;
    }
    run(peer_disappears);
}

task<> interrupted_and_mended(world& w) {
    auto pair = co_await connect_pair(w);
    w.cut(true);
    auto sent = co_await send_sequence(w, pair->client, 0, 50'000, 1000);
    CHECK(error_of(sent) == errc::ok);
    auto slept = co_await weft::sleep_for(8s);
    CHECK(error_of(slept) == errc::ok);
    w.cut(false);
    auto got = co_await expect_sequence(w, pair->server, 0, 50'000, 1000);
    CHECK(error_of(got) == errc::ok);
}
TEST_CASE("a network that is interrupted for seconds: the stream goes on where it was") {
    if (!here().known().can_cut) {
        skip("no wire to cut");
        return;
    }
    run(interrupted_and_mended);
}

// --- a full backlog -------------------------------------------------------------------------

task<> visit(world& w, endpoint at, int& served) {
    for (int tries = 0; tries < 20; ++tries) {
        auto stream = co_await w.client_net().connect(at);
        if (!stream) {
            const errc told = stream.error();
            REQUIRE(
                (told == errc::connection_refused || told == errc::connection_reset ||
                 told == errc::timed_out));
            auto paused = co_await pause(w);
            REQUIRE(error_of(paused) == errc::ok);
            continue;
        }
        std::byte room[1] = {known_byte(0)};
        auto sent = co_await stream->send_all(room);
        if (!sent) {
            continue;
        }
        auto answer = co_await stream->recv(room);
        if (error_of(answer) == errc::ok && *answer == 1) {
            ++served;
            co_return;
        }
    }
}

task<> backlog_overflow(world& w) {
    const int visitors = w.known().virtual_time ? 12 : 6; // kernels drop SYNs, and try again in 1 s
    tcp_listener listener = listen(w, family::ipv4, 2);
    int served = 0;
    weft::task_group clients(w.home());
    for (int i = 0; i < visitors; ++i) {
        REQUIRE(error_of(clients.spawn(visit(w, endpoint_of(listener), served))) == errc::ok);
    }
    auto settled = co_await pause(w);
    CHECK(error_of(settled) == errc::ok);
    CHECK(served == 0); // nobody accepts yet
    weft::task_group server(w.home());
    REQUIRE(error_of(server.spawn(serve_echo(w, listener))) == errc::ok);
    auto joined = co_await clients.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(served == visitors);
    server.cancel();
    auto ended = co_await server.join();
    CHECK(error_of(ended) == errc::ok);
}
TEST_CASE("backlog overflow: those beyond it wait or try again, and all are served in the end") {
    run(backlog_overflow);
}

task<> queued_before_accept(world& w) {
    tcp_listener listener = listen(w, family::ipv4, 8);
    std::vector<tcp_stream> clients;
    for (std::uint64_t i = 0; i < 8; ++i) {
        auto stream = co_await w.client_net().connect(endpoint_of(listener));
        REQUIRE(error_of(stream) == errc::ok);
        auto sent = co_await send_sequence(w, *stream, i * 10, i * 10 + 10, 10);
        REQUIRE(error_of(sent) == errc::ok);
        clients.push_back(std::move(*stream));
    }
    auto settled = co_await pause(w);
    CHECK(error_of(settled) == errc::ok);
    for (std::uint64_t i = 0; i < 8; ++i) {
        auto peer = co_await listener.accept();
        REQUIRE(error_of(peer) == errc::ok);
        const result<endpoint> remote = peer->remote();
        REQUIRE(error_of(remote) == errc::ok);
        std::uint64_t who = 0;
        while (who < clients.size() && clients[who].local() != *remote) {
            ++who;
        }
        REQUIRE(who < clients.size());
        auto got = co_await expect_sequence(w, *peer, who * 10, who * 10 + 10, 10);
        CHECK(error_of(got) == errc::ok);
    }
    const result<tcp_stream> ninth = listener.try_accept();
    CHECK(error_of(ninth) == errc::would_block);
}
TEST_CASE("connections wait in the backlog with their data until someone accepts") {
    run(queued_before_accept);
}

// --- no sockets left ------------------------------------------------------------------------

/// Opens sockets until the stack has none.
std::vector<tcp_stream> hoard(world& w, errc& last) {
    std::vector<tcp_stream> held;
    last = errc::ok;
    while (held.size() < 100'000) {
        const result<weft::tcp_socket*> next = w.server_net().open_tcp(family::ipv4);
        if (!next) {
            last = next.error();
            break;
        }
        held.emplace_back(*next);
    }
    return held;
}

task<> connect_late(weft::tcp_socket& socket, endpoint at, errc& outcome) {
    result<> step = socket.start_connect(at);
    while (error_of(step) == errc::in_progress || error_of(step) == errc::would_block) {
        auto ready = co_await weft::wait_writable(&socket);
        REQUIRE(error_of(ready) == errc::ok);
        step = socket.connect_result();
    }
    outcome = error_of(step);
}

task<> exhausted_and_recovered(world& w) {
    tcp_listener listener = listen(w);
    const result<weft::tcp_socket*> opened = w.client_net().open_tcp(family::ipv4);
    REQUIRE(error_of(opened) == errc::ok);
    tcp_stream client(*opened);
    const std::shared_ptr<void> scarce = w.ration_sockets(20);
    errc last = errc::ok;
    std::vector<tcp_stream> held = hoard(w, last);
    CHECK(last == w.known().exhausted);
    const result<tcp_listener> another =
        w.server_net().listen(endpoint{w.server_address(family::ipv4), 0});
    CHECK((another.has_value() || another.error() == w.known().exhausted));
    const result<udp_socket> datagrams =
        w.server_net().bind_udp(endpoint{w.server_address(family::ipv4), 0});
    CHECK((datagrams.has_value() || datagrams.error() == w.known().exhausted));

    errc connected = errc::would_block;
    weft::task_group waiting(w.home());
    REQUIRE(
        error_of(waiting.spawn(connect_late(**opened, endpoint_of(listener), connected))) ==
        errc::ok);
    auto early = co_await weft::timeout(listener.accept(), w.settling());
    CHECK(error_of(early) == errc::timed_out); // it waits: no spinning, no error
    held.resize(held.size() / 2);
    auto accepted = co_await listener.accept();
    CHECK(error_of(accepted) == errc::ok);
    auto joined = co_await waiting.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(connected == errc::ok);
    auto sent = co_await send_sequence(w, client, 0, 100, 100);
    auto got = co_await expect_sequence(w, *accepted, 0, 100, 100);
    CHECK(error_of(sent) == errc::ok);
    CHECK(error_of(got) == errc::ok);
}
TEST_CASE("no descriptors or pcbs left: said so, accept waits, and goes on once there are some") {
    run(exhausted_and_recovered);
}

task<> connect_without_sockets(world& w) {
    tcp_listener listener = listen(w);
    const std::shared_ptr<void> scarce = w.ration_sockets(20);
    errc last = errc::ok;
    std::vector<tcp_stream> held = hoard(w, last);
    CHECK(last == w.known().exhausted);
    auto refused = co_await w.server_net().connect(endpoint_of(listener));
    CHECK(error_of(refused) == w.known().exhausted);
    held.clear();
    auto turned = co_await weft::yield();
    CHECK(error_of(turned) == errc::ok);
    auto pair = co_await connect_pair(w, listener);
    CHECK(error_of(pair) == errc::ok);
}
TEST_CASE("connect without sockets left says so, and works again afterwards") {
    run(connect_without_sockets);
}

} // namespace
} // namespace parity
