// tls_stream as a stream: bytes, ends, and waits that are cut short.
#include "contexts.hpp"

#include <weft/sleep.hpp>
#include <weft/timeout.hpp>

#ifdef PARITY_HOST
#include "descriptors.hpp"

#include <weft/host.hpp>
#include <weft/sync_wait.hpp>
#endif

namespace tls_test {
namespace {

constexpr std::size_t odd = 20'011; // beyond a record of 16 KiB

task<> send_then_finish(world& w, tcp_stream& to, std::uint64_t offset, std::uint64_t end) {
    auto sent = co_await send_sequence(w, to, offset, end, odd);
    REQUIRE(sent.has_value());
    const result<> finished = to.shutdown_send();
    REQUIRE(finished.has_value());
}

task<> expect_then_end(world& w, tcp_stream& from, std::uint64_t end) {
    auto got = co_await expect_sequence(w, from, 0, end, odd);
    REQUIRE(got.has_value());
    auto ended = co_await expect_end(from);
    REQUIRE(ended.has_value());
}

task<> both_directions(world& w) {
    auto met = co_await meet(w);
    tls_stream& server = *met->server;
    tls_stream& client = *met->client;
    const std::size_t size = w.known().lossy ? 300'000 : 2'000'000;
    auto all = co_await weft::when_all(
        send_then_finish(w, server, 0, size), expect_then_end(w, server, size),
        send_then_finish(w, client, 0, size), expect_then_end(w, client, size));
    CHECK(std::get<0>(all).has_value());
    CHECK(std::get<1>(all).has_value());
    CHECK(std::get<2>(all).has_value());
    CHECK(std::get<3>(all).has_value());
}
TEST_CASE("both directions at once carry their own bytes, in odd sizes, and end by close_notify") {
    run(both_directions);
}

task<> within_another(world& w) {
    const tls_context server = server_of(made().other);
    const tls_context client = client_of(made().authority);
    auto outer = co_await meet(w);
    auto inner = co_await weft::when_all(
        tls_stream::server(server, std::move(*outer->server)),
        tls_stream::client(client, std::move(*outer->client), "other.test"));
    REQUIRE((std::get<0>(inner) && std::get<1>(inner)));
    tls_stream& s = *std::get<0>(inner);
    tls_stream& c = *std::get<1>(inner);
    auto all = co_await weft::when_all(
        send_then_finish(w, s, 0, 100'000), expect_then_end(w, s, 100'000),
        send_then_finish(w, c, 0, 100'000), expect_then_end(w, c, 100'000));
    CHECK(std::get<0>(all).has_value());
    CHECK(std::get<1>(all).has_value());
    CHECK(std::get<2>(all).has_value());
    CHECK(std::get<3>(all).has_value());
}
TEST_CASE("TLS over TLS, as through a proxy: a stream like any other") {
    run(within_another);
}

task<> half_close(world& w) {
    auto met = co_await meet(w);
    tls_stream& server = *met->server;
    tls_stream& client = *met->client;
    const result<> finished = client.shutdown_send();
    CHECK(finished.has_value());
    auto refused = co_await client.send("more");
    CHECK(error_of(refused) == errc::broken_pipe);
    auto ended = co_await expect_end(server);
    CHECK(ended.has_value());
    auto sent = co_await send_sequence(w, server, 0, 50'000, odd);
    CHECK(sent.has_value());
    auto got = co_await expect_sequence(w, client, 0, 50'000, odd);
    CHECK(got.has_value());
}
TEST_CASE("half close: the other direction goes on") {
    run(half_close);
}

task<> closing_delivers(world& w) {
    auto met = co_await meet(w);
    tls_stream client = std::move(*met->client);
    auto end = co_await send_until_blocked(w, *met->server, 0);
    REQUIRE(end.has_value());
    met->server->close();
    std::uint64_t got = 0;
    auto ended = co_await drain(client, got);
    REQUIRE(ended.has_value());
    CHECK(*ended == errc::ok);
    CHECK(got == *end);
}
TEST_CASE("close with a full window: all that was taken arrives, and then close_notify") {
    run(closing_delivers);
}

task<> abort_is_told(world& w) {
    auto met = co_await meet(w);
    met->server->abort();
    std::array<std::byte, 8> buffer{};
    auto got = co_await met->client->recv(buffer);
    CHECK(error_of(got) == errc::connection_reset);
    auto again = co_await met->client->recv(buffer);
    CHECK(again.value_or(1) == 0);
}
TEST_CASE("abort: the peer is told of the reset once") {
    run(abort_is_told);
}

task<> cut_short(world& w) {
    auto met = co_await meet(w);
    std::array<std::byte, 64> buffer{};
    for (std::uint64_t round = 0; round < 20; ++round) {
        auto none = co_await weft::timeout(met->server->read_exactly(buffer), 1ms);
        CHECK(none.error() == errc::timed_out);
        CHECK(none.count == 0);
        auto sent = co_await send_sequence(w, *met->client, round * 64, round * 64 + 64, 7);
        REQUIRE(sent.has_value());
        auto got = co_await expect_sequence(w, *met->server, round * 64, round * 64 + 64, 64);
        REQUIRE(got.has_value());
    }
}
TEST_CASE("a receive that is cut short takes nothing") {
    run(cut_short);
}

task<> one_of_each(world& w) {
    auto met = co_await meet(w);
    tls_stream& client = *met->client;
    std::array<std::byte, 64> first{};
    std::array<std::byte, 64> second{};
    auto both =
        co_await weft::when_all(weft::timeout(client.recv(first), 10ms), client.recv(second));
    CHECK(error_of(std::get<0>(both)) == errc::timed_out);
    CHECK(error_of(std::get<1>(both)) == errc::already);
    client.close();
    auto closed = co_await client.recv(first);
    CHECK(error_of(closed) == errc::bad_handle);
}
TEST_CASE("one reader at a time; none after close") {
    run(one_of_each);
}

task<> options(world& w) {
    for (const bool wanted : {false, true}) {
        auto pair = co_await connect_pair(w);
        const result<> set = pair->client.socket()->set_no_delay(wanted);
        REQUIRE(set.has_value());
        const tls_context server = server_of(made().server);
        const tls_context client = client_of(made().authority);
        const auto no_delay = [](const weft::tcp_socket& of) {
            return of.get_option(weft::socket_option::no_delay).value_or(-1) != 0;
        };
        result<weft::tcp_socket*> begun = tls_stream::begin(client, std::move(pair->client), name);
        REQUIRE(begun.has_value());
        tls_stream owner(*begun);
        CHECK(no_delay(**begun) == wanted);
        const result<> changed = (*begun)->set_no_delay(!wanted);
        CHECK(changed.has_value());
        CHECK(no_delay(**begun) == !wanted);
        auto met = co_await tls_stream::server(server, std::move(pair->server));
        REQUIRE(met.has_value());
        auto over = co_await owner.writable();
        REQUIRE(over.has_value());
        CHECK(no_delay(**begun) == !wanted);
    }
}
TEST_CASE("TCP_NODELAY is as it was set, whatever a handshake does to it") {
    run(options);
}

task<> decrypted_is_ready(world& w) {
    auto met = co_await meet(w);
    weft::tcp_socket& socket = *met->server->socket();
    CHECK(socket.confirmed() == weft::readiness::writable);
    auto sent = co_await met->client->send_all("0123456789");
    REQUIRE(sent.error() == errc::ok);
    auto told = co_await met->server->readable();
    CHECK(told.has_value());
    std::array<std::byte, 4> part{};
    for (const std::size_t expected : {4U, 4U, 2U}) {
        CHECK(any(socket.confirmed() & weft::readiness::readable));
        const result<std::size_t> got = met->server->try_recv(part);
        CHECK(got.value_or(0) == expected);
    }
    CHECK(socket.confirmed() == weft::readiness::writable);
    const result<std::size_t> none = met->server->try_recv(part);
    CHECK(error_of(none) == errc::would_block);
}
TEST_CASE("readable for as long as bytes of a record are left, and not after them") {
    run(decrypted_is_ready);
}

// --- ends under those who wait

task<> reads(tcp_stream& from, errc& told) {
    std::array<std::byte, 8> buffer{};
    auto got = co_await from.recv(buffer);
    told = error_of(got);
}
task<> writes(tcp_stream& to, std::uint64_t& offset, errc& told) {
    const bytes much = known_bytes(offset, 200'000);
    auto sent = co_await to.send_all(much);
    offset += sent.count;
    told = sent.error();
}
task<> closes(world& w, tcp_stream& stream) {
    auto paused = co_await pause(w);
    (void)paused;
    stream.close();
}

task<> closed_under_waiters(world& w) {
    auto met = co_await meet(w);
    auto end = co_await send_until_blocked(w, *met->server, 0);
    REQUIRE(end.has_value());
    std::uint64_t taken = *end;
    errc reader = errc::ok;
    errc writer = errc::ok;
    auto all = co_await weft::when_all(
        reads(*met->server, reader), writes(*met->server, taken, writer), closes(w, *met->server));
    REQUIRE(std::get<2>(all).has_value());
    CHECK(reader == errc::bad_handle);
    CHECK(writer == errc::bad_handle);
    std::uint64_t got = 0;
    auto ended = co_await drain(*met->client, got);
    REQUIRE(ended.has_value());
    CHECK(*ended == errc::ok);
    CHECK(got == taken);
}
TEST_CASE("close under a reader and a writer: bad_handle, and what was taken arrives") {
    run(closed_under_waiters);
}

task<> waits_for_it(tls_stream& stream, errc& told) {
    auto over = co_await stream.writable();
    told = error_of(over);
}
task<> closed_in_its_handshake(world& w) {
    const tls_context client = client_of(made().authority);
    auto pair = co_await connect_pair(w);
    result<weft::tcp_socket*> begun = tls_stream::begin(client, std::move(pair->client), name);
    REQUIRE(begun.has_value());
    tls_stream shaking(*begun);
    errc told = errc::ok;
    auto both = co_await weft::when_all(waits_for_it(shaking, told), closes(w, shaking));
    REQUIRE(std::get<1>(both).has_value());
    CHECK(told == errc::bad_handle);
    CHECK(error_of(shaking.session()) == errc::bad_handle);
    CHECK(shaking.version().empty());
    std::array<std::byte, 8> buffer{};
    CHECK(error_of(shaking.try_recv(buffer)) == errc::bad_handle);
    CHECK(error_of(shaking.try_send(buffer)) == errc::bad_handle);
}
TEST_CASE("close in the middle of a handshake: bad_handle to whoever waits for it") {
    run(closed_in_its_handshake);
}

task<> moves(world& w, tls_stream& from, tls_stream& to, tls_stream& peer) {
    auto paused = co_await pause(w);
    REQUIRE(paused.has_value());
    to = std::move(from);
    auto sent = co_await peer.send("x");
    CHECK(sent.value_or(0) == 1);
}
task<> moved_under_a_reader(world& w) {
    auto met = co_await meet(w);
    tls_stream elsewhere;
    errc told = errc::canceled;
    auto both = co_await weft::when_all(
        reads(*met->server, told), moves(w, *met->server, elsewhere, *met->client));
    REQUIRE(std::get<1>(both).has_value());
    CHECK(told == errc::ok);
    CHECK(elsewhere.version().starts_with("TLSv1."));
    CHECK(met->server->version().empty());
}
TEST_CASE("a stream that is moved while somebody reads goes on") {
    run(moved_under_a_reader);
}

task<> send_cut_short(world& w) {
    auto met = co_await meet(w);
    auto end = co_await send_until_blocked(w, *met->server, 0);
    REQUIRE(end.has_value());
    std::uint64_t taken = *end;
    for (int round = 0; round < 3; ++round) {
        const bytes more = known_bytes(taken, 100'000);
        auto sent = co_await weft::timeout(met->server->send_all(more), w.settling());
        CHECK(sent.error() == errc::timed_out);
        taken += sent.count;
    }
    auto both = co_await weft::when_all(
        send_then_finish(w, *met->server, taken, taken + 50'000),
        expect_then_end(w, *met->client, taken + 50'000));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
}
TEST_CASE("a send that is cut short has taken what it says, and the next goes on behind that") {
    run(send_cut_short);
}

task<> nothing(world& w) {
    auto met = co_await meet(w);
    auto none = co_await met->client->send("");
    CHECK(error_of(none) == errc::ok);
    CHECK(none.value_or(1) == 0);
    auto all_of_none = co_await met->client->send_all("");
    CHECK(all_of_none.error() == errc::ok);
    auto read = co_await met->server->recv(std::span<std::byte>());
    CHECK(read.value_or(1) == 0);
    auto sent = co_await met->client->send("x");
    CHECK(sent.value_or(0) == 1);
    std::array<std::byte, 4> buffer{};
    auto got = co_await met->server->recv(buffer);
    CHECK(got.value_or(0) == 1); // no record of nothing before it
    met->client->close();
    auto read_at_end = co_await met->server->recv(std::span<std::byte>());
    CHECK(read_at_end.value_or(1) == 0);
    auto ended = co_await expect_end(*met->server);
    CHECK(ended.has_value());
}
TEST_CASE("nothing is sent and received at once, without a record") {
    run(nothing);
}

#ifdef PARITY_HOST
task<> leave_in_the_middle(weft::stack& net) {
    result<tcp_listener> listener = net.listen({address::loopback(family::ipv4), 0}, 1);
    REQUIRE(listener.has_value());
    const tls_context server = server_of(made().server);
    const tls_context client = client_of(made().authority);
    auto ends = co_await weft::when_all(listener->accept(), net.connect(endpoint_of(*listener)));
    auto met = co_await weft::when_all(
        tls_stream::server(server, std::move(*std::get<0>(ends))),
        tls_stream::client(client, std::move(*std::get<1>(ends)), name));
    REQUIRE((std::get<0>(met) && std::get<1>(met)));
    const bytes much(1'000'000);
    while (std::get<0>(met)->try_send(much)) {
    }
    std::get<0>(met)->close(); // it has a record under way, and a goodbye to say
    auto slept = co_await weft::sleep_for(5ms);
    (void)slept;
}
TEST_CASE("a loop that ends before a goodbye is said: nothing is left of it") {
    (void)made();
    const auto driver = weft::make_descriptor_driver();
    REQUIRE(driver.has_value());
    const std::size_t before = open_descriptors();
    {
        weft::loop home(**driver);
        const auto net = weft::make_host_stack(home, **driver);
        REQUIRE(net.has_value());
        const result<> done = weft::sync_wait(home, leave_in_the_middle(**net));
        CHECK(done.has_value());
    }
    CHECK(open_descriptors() == before);
}

task<> begin_and_leave(weft::stack& net, const tls_context& client) {
    result<tcp_listener> listener = net.listen({address::loopback(family::ipv4), 0}, 1);
    REQUIRE(listener.has_value());
    auto plain = co_await net.connect(endpoint_of(*listener));
    REQUIRE(plain.has_value());
    result<weft::tcp_socket*> begun = tls_stream::begin(client, std::move(*plain), name);
    REQUIRE(begun.has_value());
    const tls_stream gone(*begun);
}
task<> meet_there(weft::stack& net, const tls_context& client) {
    result<tcp_listener> listener = net.listen({address::loopback(family::ipv4), 0}, 1);
    REQUIRE(listener.has_value());
    const tls_context server = server_of(made().server);
    auto ends = co_await weft::when_all(listener->accept(), net.connect(endpoint_of(*listener)));
    auto met = co_await weft::when_all(
        tls_stream::server(server, std::move(*std::get<0>(ends))),
        tls_stream::client(client, std::move(*std::get<1>(ends)), name));
    const bool both = std::get<0>(met) && std::get<1>(met);
    CHECK(both);
}
TEST_CASE("a context outlives loops, also one that ended while a handshake was to have its turn") {
    const tls_context client = client_of(made().authority);
    for (const auto& work : {begin_and_leave, meet_there, begin_and_leave}) {
        const auto driver = weft::make_descriptor_driver();
        REQUIRE(driver.has_value());
        weft::loop home(**driver);
        const auto net = weft::make_host_stack(home, **driver);
        REQUIRE(net.has_value());
        const result<> done = weft::sync_wait(home, work(**net, client));
        CHECK(done.has_value());
    }
}
#endif

} // namespace
} // namespace tls_test
