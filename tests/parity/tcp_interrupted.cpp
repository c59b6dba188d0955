// TCP operations cancelled at random moments while data and connections flow: each byte and each
// connection comes once, in its place.
#include "sequence.hpp"

#include <weft/scope.hpp>
#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

namespace parity {
namespace {

constexpr std::size_t odd = 20'011;

task<> after_yields(std::uint64_t turns) {
    for (; turns != 0; --turns) {
        auto turned = co_await weft::yield();
        if (!turned) {
            co_return;
        }
    }
}

/// Something short that ends at a random moment: of the ready queue, or of the clock.
task<> interruption(world& w) {
    if (w.random(2) == 0) {
        auto turned = co_await after_yields(w.random(6));
        (void)turned;
    } else {
        auto slept = co_await weft::sleep_for(w.random_moment(300us));
        (void)slept;
    }
}

task<> send_interrupted(world& w, tcp_stream& to, std::uint64_t end, std::size_t& cuts) {
    bytes buffer;
    std::uint64_t offset = 0;
    while (offset < end) {
        const std::uint64_t size = std::min<std::uint64_t>(1 + w.random(100'000), end - offset);
        buffer.resize(static_cast<std::size_t>(size));
        fill(buffer, offset);
        auto won = co_await weft::when_any(to.send_all(buffer), interruption(w));
        const transfer& sent = std::get<0>(won.results);
        if (!sent) {
            REQUIRE(sent.error() == errc::canceled);
            ++cuts;
        } else {
            REQUIRE(sent.count == size);
        }
        offset += sent.count;
    }
    REQUIRE(error_of(to.shutdown_send()) == errc::ok);
}

task<> receive_interrupted(world& w, tcp_stream& from, std::uint64_t end, std::size_t& cuts) {
    bytes buffer(odd);
    std::uint64_t offset = 0;
    while (true) {
        const auto into = std::span(buffer).first(1 + static_cast<std::size_t>(w.random(odd)));
        std::size_t count = 0;
        bool end_seen = false;
        if (w.random(2) == 0) {
            auto won = co_await weft::when_any(from.recv(into), interruption(w));
            const result<std::size_t>& got = std::get<0>(won.results); // whoever was first
            REQUIRE((got || got.error() == errc::canceled));
            cuts += got ? 0 : 1;
            count = got ? *got : 0;
            end_seen = got && *got == 0;
        } else {
            auto got = co_await weft::timeout(from.read_exactly(into), w.random_moment(300us));
            const errc told = got.error();
            INFO("read_exactly: ", told);
            REQUIRE((told == errc::ok || told == errc::timed_out || told == errc::end_of_stream));
            cuts += told == errc::timed_out ? 1 : 0;
            count = got.count;
            end_seen = told == errc::end_of_stream;
        }
        REQUIRE(agreeing(into.first(count), offset) == count);
        offset += count;
        if (end_seen) {
            break;
        }
    }
    REQUIRE(offset == end);
}

task<>
interrupted_both_ways(world& w, family f, std::size_t& send_cuts, std::size_t& receive_cuts) {
    auto pair = co_await connect_pair(w, f);
    REQUIRE(error_of(pair) == errc::ok);
    const result<> little = pair->client.socket()->set_option(
        weft::socket_option::send_buffer, 16 * 1024); // so that it waits
    CHECK((little || little.error() == errc::not_supported));
    const std::uint64_t size = w.known().bulk / 4;
    auto all = co_await weft::when_all(
        send_interrupted(w, pair->client, size, send_cuts),
        receive_interrupted(w, pair->server, size, receive_cuts));
    CHECK(error_of(std::get<0>(all)) == errc::ok);
    CHECK(error_of(std::get<1>(all)) == errc::ok);
}

// Where time is real, a transfer may be through before anybody is interrupted.
task<> until_both_were_cut(world& w, family f) {
    std::size_t send_cuts = 0;
    std::size_t receive_cuts = 0;
    for (int tries = 0; tries < 20 && (send_cuts == 0 || receive_cuts == 0); ++tries) {
        auto done = co_await interrupted_both_ways(w, f, send_cuts, receive_cuts);
        REQUIRE(error_of(done) == errc::ok);
    }
    CHECK(send_cuts > 0);
    CHECK(receive_cuts > 0);
}
TEST_CASE("send_all and recv cancelled at random moments: each byte comes once, in its place") {
    run_both(until_both_were_cut);
}

task<> wait_interrupted(world& w, tcp_stream& from, std::uint64_t end) {
    bytes buffer(odd);
    std::uint64_t offset = 0;
    for (int tries = 0; offset < end; ++tries) {
        auto won =
            co_await weft::when_any(from.readable(), weft::sleep_for(w.random_moment(200us)));
        (void)won;
        const result<std::size_t> got = from.try_recv(buffer);
        INFO("offset ", offset, ", ready ", static_cast<int>(from.socket()->ready()));
        INFO("readable() said ", error_of(std::get<0>(won.results)));
        REQUIRE(tries < 1'000'000);
        REQUIRE((got || got.error() == errc::would_block));
        const std::size_t count = got ? *got : 0;
        REQUIRE(agreeing(std::span(buffer).first(count), offset) == count);
        offset += count;
    }
}

task<> readable_or_timer(world& w) {
    auto pair = co_await connect_pair(w);
    REQUIRE(error_of(pair) == errc::ok);
    const std::uint64_t size = w.known().bulk / 10;
    auto all = co_await weft::when_all(
        send_sequence(w, pair->client, 0, size, odd), wait_interrupted(w, pair->server, size));
    CHECK(error_of(std::get<0>(all)) == errc::ok);
    CHECK(error_of(std::get<1>(all)) == errc::ok);
}
TEST_CASE("readable against a timer, then a try: each byte comes once, in its place") {
    run(readable_or_timer);
}

task<> two_readers_in_turn(world& w) {
    auto pair = co_await connect_pair(w);
    REQUIRE(error_of(pair) == errc::ok);
    std::byte first_room[8] = {};
    std::byte second_room[8] = {};
    auto sent = co_await send_sequence(w, pair->client, 0, 4, 4);
    CHECK(error_of(sent) == errc::ok);
    auto ready = co_await pair->server.readable();
    CHECK(error_of(ready) == errc::ok);
    auto won = co_await weft::when_any(
        pair->server.recv(std::span(first_room).first(1)), pair->server.recv(second_room));
    CHECK(won.index == 0);
    CHECK(error_of(std::get<0>(won.results)) == errc::ok);
    CHECK(error_of(std::get<1>(won.results)) == errc::canceled); // it was not begun
    auto rest = co_await expect_sequence(w, pair->server, 1, 4, 4);
    CHECK(error_of(rest) == errc::ok);
}
TEST_CASE("when_any of two recv: the first has its bytes, the other took none") {
    run(two_readers_in_turn);
}

// --- accept and connect ---------------------------------------------------------------------

constexpr std::size_t guests = 40;

task<> come_one_by_one(world& w, endpoint at, std::vector<tcp_stream>& streams) {
    while (streams.size() < guests) {
        auto slept = co_await weft::sleep_for(w.random_moment(300us));
        REQUIRE(error_of(slept) == errc::ok);
        auto stream = co_await w.client_net().connect(at);
        REQUIRE(error_of(stream) == errc::ok);
        // If the last packet of the handshake is lost, data tells the server instead.
        auto sent = co_await stream->send_all("here");
        REQUIRE(error_of(sent) == errc::ok);
        streams.push_back(std::move(*stream));
    }
}

task<> accept_interrupted(world& w, tcp_listener& listener, std::vector<tcp_stream>& streams) {
    for (int tries = 0; streams.size() < guests; ++tries) {
        REQUIRE(tries < 1'000'000);
        auto won = co_await weft::when_any(listener.accept(), interruption(w));
        result<tcp_stream>& peer = std::get<0>(won.results);
        REQUIRE((peer || peer.error() == errc::canceled));
        if (peer) {
            streams.push_back(std::move(*peer));
        }
    }
}

task<> no_connection_is_lost(world& w) {
    tcp_listener listener = listen(w);
    std::vector<tcp_stream> clients;
    std::vector<tcp_stream> servers;
    auto all = co_await weft::when_all(
        come_one_by_one(w, endpoint_of(listener), clients),
        accept_interrupted(w, listener, servers));
    CHECK(error_of(std::get<0>(all)) == errc::ok);
    CHECK(error_of(std::get<1>(all)) == errc::ok);
    for (const tcp_stream& server : servers) {
        const result<endpoint> remote = server.remote();
        REQUIRE(error_of(remote) == errc::ok);
        const auto same = [&](const tcp_stream& c) {
            return c.local() == *remote;
        };
        CHECK(std::count_if(clients.begin(), clients.end(), same) == 1);
    }
}
TEST_CASE("accept cancelled at random moments: each connection is accepted once") {
    run(no_connection_is_lost);
}

task<> connect_interrupted(world& w) {
    tcp_listener listener = listen(w);
    weft::task_group server(w.home());
    REQUIRE(error_of(server.spawn(serve_echo(w, listener))) == errc::ok);
    int connected = 0;
    for (int tries = 0; tries < 100; ++tries) {
        auto won =
            co_await weft::when_any(w.client_net().connect(endpoint_of(listener)), interruption(w));
        result<tcp_stream>& stream = std::get<0>(won.results);
        const errc ended = error_of(stream);
        INFO("try ", tries, ": ", std::string(weft::name(ended)));
        REQUIRE((ended == errc::ok || ended == errc::canceled));
        connected += stream ? 1 : 0;
    }
    auto calm = co_await w.client_net().connect(endpoint_of(listener));
    CHECK(error_of(calm) == errc::ok);
    MESSAGE(connected, " of 100 were quicker than their cancellation");
    server.cancel();
    auto joined = co_await server.join();
    CHECK(error_of(joined) == errc::ok);
}
TEST_CASE("connect cancelled at random moments: connected or canceled, and no socket is left") {
    run(connect_interrupted);
}

} // namespace
} // namespace parity
