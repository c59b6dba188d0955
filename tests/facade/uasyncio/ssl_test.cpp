// open_connection() and start_server() with `ssl`.
#include "../../tls/contexts.hpp"
#include "peers.hpp"

#include <usocket/ussl.hpp>

#include <string>
#include <type_traits>

namespace uasyncio_test {
namespace {

using tls_test::client_of;
using tls_test::made;
using tls_test::server_of;
using uasyncio::ssl_choice;

task<> echo_lines(stream peer) {
    while (true) {
        auto line = co_await peer.readline();
        if (!line) {
            co_await weft::fail(line.error());
        }
        if (line->empty()) {
            break;
        }
        peer.write(*line);
    }
    auto closed = co_await peer.wait_closed();
    (void)closed;
}

task<server> start(world& w, ssl_choice ssl) {
    auto started = co_await uasyncio::start_server(
        w.server_net(), &echo_lines, host_of(w.server_address(family::ipv4)), 0, 16, ssl);
    if (!started) {
        co_return weft::fail(started.error());
    }
    co_return std::move(*started);
}

/// As connect_to() does on a lossy wire: the end of TCP's handshake may be lost too often.
task<stream> ask(world& w, const server& s, ssl_choice ssl, std::string name = {}) {
    const std::string host = host_of(w.server_address(family::ipv4));
    const std::uint16_t port = s.sockname()->port;
    auto peer = co_await uasyncio::open_connection(w.client_net(), host, port, ssl, name);
    if (!peer) {
        co_return weft::fail(peer.error());
    }
    co_return std::move(*peer);
}

task<> lines_and_a_lot(world& w) {
    const weft::tls_context own = server_of(made().server);
    const weft::tls_context known = client_of(made().authority);
    auto s = co_await start(w, own);
    REQUIRE(error_of(s) == errc::ok);
    auto peer = co_await ask(w, *s, known, "weft.test");
    REQUIRE(error_of(peer) == errc::ok);
    peer->write("one\ntwo\n");
    auto one = co_await peer->readline();
    CHECK(one->view() == "one\n");
    auto two = co_await peer->readexactly(4);
    CHECK(two->view() == "two\n");
    const std::string line = std::string(100'000, 'x') + "\n"; // several records
    peer->write(line);
    auto sent = co_await peer->drain();
    CHECK(error_of(sent) == errc::ok);
    auto same = co_await peer->readline();
    REQUIRE(error_of(same) == errc::ok);
    CHECK((same->view() == line));
    auto closed = co_await peer->wait_closed();
    CHECK(error_of(closed) == errc::ok);
    s->close();
    auto ended = co_await s->wait_closed();
    CHECK(error_of(ended) == errc::ok);
    CHECK(s->failures() == 0); // the end was close_notify, not a truncation
}
TEST_CASE("ssl: lines, and more than a record, there and back; close_notify is the end") {
    run(lines_and_a_lot);
}

// A name in the wrong place, or a context's address, would be "verify nobody".
static_assert(std::is_convertible_v<bool, ssl_choice>);
static_assert(!std::is_convertible_v<const char*, ssl_choice>);
static_assert(!std::is_convertible_v<const weft::tls_context*, ssl_choice>);

task<> true_or_ussl(world& w) {
    ussl::SSLContext own(ussl::PROTOCOL_TLS_SERVER);
    own.load_cert_chain(made().strange.certificate, made().strange.key);
    auto s = co_await start(w, own);
    REQUIRE(error_of(s) == errc::ok);
    auto peer = co_await ask(w, *s, true);
    REQUIRE(error_of(peer) == errc::ok);
    peer->write("line\n");
    auto line = co_await peer->readline();
    CHECK(line->view() == "line\n");
}
TEST_CASE("ssl: true verifies nobody; a context may be ussl's") {
    run(true_or_ussl);
}

task<> refused(world& w) {
    const weft::tls_context own = server_of(made().server);
    const weft::tls_context known = client_of(made().authority);
    const weft::tls_context doubtful = client_of(made().stranger);
    auto s = co_await start(w, own);
    REQUIRE(error_of(s) == errc::ok);
    auto stranger = co_await ask(w, *s, doubtful, "weft.test");
    CHECK(error_of(stranger) == errc::certificate_untrusted);
    auto nameless = co_await ask(w, *s, known); // the host is expected
    CHECK(error_of(nameless) == errc::certificate_wrong_name);
    while (s->failures() != 2) { // their tasks' first reads
        auto slept = co_await weft::sleep_for(moment(w));
        REQUIRE(error_of(slept) == errc::ok);
    }
    CHECK(s->connections() == 0);
    auto still = co_await ask(w, *s, known, "weft.test");
    CHECK(error_of(still) == errc::ok);

    auto nothing_to_show = co_await start(w, true);
    CHECK(error_of(nothing_to_show) == errc::invalid_argument);
}
TEST_CASE("ssl: a refused certificate is open_connection()'s error, and one task's of the server") {
    run(refused);
}

task<> stalls(world& w) {
    weft::result<weft::tcp_listener> listener =
        w.server_net().listen({w.server_address(family::ipv4), 0}, 4);
    REQUIRE(error_of(listener) == errc::ok);
    const std::string host = host_of(w.server_address(family::ipv4));
    auto late = co_await weft::timeout(
        uasyncio::open_connection(w.client_net(), host, listener->local()->port, true), moment(w));
    CHECK(error_of(late) == errc::timed_out);
}
TEST_CASE("ssl: a server that says nothing: weft::timeout() ends it, and no socket stays") {
    run(stalls);
}

} // namespace
} // namespace uasyncio_test
