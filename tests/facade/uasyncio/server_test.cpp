// start_server: many connections, callbacks that fail, and every way to end it.
#include "peers.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace uasyncio_test {
namespace {

task<> echo_lines(stream peer) {
    while (true) {
        auto line = co_await peer.readline();
        if (!line || line->empty()) {
            break;
        }
        peer.write(*line);
        auto sent = co_await peer.drain();
        if (!sent) {
            break;
        }
    }
    auto closed = co_await peer.wait_closed();
    (void)closed;
}

/// A server in the world, at its IPv4 address.
template <class Callback>
task<server> start(world& w, Callback callback) {
    auto started = co_await uasyncio::start_server(
        w.server_net(), std::move(callback), host_of(w.server_address(family::ipv4)), 0, 128);
    REQUIRE(error_of(started) == errc::ok);
    co_return std::move(started);
}

/// One line there and back. On a lossy wire it comes again if nobody hears it: the end of the
/// handshake may be lost too often, and then no data tells the server.
task<> exchange(stream& peer, std::string line) {
    REQUIRE(error_of(peer.write(line)) == errc::ok);
    auto sent = co_await peer.drain();
    REQUIRE(error_of(sent) == errc::ok);
    auto answer = co_await peer.readline();
    REQUIRE(error_of(answer) == errc::ok);
    CHECK(answer->view() == line);
}
task<> visit(world& w, server& s, int number, int& served) {
    auto peer = co_await connect_to(w, s);
    REQUIRE(error_of(peer) == errc::ok);
    for (int i = 0; i < 5; ++i) {
        auto done = co_await exchange(*peer, std::to_string(number * 100 + i) + "\n");
        REQUIRE(error_of(done) == errc::ok);
    }
    ++served;
}

task<> hundred(world& w) {
    auto s = co_await start(w, &echo_lines);
    REQUIRE(error_of(s) == errc::ok);
    int served = 0;
    weft::task_group visitors(w.home());
    for (int i = 0; i < 100; ++i) {
        REQUIRE(error_of(visitors.spawn(visit(w, *s, i, served))) == errc::ok);
    }
    auto all = co_await visitors.join();
    CHECK(error_of(all) == errc::ok);
    CHECK(served == 100);
    s->close();
    auto ended = co_await s->wait_closed();
    CHECK(error_of(ended) == errc::ok);
    CHECK(s->connections() == 0);
    CHECK(s->failures() == 0);
}
TEST_CASE("100 connections at a time, each served by its own task") {
    run(hundred);
}

task<> any_address(world& w) {
    auto s = co_await uasyncio::start_server(w.server_net(), &echo_lines, "", 0);
    REQUIRE(error_of(s) == errc::ok);
    const auto at = s->sockname();
    REQUIRE(at.has_value());
    CHECK(at->address.is_any());
    CHECK(at->port != 0);
    int served = 0;
    auto visited = co_await visit(w, *s, 1, served);
    CHECK(error_of(visited) == errc::ok);
    CHECK(served == 1);
}
TEST_CASE("host \"\" is any address, port 0 one of the system's choice") {
    run(any_address);
}

task<> close_keeps_connections(world& w) {
    auto s = co_await start(w, &echo_lines);
    REQUIRE(error_of(s) == errc::ok);
    const auto at = s->sockname();
    auto peer = co_await connect_to(w, *s);
    REQUIRE(error_of(peer) == errc::ok);
    auto before = co_await exchange(*peer, "before\n");
    REQUIRE(error_of(before) == errc::ok);
    CHECK(s->is_serving());
    CHECK(s->connections() == 1);
    s->close();
    s->close();
    CHECK(!s->is_serving());
    CHECK(!s->sockname().has_value());
    auto after = co_await exchange(*peer, "after\n");
    REQUIRE(error_of(after) == errc::ok);
    auto late = co_await uasyncio::open_connection(w.client_net(), *at);
    CHECK(error_of(late) == errc::connection_refused);
    auto too_early = co_await weft::timeout(s->wait_closed(), w.silence());
    CHECK(error_of(too_early) == errc::timed_out);
    CHECK(s->connections() == 1); // a cut wait_closed ends nobody
    peer->close();
    auto ended = co_await s->wait_closed();
    CHECK(error_of(ended) == errc::ok);
    CHECK(s->connections() == 0);
    auto again = co_await s->wait_closed();
    CHECK(error_of(again) == errc::ok);
}
TEST_CASE("close stops accepting; what runs goes on, and wait_closed waits for it") {
    run(close_keeps_connections);
}

task<> wait_for_end(server& s, errc& told) {
    auto ended = co_await s.wait_closed();
    told = error_of(ended);
}
task<> two_wait(world& w) {
    auto s = co_await start(w, &echo_lines);
    REQUIRE(error_of(s) == errc::ok);
    errc first = errc::io_error;
    errc second = errc::io_error;
    weft::task_group waiters(w.home());
    REQUIRE(error_of(waiters.spawn(wait_for_end(*s, first))) == errc::ok);
    REQUIRE(error_of(waiters.spawn(wait_for_end(*s, second))) == errc::ok);
    auto slept = co_await weft::sleep_for(moment(w));
    (void)slept;
    CHECK(waiters.size() == 2);
    s->close();
    auto joined = co_await waiters.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(first == errc::ok);
    CHECK(second == errc::ok);
}
TEST_CASE("wait_closed of a server that nobody closes waits; several may wait") {
    run(two_wait);
}

task<> destroy_running(world& w) {
    auto s = co_await start(w, &echo_lines);
    REQUIRE(error_of(s) == errc::ok);
    std::vector<stream> peers;
    for (int i = 0; i < 5; ++i) {
        auto peer = co_await connect_to(w, *s);
        REQUIRE(error_of(peer) == errc::ok);
        auto done = co_await exchange(*peer, "hello\n");
        REQUIRE(error_of(done) == errc::ok);
        peers.push_back(std::move(*peer));
    }
    CHECK(s->connections() == 5);
    errc told = errc::ok;
    weft::task_group waiter(w.home());
    REQUIRE(error_of(waiter.spawn(wait_for_end(*s, told))) == errc::ok);
    {
        const server gone = std::move(*s);
    }
    auto joined = co_await waiter.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(told == errc::bad_handle);
    for (stream& peer : peers) {
        auto end = co_await peer.read();
        REQUIRE(error_of(end) == errc::ok);
        CHECK(end->empty());
    }
}
TEST_CASE("destroying a server ends its tasks: their connections close, and nothing leaks") {
    run(destroy_running);
}

task<> fail_or_echo(stream peer) {
    auto line = co_await peer.readline();
    if (line && *line == "fail\n") {
        co_await weft::fail(errc::protocol_error);
    }
#if defined(__cpp_exceptions)
    if (line && *line == "throw\n") {
        throw std::runtime_error("as asked");
    }
#endif
    if (line) {
        peer.write(*line);
    }
    auto closed = co_await peer.wait_closed();
    (void)closed;
}
/// Throws before there is a task at all, from the second connection on.
struct thrower {
    int calls = 0;
    task<> operator()(stream peer) {
#if defined(__cpp_exceptions)
        if (++calls > 1) {
            throw std::runtime_error("as always");
        }
#endif
        return fail_or_echo(std::move(peer));
    }
};

task<> say_one_line(world& w, server& s, std::string line, std::string_view expected) {
    auto peer = co_await connect_to(w, s);
    REQUIRE(error_of(peer) == errc::ok);
    REQUIRE(error_of(peer->write(line)) == errc::ok);
    auto answer = co_await peer->read();
    REQUIRE(error_of(answer) == errc::ok);
    CHECK(answer->view() == expected);
}
task<> failing_callback(world& w) {
    auto s = co_await start(w, &fail_or_echo);
    REQUIRE(error_of(s) == errc::ok);
    auto failed = co_await say_one_line(w, *s, "fail\n", "");
    REQUIRE(error_of(failed) == errc::ok);
    CHECK(s->failures() == 1);
#if defined(__cpp_exceptions)
    auto thrown = co_await say_one_line(w, *s, "throw\n", "");
    REQUIRE(error_of(thrown) == errc::ok);
    CHECK(s->failures() == 2);
#endif
    auto served = co_await say_one_line(w, *s, "hello\n", "hello\n");
    REQUIRE(error_of(served) == errc::ok);
    CHECK(s->is_serving());
}
TEST_CASE("a callback that fails or throws ends its own connection, and is counted") {
    run(failing_callback);
}

#if defined(__cpp_exceptions)
task<> throwing_callable(world& w) {
    auto s = co_await start(w, thrower());
    REQUIRE(error_of(s) == errc::ok);
    auto first = co_await say_one_line(w, *s, "one\n", "one\n");
    REQUIRE(error_of(first) == errc::ok);
    for (std::size_t times = 1; times <= 2; ++times) {
        auto peer = co_await connect_to(w, *s);
        REQUIRE(error_of(peer) == errc::ok);
        auto end = co_await peer->read();
        REQUIRE(error_of(end) == errc::ok);
        CHECK(end->empty());
        CHECK(s->failures() == times);
    }
    CHECK(s->is_serving());
}
TEST_CASE("a callable that throws instead of giving a task closes that connection alone") {
    run(throwing_callable);
}
#endif

task<> count_and_close(stream peer, int& count, server& s) {
    ++count;
    s.close(); // from inside the accept loop's own turn
    auto line = co_await peer.readline();
    (void)line;
}
task<> closed_by_callback(world& w) {
    server s;
    int count = 0;
    const auto callback = [&count, &s](stream peer) {
        return count_and_close(std::move(peer), count, s);
    };
    auto started = co_await start(w, callback);
    REQUIRE(error_of(started) == errc::ok);
    s = std::move(*started);
    {
        auto peer = co_await connect_to(w, s);
        REQUIRE(error_of(peer) == errc::ok);
        REQUIRE(error_of(peer->write("bye\n")) == errc::ok);
        auto end = co_await peer->read();
        REQUIRE(error_of(end) == errc::ok);
    }
    auto ended = co_await s.wait_closed();
    CHECK(error_of(ended) == errc::ok);
    CHECK(count == 1);
}
TEST_CASE("a callback that captures, and closes the server that called it") {
    run(closed_by_callback);
}

task<> come_late(weft::tcp_socket* opened, endpoint to, bool& served) {
    auto connected = co_await weft::connecting(opened, to);
    REQUIRE(error_of(connected) == errc::ok);
    result<stream> peer = stream::over(std::move(*connected));
    REQUIRE(error_of(peer) == errc::ok);
    auto done = co_await exchange(*peer, "late\n");
    REQUIRE(error_of(done) == errc::ok);
    served = true;
}
task<> without_sockets(world& w) {
    auto s = co_await start(w, &echo_lines);
    REQUIRE(error_of(s) == errc::ok);
    const auto at = s->sockname();
    REQUIRE(at.has_value());
    auto early = co_await connect_to(w, *s);
    REQUIRE(error_of(early) == errc::ok);
    auto known = co_await exchange(*early, "early\n");
    REQUIRE(error_of(known) == errc::ok);
    const result<weft::tcp_socket*> opened = w.client_net().open_tcp(family::ipv4);
    REQUIRE(error_of(opened) == errc::ok);
    bool served = false;
    weft::task_group late(w.home());
    {
        const hoard all(w);
        CHECK(all.last == w.known().exhausted);
        REQUIRE(error_of(late.spawn(come_late(*opened, *at, served))) == errc::ok);
        auto slept = co_await weft::sleep_for(w.settling());
        (void)slept;
        CHECK(s->connections() == 1); // nobody could be let in
        CHECK(s->is_serving());
        auto still = co_await exchange(*early, "still there\n");
        REQUIRE(error_of(still) == errc::ok);
    }
    auto joined = co_await late.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(served);
}
TEST_CASE("no socket left to accept with: the server waits, serves on, and lets in once there is") {
    run(without_sockets);
}

task<> wrong_places(world& w) {
    auto no_address = co_await uasyncio::start_server(w.server_net(), &echo_lines, "1.2.3", 0);
    CHECK(error_of(no_address) == errc::name_not_found);
    auto not_ours = co_await uasyncio::start_server(w.server_net(), &echo_lines, "192.0.2.1", 0);
    CHECK(error_of(not_ours) == errc::address_not_available);
    auto s = co_await start(w, &echo_lines);
    REQUIRE(error_of(s) == errc::ok);
    const std::string host = host_of(s->sockname()->address);
    auto taken =
        co_await uasyncio::start_server(w.server_net(), &echo_lines, host, s->sockname()->port);
    CHECK(error_of(taken) == errc::address_in_use);
}
TEST_CASE("start_server where it may not listen says why, and leaves no socket") {
    run(wrong_places);
}

} // namespace
} // namespace uasyncio_test
