// TCP on the host, against plain POSIX sockets: the states of a socket, readiness, waiting.
#include "fixture.hpp"

#include <array>
#include <ctime>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

namespace host_test {
namespace {

task<> echo(weft::host_context& host, family f) {
    auto listener = host.net->listen(loopback(f));
    REQUIRE(error_of(listener) == errc::ok);
    const peer client = peer::connected(*listener->local());
    auto stream = co_await listener->accept();
    REQUIRE(error_of(stream) == errc::ok);
    CHECK(*stream->local() == *listener->local());
    CHECK(*stream->remote() == client.local());
    CHECK(error_of(stream->set_no_delay(true)) == errc::ok);
    client.send("hello");
    std::array<std::byte, 64> room;
    auto got = co_await stream->recv(room);
    REQUIRE(error_of(got) == errc::ok);
    auto sent = co_await stream->send_all(std::span(room).first(*got));
    CHECK(sent.count == 5);
    CHECK(client.recv() == "hello");
}
task<> echo_v4(weft::host_context& host) {
    return echo(host, family::ipv4);
}
task<> echo_v6(weft::host_context& host) {
    return echo(host, family::ipv6);
}
TEST_CASE("echo") {
    on_each_poller(echo_v4);
    on_each_poller(echo_v6);
}

task<> data_and_end(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    std::array<std::byte, 64> room;
    // MSG_MORE holds the bytes back: they leave in one segment with the FIN
    REQUIRE(::send(both->other.descriptor(), "last", 4, MSG_MORE) == 4);
    both->other.finish();
    auto data = co_await both->stream.recv(room);
    REQUIRE(error_of(data) == errc::ok);
    CHECK(text(room, *data) == "last");
    for (int times = 0; times < 3; ++times) {
        auto end = co_await both->stream.recv(room);
        REQUIRE(error_of(end) == errc::ok);
        CHECK(*end == 0);
    }
}
TEST_CASE("data and FIN in one segment: the data, then the end, again and again") {
    on_each_poller(data_and_end);
}

task<> read_all(tcp_stream& from, std::string& all) {
    std::array<std::byte, 64> room;
    while (true) {
        auto got = co_await from.recv(room);
        if (!got || *got == 0) {
            break;
        }
        all += text(room, *got);
    }
}
task<> data_and_end_to_a_waiter(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    weft::task_group reader(host.loop);
    std::string all;
    REQUIRE(error_of(reader.spawn(read_all(both->stream, all))) == errc::ok);
    auto slept = co_await weft::sleep_for(2ms);
    CHECK(error_of(slept) == errc::ok);
    REQUIRE(::send(both->other.descriptor(), "last", 4, MSG_MORE) == 4);
    both->other.finish();
    auto joined = co_await reader.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(all == "last");
}
TEST_CASE("data and FIN in one segment for a reader that waits: no hang") {
    on_each_poller(data_and_end_to_a_waiter);
}

task<> urgent(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    std::array<std::byte, 64> room;
    both->other.send("ab");
    REQUIRE(::send(both->other.descriptor(), "!", 1, MSG_OOB) == 1);
    both->other.send("cd");
    std::string all;
    while (all.size() < 4) {
        auto got = co_await both->stream.recv(room);
        REQUIRE(error_of(got) == errc::ok);
        REQUIRE(*got > 0);
        all += text(room, *got);
    }
    CHECK(all == "abcd");
    auto nothing = co_await weft::timeout(both->stream.recv(room), 5ms);
    CHECK(error_of(nothing) == errc::timed_out);
    both->other.send("ef");
    auto more = co_await both->stream.recv(room);
    REQUIRE(error_of(more) == errc::ok);
    CHECK(text(room, *more) == "ef");
}
TEST_CASE("urgent data cuts a read short and hides nothing behind it") {
    on_each_poller(urgent);
}

struct watcher : weft::readiness_observer {
    watcher() noexcept
        : readiness_observer(
              [](readiness_observer& o, readiness) { ++static_cast<watcher&>(o).times; }) {}
    int times = 0;
};
task<> exact_read(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    weft::tcp_socket& socket = *both->stream.socket();
    std::array<std::byte, 4> room;
    both->other.send("four");
    auto got = co_await both->stream.recv(room);
    REQUIRE(error_of(got) == errc::ok);
    CHECK(*got == 4);
    CHECK(weft::any(socket.ready() & readiness::readable)); // a false alarm
    CHECK(socket.confirmed() == readiness::writable);
    CHECK(!weft::any(socket.ready() & readiness::readable));

    watcher observer;
    socket.observe(observer);
    both->other.send("more");
    while (observer.times == 0) {
        auto slept = co_await weft::sleep_for(1ms);
        REQUIRE(error_of(slept) == errc::ok);
    }
    CHECK(socket.confirmed() == (readiness::readable | readiness::writable));
    auto more = co_await both->stream.recv(room);
    REQUIRE(error_of(more) == errc::ok);
    CHECK(text(room, *more) == "more");
    auto none = co_await weft::timeout(both->stream.readable(), 5ms);
    CHECK(error_of(none) == errc::timed_out);
    CHECK(error_of(both->stream.try_recv(room)) == errc::would_block);
}
TEST_CASE("a read of exactly what was there: readable is confirmed, not believed") {
    on_each_poller(exact_read);
}

task<> states(weft::host_context& host) {
    std::array<std::byte, 8> room;
    auto fresh = host.net->open_tcp(family::ipv4);
    REQUIRE(error_of(fresh) == errc::ok);
    tcp_stream stream(*fresh);
    weft::tcp_socket& socket = **fresh;
    CHECK(error_of(stream.try_recv(room)) == errc::not_connected);
    CHECK(error_of(stream.try_send(bytes("x"))) == errc::not_connected);
    CHECK(error_of(stream.remote()) == errc::not_connected);
    CHECK(error_of(stream.shutdown_send()) == errc::not_connected);
    CHECK(error_of(stream.peek()) == errc::not_supported);
    CHECK(error_of(socket.try_accept()) == errc::invalid_argument);
    CHECK(error_of(socket.connect_result()) == errc::not_connected);
    CHECK(socket.confirmed() == (readiness::writable | readiness::hangup));
    CHECK(error_of(socket.start_connect(loopback(family::ipv6, 80))) == errc::invalid_argument);
    CHECK(error_of(socket.bind(loopback(family::ipv6))) == errc::invalid_argument);

    // a listener whose queue is full answers nobody
    const peer listener = peer::listening(loopback(), 0);
    const peer queued = peer::connected(listener.local());
    CHECK(error_of(socket.start_connect(listener.local())) == errc::in_progress);
    CHECK(error_of(socket.start_connect(listener.local())) == errc::already);
    CHECK(error_of(socket.connect_result()) == errc::would_block);
    CHECK(error_of(stream.try_recv(room)) == errc::would_block);
    CHECK(error_of(stream.try_send(bytes("x"))) == errc::would_block);
    CHECK(socket.confirmed() == readiness::none);
    auto slept = co_await weft::sleep_for(5ms);
    CHECK(error_of(slept) == errc::ok);
    CHECK(error_of(socket.connect_result()) == errc::would_block);

    stream.close();
    CHECK(error_of(stream.try_recv(room)) == errc::bad_handle);
    CHECK(error_of(stream.try_send(bytes("x"))) == errc::bad_handle);
    CHECK(error_of(stream.local()) == errc::bad_handle);
    CHECK(error_of(stream.remote()) == errc::bad_handle);
    CHECK(error_of(stream.peek()) == errc::bad_handle);
    CHECK(error_of(stream.set_no_delay(true)) == errc::bad_handle);
    CHECK(error_of(stream.shutdown_send()) == errc::bad_handle);
    CHECK(error_of(socket.bind(loopback())) == errc::bad_handle);
    CHECK(error_of(socket.listen(1)) == errc::bad_handle);
    CHECK(error_of(socket.try_accept()) == errc::bad_handle);
    CHECK(error_of(socket.start_connect(listener.local())) == errc::bad_handle);
    CHECK(error_of(socket.connect_result()) == errc::bad_handle);
    stream.close();
    stream.abort();
    auto received = co_await stream.recv(room);
    CHECK(error_of(received) == errc::bad_handle);
    auto ready = co_await stream.readable();
    CHECK(error_of(ready) == errc::bad_handle);
}
TEST_CASE("what each state answers") {
    on_each_poller(states);
}

task<> listening_states(weft::host_context& host) {
    auto listener = host.net->listen(loopback());
    REQUIRE(error_of(listener) == errc::ok);
    weft::tcp_socket& socket = *listener->socket();
    CHECK(socket.confirmed() == readiness::none);
    CHECK(error_of(listener->try_accept()) == errc::would_block);
    CHECK(error_of(socket.listen(4)) == errc::ok);
    CHECK(socket.try_send(bytes("x")) == weft::io_error(errc::not_connected));
    CHECK(error_of(socket.start_connect(loopback(family::ipv4, 9))) == errc::already_connected);
    CHECK(error_of(socket.shutdown_send()) == errc::not_connected);
    const peer client = peer::connected(*listener->local());
    auto stream = co_await listener->accept();
    REQUIRE(error_of(stream) == errc::ok);
    CHECK(error_of(stream->socket()->listen(1)) == errc::already_connected);
    CHECK(
        error_of(stream->socket()->start_connect(loopback(family::ipv4, 9))) ==
        errc::already_connected);
    CHECK(error_of(stream->socket()->connect_result()) == errc::ok);
    CHECK(error_of(host.net->listen(*listener->local())) == errc::address_in_use);
    CHECK(
        error_of(host.net->listen({address::v4(192, 0, 2, 1), 0})) == errc::address_not_available);
}
TEST_CASE("what a listener answers, and what a connection that was accepted") {
    on_each_poller(listening_states);
}

task<> refused(weft::host_context& host) {
    peer listener = peer::listening(loopback());
    const endpoint nobody = listener.local();
    listener.close();
    auto stream = co_await host.net->connect(nobody);
    CHECK(error_of(stream) == errc::connection_refused);

    // by hand: what try_* says, and a second attempt on the same socket
    auto opened = host.net->open_tcp(family::ipv4);
    tcp_stream again(*opened);
    CHECK(error_of((*opened)->start_connect(nobody)) == errc::in_progress);
    auto ready = co_await again.writable();
    CHECK(error_of(ready) == errc::ok);
    CHECK(
        (*opened)->confirmed() ==
        (readiness::readable | readiness::writable | readiness::error | readiness::hangup));
    CHECK(error_of((*opened)->connect_result()) == errc::connection_refused);
    CHECK(error_of((*opened)->connect_result()) == errc::not_connected);
    const peer other = peer::listening(loopback());
    CHECK(error_of((*opened)->start_connect(other.local())) == errc::in_progress);
    auto result = (*opened)->connect_result();
    while (error_of(result) == errc::would_block) {
        auto writable = co_await again.writable();
        REQUIRE(error_of(writable) == errc::ok);
        result = (*opened)->connect_result();
    }
    CHECK(error_of(result) == errc::ok);
}
TEST_CASE("connecting where nobody listens: connection_refused; the socket may try again") {
    on_each_poller(refused);
}

task<> never_accepted(weft::host_context& host) {
    const peer listener = peer::listening(loopback(), 0);
    const peer queued = peer::connected(listener.local());
    auto stream = co_await weft::timeout(host.net->connect(listener.local()), 20ms);
    CHECK(error_of(stream) == errc::timed_out);
}
task<> cancel_accept(weft::host_context& host) {
    auto listener = host.net->listen(loopback());
    auto none = co_await weft::timeout(listener->accept(), 5ms);
    CHECK(error_of(none) == errc::timed_out);
    const peer client = peer::connected(*listener->local());
    auto stream = co_await listener->accept();
    CHECK(error_of(stream) == errc::ok);
}
task<> cancel_recv(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    std::array<std::byte, 8> room;
    auto none = co_await weft::timeout(both->stream.recv(room), 5ms);
    CHECK(error_of(none) == errc::timed_out);
    both->other.send("late");
    auto some = co_await both->stream.recv(room);
    REQUIRE(error_of(some) == errc::ok);
    CHECK(text(room, *some) == "late");
}
task<> cancel_send(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    const std::vector<std::byte> much(std::size_t{64} << 20);
    auto sent = co_await weft::timeout(both->stream.send_all(much), 50ms);
    CHECK(sent.error() == errc::timed_out);
    CHECK(sent.count > 0);
    CHECK(sent.count < much.size());
    CHECK(error_of(both->stream.try_send(much)) == errc::would_block);
    CHECK(error_of(both->stream.shutdown_send()) == errc::ok);
    // what it says was taken is what arrives
    std::size_t arrived = 0;
    char room[65536];
    while (true) {
        const auto n = ::recv(both->other.descriptor(), room, sizeof room, 0);
        REQUIRE(n >= 0);
        if (n == 0) {
            break;
        }
        arrived += static_cast<std::size_t>(n);
    }
    CHECK(arrived == sent.count);
}
TEST_CASE("cancelling connect") {
    on_each_poller(never_accepted);
}
TEST_CASE("cancelling accept loses no connection") {
    on_each_poller(cancel_accept);
}
TEST_CASE("cancelling recv loses no byte") {
    on_each_poller(cancel_recv);
}
TEST_CASE("cancelling send_all tells exactly what was taken") {
    on_each_poller(cancel_send);
}

task<> fill_and_empty(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    const std::vector<std::byte> piece(100'000);
    std::size_t taken = 0;
    for (auto n = both->stream.try_send(piece); n; n = both->stream.try_send(piece)) {
        taken += *n;
    }
    CHECK(both->stream.socket()->confirmed() == readiness::none);
    std::size_t read = 0;
    std::vector<char> room(100'000);
    while (read < taken) {
        const auto n = ::recv(both->other.descriptor(), room.data(), room.size(), 0);
        REQUIRE(n > 0);
        read += static_cast<std::size_t>(n);
    }
    auto ready = co_await both->stream.writable();
    CHECK(error_of(ready) == errc::ok);
    auto sent = co_await both->stream.send("again");
    CHECK(error_of(sent) == errc::ok);
}
TEST_CASE("a full send buffer blocks, and room in it wakes the writer") {
    on_each_poller(fill_and_empty);
}

task<> take_one(tcp_stream& from, errc& told) {
    std::array<std::byte, 8> room;
    auto got = co_await from.recv(room);
    told = error_of(got);
}
task<> one_reader(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    weft::task_group readers(host.loop);
    errc first = errc::ok;
    errc second = errc::ok;
    REQUIRE(error_of(readers.spawn(take_one(both->stream, first))) == errc::ok);
    REQUIRE(error_of(readers.spawn(take_one(both->stream, second))) == errc::ok);
    CHECK(second == errc::already);
    CHECK(readers.size() == 1);
    both->other.send("x");
    auto joined = co_await readers.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(first == errc::ok);
}
TEST_CASE("a second reader is told already, and the first reads on") {
    on_each_poller(one_reader);
}

task<> accept_forever(tcp_listener& from, std::vector<tcp_stream>& all, errc& told) {
    while (true) {
        auto next = co_await from.accept();
        if (!next) {
            told = next.error();
            break;
        }
        all.push_back(std::move(*next));
    }
}
task<> out_of_descriptors(weft::host_context& host) {
    auto listener = host.net->listen(loopback());
    const peer first = peer::connected(*listener->local());
    const peer second = peer::connected(*listener->local());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(second.descriptor()) + 1;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    weft::task_group accepting(host.loop);
    std::vector<tcp_stream> accepted;
    errc told = errc::ok;
    REQUIRE(error_of(accepting.spawn(accept_forever(*listener, accepted, told))) == errc::ok);
    const auto began = std::clock();
    auto slept = co_await weft::sleep_for(200ms);
    const auto spent = std::clock() - began;
    const int restored = ::setrlimit(RLIMIT_NOFILE, &before);
    REQUIRE(restored == 0);
    CHECK(error_of(slept) == errc::ok);
    CHECK(accepted.empty());
    CHECK(told == errc::ok);
    CHECK(spent < CLOCKS_PER_SEC / 10); // it rests, and does not spin
    while (accepted.size() < 2) {
        auto again = co_await weft::sleep_for(5ms);
        REQUIRE(error_of(again) == errc::ok);
    }
    listener->close();
    auto joined = co_await accepting.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(told == errc::bad_handle);
}
TEST_CASE("accept without descriptors waits, without spinning, until there are some") {
    on_each_poller(out_of_descriptors);
}

task<> vanished(weft::host_context& host) {
    auto listener = host.net->listen(loopback());
    for (int i = 0; i < 3; ++i) {
        peer gone = peer::connected(*listener->local());
        gone.reset();
    }
    const peer there = peer::connected(*listener->local());
    there.send("here");
    std::array<std::byte, 8> room;
    std::string got;
    while (got.empty()) {
        auto next = co_await listener->accept();
        REQUIRE(error_of(next) == errc::ok);
        auto n = co_await next->recv(room);
        if (n) {
            got = text(room, *n);
        } else {
            CHECK(n.error() == errc::connection_reset);
        }
    }
    CHECK(got == "here");
}
TEST_CASE("clients that vanish before accept do not keep the next one out") {
    on_each_poller(vanished);
}

task<> empty_buffers(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    auto nothing = co_await both->stream.recv({});
    REQUIRE(error_of(nothing) == errc::ok);
    CHECK(*nothing == 0);
    auto sent = co_await both->stream.send(std::string_view{});
    REQUIRE(error_of(sent) == errc::ok);
    CHECK(*sent == 0);
    weft::tcp_socket& socket = *both->stream.socket();
    CHECK(error_of(socket.set_keep_alive(true)) == errc::ok);
    CHECK(error_of(socket.set_option(weft::socket_option::receive_buffer, 65536)) == errc::ok);
    CHECK(error_of(socket.set_option(weft::socket_option::send_buffer, 65536)) == errc::ok);
}
TEST_CASE("empty buffers and options") {
    on_each_poller(empty_buffers);
}

TEST_CASE("select: a connection beyond FD_SETSIZE is out_of_range, and its descriptor closed") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit most = before;
    most.rlim_cur = most.rlim_max;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &most) == 0);
    {
        auto host = weft::make_host_context(poller::select);
        auto listener = (*host)->net->listen(loopback());
        const peer client = peer::connected(*listener->local());
        std::vector<peer> fill;
        while (fill.empty() || fill.back().descriptor() < FD_SETSIZE) {
            fill.emplace_back(::dup(client.descriptor()));
            REQUIRE(fill.back().descriptor() >= 0);
        }
        const std::size_t open = open_descriptors();
        CHECK(error_of(listener->try_accept()) == errc::out_of_range);
        CHECK(error_of((*host)->net->bind_udp(loopback())) == errc::out_of_range);
        auto stream = weft::sync_wait(
            (*host)->loop, weft::as_task((*host)->net->connect(*listener->local())));
        CHECK(error_of(stream) == errc::out_of_range);
        (void)(*host)->loop.poll();
        CHECK(open_descriptors() == open);
    }
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

} // namespace
} // namespace host_test
