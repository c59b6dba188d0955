// Memory: an open stream in its steady state allocates what its reads return and nothing else, and
// where none is left the call says so and loses nothing. A program of its own: it replaces malloc.
#include "peers.hpp"

#include <uasyncio/datagram.hpp>

#include <weft/frame_pool.hpp>

#include <cstdlib>
#include <new>
#include <tuple>

namespace {

bool counting = false;
std::size_t allocations = 0; // of malloc, whoever asks
std::size_t requests = 0;    // of weft and uasyncio, whose memory is new(std::nothrow)
[[maybe_unused]] void count() {
    if (counting) {
        ++allocations;
    }
}

/// How many allocations that may fail are left before one fails; negative: none does.
long until_failure = -1;
bool failed = false;
bool fails_now() {
    requests += counting ? 1 : 0;
    if (until_failure < 0 || until_failure-- > 0) {
        return false;
    }
    failed = true;
    return true;
}

} // namespace

#if defined(__GLIBC__) && !defined(WEFT_ADDRESS_SANITIZER) && !defined(__SANITIZE_THREAD__)
static constexpr bool counts_malloc = true;
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* malloc(std::size_t size) {
    count();
    return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
    count();
    return __libc_calloc(n, size);
}
void* realloc(void* old, std::size_t size) {
    count();
    return __libc_realloc(old, size);
}
}
#else
static constexpr bool counts_malloc = false; // a sanitizer brings a malloc of its own
#endif

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return fails_now() ? nullptr : ::operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return fails_now() ? nullptr : ::operator new[](size);
}

namespace uasyncio_test {
namespace {

/// The allocation after `passing` others fails, once.
void fail_after(long passing) {
    failed = false;
    until_failure = passing;
}
bool fail_no_more() {
    until_failure = -1;
    return failed;
}

// --- the steady state -----------------------------------------------------------------------

task<> echo_lines(stream& peer) {
    while (true) {
        auto line = co_await peer.readline();
        if (!line || line->empty()) {
            co_return;
        }
        peer.write(*line);
        auto sent = co_await peer.drain();
        if (!sent) {
            co_return;
        }
    }
}
task<> say_lines(stream& peer, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        peer.write("sixty-four bytes of a line, as an echo benchmark sends them ...\n");
        auto sent = co_await peer.drain();
        REQUIRE(error_of(sent) == errc::ok);
        auto answer = co_await peer.readline();
        REQUIRE(error_of(answer) == errc::ok);
        REQUIRE(answer->size() == 64);
    }
}
task<> echo_in_place(stream& peer) {
    std::array<std::byte, 256> room;
    while (true) {
        auto n = co_await peer.readinto(room);
        if (!n || *n == 0) {
            co_return;
        }
        peer.write(std::span(room).first(*n));
        auto sent = co_await peer.drain();
        (void)sent;
    }
}
task<> say_in_place(stream& peer, int rounds) {
    std::array<std::byte, 64> room;
    for (int i = 0; i < rounds; ++i) {
        peer.write(room);
        auto sent = co_await peer.drain();
        REQUIRE(error_of(sent) == errc::ok);
        for (std::size_t heard = 0; heard < room.size();) {
            auto n = co_await peer.readinto(std::span(room).subspan(heard));
            REQUIRE(error_of(n) == errc::ok);
            heard += *n;
        }
    }
}

constexpr int rounds = 1000;

task<>
steady(world& w, task<> (*echo)(stream&), task<> (*say)(stream&, int), std::size_t each_round) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    weft::task_group server(w.home());
    REQUIRE(error_of(server.spawn(echo(pair->server))) == errc::ok);
    auto warm = co_await say(pair->client, 10);
    REQUIRE(error_of(warm) == errc::ok);
    allocations = requests = 0;
    counting = true;
    auto measured = co_await say(pair->client, rounds);
    counting = false;
    REQUIRE(error_of(measured) == errc::ok);
    MESSAGE("in ", rounds, " rounds: ", requests, " requests, ", allocations, " of malloc in all");
    CHECK(requests == each_round * rounds);
    if (counts_malloc && !w.known().virtual_time) { // lwIP takes its packets from malloc here
        CHECK(allocations == each_round * rounds);
    }
    pair->client.close();
    auto joined = co_await server.join();
    CHECK(error_of(joined) == errc::ok);
}
TEST_CASE("an echo of lines allocates the two lines that readline returns, and nothing else") {
    run([](world& w) { return steady(w, echo_lines, say_lines, 2); });
}
TEST_CASE("an echo with readinto allocates nothing") {
    run([](world& w) { return steady(w, echo_in_place, say_in_place, 0); });
}
task<> a_message_is_its_buffer(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    const parity::bytes message = known_bytes(0, 10'000);
    auto sent = co_await pair->peer.send_all(message);
    REQUIRE(sent.error() == errc::ok);
    requests = 0;
    counting = true;
    auto got = co_await pair->here.readexactly(message.size());
    counting = false;
    REQUIRE(error_of(got) == errc::ok);
    CHECK(agreeing(got->span(), 0) == message.size());
    CHECK(requests == 1);
}
TEST_CASE("readexactly of a message: one allocation, which is received into and returned") {
    run(a_message_is_its_buffer);
}

TEST_CASE("the counters count") {
    allocations = requests = 0;
    counting = true;
    void* volatile block = std::malloc(10);
    auto* volatile other = new (std::nothrow) int;
    counting = false;
    std::free(block);
    delete other;
    CHECK(requests == 1);
    if (counts_malloc) {
        CHECK(allocations == 2);
    }
}

// --- no memory ------------------------------------------------------------------------------

uasyncio::reading start(stream& s, std::size_t kind, std::size_t size) {
    return kind == 0   ? s.readline()
           : kind == 1 ? s.readexactly(size)
           : kind == 2 ? s.read(static_cast<std::ptrdiff_t>(size))
                       : s.read();
}

/// Reads until `size` bytes are there, with every allocation failing once.
task<> read_short_of_memory(stream& from, std::size_t kind, std::size_t size, int& failures) {
    std::string heard;
    for (long passing = 0; heard.size() < size; ++passing) {
        uasyncio::reading first = start(from, kind, size);
        fail_after(passing % 3);
        auto got = co_await std::move(first);
        if (fail_no_more() && !got) {
            CHECK(error_of(got) == errc::no_memory);
            ++failures;
            continue;
        }
        REQUIRE(error_of(got) == errc::ok);
        heard += got->view();
    }
    std::string expected(size - 1, 'x');
    expected += '\n';
    CHECK(heard == expected);
}
task<> every_allocation_fails(world& w) {
    for (std::size_t kind = 0; kind < 4; ++kind) {
        for (const std::size_t size : {10U, 5000U, 100'000U}) {
            INFO("kind ", kind, ", size ", size);
            auto pair = co_await open_half(w);
            REQUIRE(error_of(pair) == errc::ok);
            std::string text(size - 1, 'x');
            text += '\n';
            int failures = 0;
            auto sent = co_await pair->peer.send_all(text);
            REQUIRE(sent.error() == errc::ok);
            REQUIRE(error_of(pair->peer.shutdown_send()) == errc::ok);
            auto arrived = co_await weft::sleep_for(moment(w));
            (void)arrived;
            auto done = co_await read_short_of_memory(pair->here, kind, size, failures);
            REQUIRE(error_of(done) == errc::ok);
            CHECK(failures >= 1); // the buffer at least; it may become the result itself
        }
    }
}
TEST_CASE("a read without memory: no_memory, and the next has every byte") {
    run(every_allocation_fails);
}

task<> read_and_compare(stream& from, std::uint64_t end) {
    auto all = co_await from.read();
    REQUIRE(error_of(all) == errc::ok);
    REQUIRE(all->size() == end);
    CHECK(agreeing(all->span(), 0) == end);
}
task<> write_without_memory(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    const std::size_t size = w.known().most_in_flight + 1'000'000;
    const parity::bytes all = known_bytes(0, size);
    fail_after(0);
    const auto taken = pair->client.write(all);
    CHECK(fail_no_more());
    REQUIRE(error_of(taken) == errc::ok);
    CHECK(*taken > 0);
    CHECK(*taken < size);
    CHECK(error_of(pair->client.write("not yet")) == errc::no_memory);
    auto told = co_await pair->client.drain();
    CHECK(error_of(told) == errc::no_memory);
    auto told_once = co_await pair->client.drain();
    CHECK(error_of(told_once) == errc::ok);
    const auto rest = pair->client.write(std::span(all).subspan(*taken));
    REQUIRE(error_of(rest) == errc::ok);
    CHECK(*rest == size - *taken);
    auto both =
        co_await weft::when_all(pair->client.wait_closed(), read_and_compare(pair->server, size));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
}
TEST_CASE("a write without memory: takes what it can, drain tells once, and it can go on") {
    run(write_without_memory);
}

task<> no_memory_for_a_stream(world& w) {
    weft::tcp_listener listener = parity::listen(w);
    const result<endpoint> at = listener.local();
    REQUIRE(error_of(at) == errc::ok);
    int failures = 0;
    for (long passing = 0; passing < 20; ++passing) {
        fail_after(passing);
        auto peer = co_await uasyncio::open_connection(w.client_net(), *at);
        const bool missing = fail_no_more();
        if (peer) {
            CHECK((!missing || passing > 0)); // it may have been the accepted end's
            break;
        }
        CHECK(missing);
        CHECK(error_of(peer) == errc::no_memory);
        ++failures;
    }
    CHECK(failures >= 1);
}
TEST_CASE("open_connection without memory: no_memory, and no socket is left") {
    run(no_memory_for_a_stream);
}

task<> greet_once(stream peer) {
    peer.write("welcome\n");
    auto closed = co_await peer.wait_closed();
    (void)closed;
}
task<> hear(world& w, server& s, errc& told) {
    auto peer = co_await connect_to(w, s);
    if (!peer) {
        told = peer.error();
        co_return;
    }
    auto line = co_await weft::timeout(peer->readline(), w.silence());
    told = line && *line == "welcome\n" ? errc::ok : errc::end_of_stream;
}
task<> accept_without_memory(world& w) {
    auto s = co_await uasyncio::start_server(
        w.server_net(), &greet_once, host_of(w.server_address(family::ipv4)), 0);
    REQUIRE(error_of(s) == errc::ok);
    int failures = 0;
    for (long passing = 0; passing < 12; ++passing) {
        errc told = errc::ok;
        fail_after(passing);
        auto heard = co_await hear(w, *s, told);
        REQUIRE(error_of(heard) == errc::ok);
        failures += fail_no_more() ? 1 : 0;
        CHECK(s->is_serving());
        auto again = co_await hear(w, *s, told);
        REQUIRE(error_of(again) == errc::ok);
        CHECK(told == errc::ok);
    }
    CHECK(failures >= 3); // the ends' sockets, their streams
}
TEST_CASE("each allocation on a connection's way fails once: the server serves the next") {
    if (here().known().lossy) {
        parity::skip("the end of a handshake may be lost, and the client hears nothing then");
        return;
    }
    run(accept_without_memory);
}

task<> no_frames(world& w) {
    weft::tcp_listener listener = parity::listen(w);
    const result<endpoint> at = listener.local();
    REQUIRE(error_of(at) == errc::ok);
    weft::frame_pool::trim();
    weft::frame_pool::limit(1);
    auto peer = co_await uasyncio::open_connection(w.client_net(), *at);
    auto server =
        co_await uasyncio::start_server(w.server_net(), [](stream) { return task<>(); }, "", 0);
    weft::frame_pool::limit(0);
    CHECK(error_of(peer) == errc::no_memory);
    CHECK(error_of(server) == errc::no_memory);
}
TEST_CASE("without a coroutine's frame: no_memory") {
    run(no_frames);
}

task<> no_task(stream) {
    return {}; // as from a coroutine that found no frame
}
task<> connection_without_frame(world& w) {
    auto server = co_await uasyncio::start_server(w.server_net(), &no_task, "", 0);
    REQUIRE(error_of(server) == errc::ok);
    auto peer = co_await connect_to(w, *server);
    REQUIRE(error_of(peer) == errc::ok);
    REQUIRE(error_of(peer->write("x")) == errc::ok);
    auto end = co_await peer->read();
    CHECK((end ? errc::ok : errc::connection_reset) == error_of(end));
    CHECK(server->failures() == 1);
    CHECK(server->is_serving());
}
TEST_CASE("a callback that finds no frame: its connection closes, the server goes on") {
    run(connection_without_frame);
}

task<> datagram_without_memory(world& w) {
    const endpoint at{w.server_address(family::ipv4), 0};
    auto server = uasyncio::create_datagram_endpoint(w.server_net(), at);
    REQUIRE(error_of(server) == errc::ok);
    auto client = uasyncio::create_datagram_endpoint(
        w.client_net(), std::nullopt, server->get_extra_info("sockname"));
    REQUIRE(error_of(client) == errc::ok);
    auto sent = co_await client->sendto("kept");
    REQUIRE(error_of(sent) == errc::ok);
    auto arrived = co_await weft::sleep_for(w.settling());
    (void)arrived;
    fail_after(0);
    auto none = co_await server->recvfrom();
    CHECK(fail_no_more());
    CHECK(error_of(none) == errc::no_memory);
    auto got = co_await server->recvfrom();
    REQUIRE(error_of(got) == errc::ok);
    CHECK(got->data == "kept");
}
TEST_CASE("recvfrom without memory: no_memory, and the datagram is still there") {
    if (here().known().lossy) {
        parity::skip("the datagram may be lost");
        return;
    }
    run(datagram_without_memory);
}

} // namespace
} // namespace uasyncio_test
