// How TCP connections end on the host: FIN, RST, close, abort, and objects destroyed under waiters.
#include "fixture.hpp"

#include <array>
#include <vector>

#include <sys/socket.h>

namespace host_test {
namespace {

task<> reset_after_data(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    std::array<std::byte, 64> room;
    both->other.send("last words");
    both->other.reset();
    auto data = co_await both->stream.recv(room);
    REQUIRE(error_of(data) == errc::ok);
    CHECK(text(room, *data) == "last words");
    auto reset = co_await both->stream.recv(room);
    CHECK(error_of(reset) == errc::connection_reset);
    auto end = co_await both->stream.recv(room);
    REQUIRE(error_of(end) == errc::ok);
    CHECK(*end == 0);
    auto sent = co_await both->stream.send("x");
    CHECK(error_of(sent) == errc::broken_pipe);
}
TEST_CASE("recv after a reset: the data first, then connection_reset once; send: broken_pipe") {
    on_each_poller(reset_after_data);
}

task<> take_one(tcp_stream& from, errc& told) {
    std::array<std::byte, 8> room;
    auto got = co_await from.recv(room);
    told = error_of(got);
}
task<> push(tcp_stream& to, errc& told) {
    const std::vector<std::byte> much(std::size_t{64} << 20);
    auto sent = co_await to.send_all(much);
    told = sent.error();
}
task<> accept_one(tcp_listener& from, errc& told) {
    auto next = co_await from.accept();
    told = error_of(next);
}

task<> reset_under_a_reader(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    weft::task_group tasks(host.loop);
    errc told = errc::ok;
    REQUIRE(error_of(tasks.spawn(take_one(both->stream, told))) == errc::ok);
    auto slept = co_await weft::sleep_for(2ms);
    CHECK(error_of(slept) == errc::ok);
    both->other.reset();
    auto joined = co_await tasks.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(told == errc::connection_reset);
}
TEST_CASE("a reset wakes the reader") {
    on_each_poller(reset_under_a_reader);
}

task<> reset_under_a_writer(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    weft::task_group tasks(host.loop);
    errc told = errc::ok;
    REQUIRE(error_of(tasks.spawn(push(both->stream, told))) == errc::ok);
    auto slept = co_await weft::sleep_for(2ms);
    CHECK(error_of(slept) == errc::ok);
    both->other.reset();
    auto joined = co_await tasks.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK((told == errc::connection_reset || told == errc::broken_pipe));
}
TEST_CASE("a reset wakes the writer") {
    on_each_poller(reset_under_a_writer);
}

task<> close_delivers(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    both->other.send("nobody reads this");
    auto slept = co_await weft::sleep_for(2ms);
    CHECK(error_of(slept) == errc::ok);
    const std::vector<std::byte> piece(100'000);
    std::size_t taken = 0;
    for (auto n = both->stream.try_send(piece); n; n = both->stream.try_send(piece)) {
        taken += *n;
    }
    CHECK(taken > 100'000);
    both->stream.close();
    CHECK(both->other.drain() == taken);
}
TEST_CASE("close delivers all that was sent, then FIN, though input was never read") {
    on_each_poller(close_delivers);
}

task<> abort_resets(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    auto sent = co_await both->stream.send("never mind");
    CHECK(error_of(sent) == errc::ok);
    CHECK(both->other.recv() == "never mind");
    both->stream.abort();
    CHECK(both->other.recv() == "ECONNRESET");
    CHECK(!both->stream.is_open());
}
TEST_CASE("abort sends RST") {
    on_each_poller(abort_resets);
}

task<> half_close(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    auto sent = co_await both->stream.send_all("question");
    CHECK(sent.error() == errc::ok);
    CHECK(error_of(both->stream.shutdown_send()) == errc::ok);
    CHECK(both->other.recv() == "question");
    CHECK(both->other.recv().empty());
    auto refused = co_await both->stream.send("more");
    CHECK(error_of(refused) == errc::broken_pipe);
    both->other.send("answer");
    std::array<std::byte, 64> room;
    auto got = co_await both->stream.recv(room);
    REQUIRE(error_of(got) == errc::ok);
    CHECK(text(room, *got) == "answer");
    both->other.finish();
    auto end = co_await both->stream.recv(room);
    REQUIRE(error_of(end) == errc::ok);
    CHECK(*end == 0);
}
TEST_CASE("shutdown_send: the peer sees the end, and its answer still comes") {
    on_each_poller(half_close);
}

task<> close_under_waiters(weft::host_context& host) {
    auto both = co_await connect_pair(host);
    auto listener = host.net->listen(loopback());
    weft::task_group tasks(host.loop);
    errc reader = errc::ok;
    errc writer = errc::ok;
    errc acceptor = errc::ok;
    REQUIRE(error_of(tasks.spawn(take_one(both->stream, reader))) == errc::ok);
    REQUIRE(error_of(tasks.spawn(push(both->stream, writer))) == errc::ok);
    REQUIRE(error_of(tasks.spawn(accept_one(*listener, acceptor))) == errc::ok);
    auto slept = co_await weft::sleep_for(2ms);
    CHECK(error_of(slept) == errc::ok);
    CHECK(tasks.size() == 3);
    both->stream.close();
    listener->close();
    auto joined = co_await tasks.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(reader == errc::bad_handle);
    CHECK(writer == errc::bad_handle);
    CHECK(acceptor == errc::bad_handle);
}
TEST_CASE("closing under waiters ends them with bad_handle") {
    on_each_poller(close_under_waiters);
}

task<> recv_owned(tcp_stream from) {
    std::array<std::byte, 8> room;
    auto got = co_await from.recv(room);
    CHECK(error_of(got) == errc::ok); // never reached: it is destroyed
}
task<> accept_owned(tcp_listener from) {
    auto next = co_await from.accept();
    CHECK(error_of(next) == errc::ok);
}
task<> connect_owned(weft::stack& net, endpoint to) {
    auto stream = co_await net.connect(to);
    CHECK(error_of(stream) == errc::ok);
}
task<> destroyed(weft::host_context& host) {
    const peer listener = peer::listening(loopback(), 0);
    const peer queued = peer::connected(listener.local());
    auto both = co_await connect_pair(host);
    auto own = host.net->listen(loopback());
    const std::size_t before = open_descriptors();
    {
        weft::task_group tasks(host.loop);
        REQUIRE(error_of(tasks.spawn(recv_owned(std::move(both->stream)))) == errc::ok);
        REQUIRE(error_of(tasks.spawn(accept_owned(std::move(*own)))) == errc::ok);
        REQUIRE(error_of(tasks.spawn(connect_owned(*host.net, listener.local()))) == errc::ok);
        auto slept = co_await weft::sleep_for(2ms);
        CHECK(error_of(slept) == errc::ok);
        CHECK(tasks.size() == 3);
        CHECK(open_descriptors() == before + 1); // the connection attempt
    }
    CHECK(open_descriptors() == before - 2);
}
TEST_CASE("tasks destroyed while they wait take their descriptors with them") {
    on_each_poller(destroyed);
}

TEST_CASE("a stack may go before its sockets, and sockets before a last turn") {
    for (const poller kind : {poller::epoll, poller::poll, poller::select}) {
        auto host = weft::make_host_context(kind);
        REQUIRE(error_of(host) == errc::ok);
        auto listener = (*host)->net->listen(loopback());
        const peer client = peer::connected(*listener->local());
        auto stream = weft::sync_wait((*host)->loop, weft::as_task(listener->accept()));
        REQUIRE(error_of(stream) == errc::ok);
        auto udp = (*host)->net->bind_udp(loopback());
        (*host)->net.reset();
        client.send("still there");
        std::array<std::byte, 64> room;
        auto got = weft::sync_wait((*host)->loop, weft::as_task(stream->recv(room)));
        REQUIRE(error_of(got) == errc::ok);
        *stream = tcp_stream();
        CHECK(client.recv().empty());
        *listener = tcp_listener();
        *udp = weft::udp_socket(); // no turn follows: the loop reclaims them as it goes
    }
}

} // namespace
} // namespace host_test
