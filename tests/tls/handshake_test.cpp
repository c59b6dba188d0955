// Handshakes: what is agreed on, who refuses whom and why, and those that never end.
#include "contexts.hpp"

#include <weft/scope.hpp>
#include <weft/sleep.hpp>
#include <weft/timeout.hpp>

#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tls_test {
namespace {

task<> agreed(world& w) {
    constexpr std::string_view offered[] = {"h2", "weft/1"};
    constexpr std::string_view known[] = {"weft/1"};
    constexpr std::string_view cipher[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
    const tls_context server = server_of(made().server, {.protocols = known});
    const tls_context client =
        client_of(made().authority, {.protocols = offered, .ciphers = cipher});
    auto met = co_await meet(w, server, client);
    REQUIRE((met->server && met->client));
    for (const tls_stream* each : {&*met->server, &*met->client}) {
        CHECK(each->protocol() == "weft/1");
        CHECK(each->cipher() == "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256");
        CHECK(each->version() == "TLSv1.2");
        CHECK(each->certificate() == errc::ok);
    }
}
TEST_CASE("protocol and cipher are those that both ends have") {
    run(agreed);
}

struct row {
    const char* what;
    tls_context server;
    tls_context client;
    const char* expected;
    errc at_server;
    errc at_client;
};

task<> refusals(world& w) {
    const certificates& all = made();
    constexpr std::string_view one[] = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
    constexpr std::string_view other[] = {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"};
    constexpr std::string_view protocol[] = {"weft/1"};
    constexpr std::string_view other_protocol[] = {"weft/2", "weft/10", "weft/"};
    const tls_options of_client{.certificate = all.client.certificate, .key = all.client.key};
    const tls_options of_stranger{.certificate = all.strange.certificate, .key = all.strange.key};
    const tls_options would_like{.authorities = all.authority, .verify = tls_verify::optional};
    const tls_options asks{.authorities = all.authority};
    const tls_context usual = client_of(all.authority);
    const row table[] = {
        {"all is well", server_of(all.server), usual, name, errc::ok, errc::ok},
        {"an RSA key", server_of(all.rsa), usual, name, errc::ok, errc::ok},
        {"no name is asked for", server_of(all.server), usual, "", errc::ok, errc::ok},
        {"an intermediate's", server_of(all.chain), usual, name, errc::ok, errc::ok},
        {"an intermediate that is not shown", server_of(all.leaf), usual, name, errc::tls_alert,
         errc::certificate_untrusted},
        {"its own", server_of(all.itself), usual, name, errc::tls_alert,
         errc::certificate_untrusted},
        {"its own, which is known", server_of(all.itself), client_of(all.itself.certificate), name,
         errc::ok, errc::ok},
        {"another name", server_of(all.server), usual, "other.test", errc::tls_alert,
         errc::certificate_wrong_name},
        {"an unknown authority", server_of(all.strange), usual, name, errc::tls_alert,
         errc::certificate_untrusted},
        {"expired", server_of(all.expired), usual, name, errc::tls_alert,
         errc::certificate_expired},
        {"not looked at", server_of(all.expired),
         must(tls_context::client({.verify = tls_verify::none})), name, errc::ok, errc::ok},
        {"a client's is asked for and shown", server_of(all.server, asks),
         client_of(all.authority, of_client), name, errc::ok, errc::ok},
        {"a client's is asked for and missing", server_of(all.server, asks), usual, name,
         errc::certificate_missing, errc::tls_alert},
        {"a client's of an unknown authority", server_of(all.server, asks),
         client_of(all.authority, of_stranger), name, errc::certificate_untrusted, errc::tls_alert},
        {"a client's would be welcome, and is missing", server_of(all.server, would_like), usual,
         name, errc::ok, errc::ok},
        {"no cipher in common", server_of(all.server, {.ciphers = one}),
         client_of(all.authority, {.ciphers = other}), name, errc::tls_no_agreement,
         errc::tls_alert},
        {"no protocol in common", server_of(all.server, {.protocols = protocol}),
         client_of(all.authority, {.protocols = other_protocol}), name, errc::tls_no_agreement,
         errc::tls_alert},
        {"protocols to a server that has none", server_of(all.server),
         client_of(all.authority, {.protocols = protocol}), name, errc::ok, errc::ok},
    };
    for (const row& each : table) {
        INFO(std::string(each.what));
        auto met = co_await meet(w, each.server, each.client, each.expected);
        REQUIRE(met.has_value());
        CHECK(error_of(met->server) == each.at_server);
        if (each.at_client == errc::tls_alert && met->client) {
            // there a client is through before its server has looked at its certificate, which
            // says so, with mbedTLS 3.6, by a key that clients do not expect any more
            CHECK(met->client->version() == "TLSv1.3");
            std::array<std::byte, 1> byte{};
            auto told = co_await met->client->recv(byte);
            CHECK(error_of(told) == errc::tls_protocol);
            continue;
        }
        CHECK(error_of(met->client) == each.at_client);
    }
}
TEST_CASE("certificates and ciphers: who refuses, and what each end is told") {
    run(refusals);
}

task<> looked_at(world& w) {
    const tls_context server = server_of(made().strange);
    const tls_context client = client_of(made().authority, {.verify = tls_verify::optional});
    auto met = co_await meet(w, server, client, "other.test");
    REQUIRE((met->server && met->client));
    CHECK(met->client->certificate() == errc::certificate_untrusted);
}
TEST_CASE("optional: a bad certificate is told and not refused") {
    run(looked_at);
}

/// A clock that stands `days` away from the real one.
template <int days>
std::int64_t days_away(void* asked) noexcept {
    ++*static_cast<int*>(asked);
    return std::int64_t{std::time(nullptr)} + days * std::int64_t{86'400};
}

task<> by_the_clock(world& w) {
    const certificates& all = made();
    struct moment {
        std::int64_t (*clock)(void*) noexcept;
        errc at_client;
    };
    constexpr moment table[] = {
        {days_away<0>, errc::ok},
        {days_away<1>, errc::ok},
        {days_away<3>, errc::certificate_expired},
        {days_away<-3>, errc::certificate_not_yet_valid},
    };
    const tls_context server = server_of(all.server);
    for (const moment& each : table) {
        int asked = 0;
        const tls_context client =
            client_of(all.authority, {.clock = each.clock, .clock_context = &asked});
        auto met = co_await meet(w, server, client);
        REQUIRE(met.has_value());
        CHECK(error_of(met->client) == each.at_client);
        CHECK(asked == 2); // once for each certificate of the chain
    }
    int asked = 0; // what the real clock finds expired was not, two days ago
    const tls_context then =
        client_of(all.authority, {.clock = days_away<-2>, .clock_context = &asked});
    auto met = co_await meet(w, server_of(all.expired), then);
    CHECK(error_of(met->client) == errc::certificate_not_yet_valid);
}
TEST_CASE("certificates are good, too early or expired by the context's clock") {
    run(by_the_clock);
}

TEST_CASE("contexts: what cannot be is refused when it is made") {
    const certificates& all = made();
    const auto error = [](const result<tls_context>& r) {
        return error_of(r);
    };
    using c = tls_context;
    CHECK(error(c::client({})) == errc::invalid_argument); // believes nobody
    CHECK(error(c::client({.authorities = "rubbish"})) == errc::invalid_argument);
    CHECK(error(c::client({.authorities_file = "/no/such/file"})) == errc::no_such_entry);
    CHECK(error(c::server({.verify = tls_verify::none})) == errc::invalid_argument);
    const tls_options asks_nobody{.certificate = all.server.certificate, .key = all.server.key};
    CHECK(error(c::server(asks_nobody)) == errc::invalid_argument); // required, of whom?
    CHECK(
        error(c::server(
            {.certificate = all.server.certificate,
             .key = all.client.key,
             .verify = tls_verify::none})) == errc::invalid_argument);
    constexpr std::string_view unknown[] = {"TLS_NO_SUCH_CIPHER"};
    CHECK(
        error(c::client({.verify = tls_verify::none, .ciphers = unknown})) ==
        errc::invalid_argument);
    CHECK(
        error(c::client({.verify = tls_verify::none, .longest_record = 1000})) ==
        errc::invalid_argument);
    constexpr std::string_view with_nul[] = {{"h2\0", 3}}; // mbedTLS would see "h2"
    CHECK(
        error(c::client({.verify = tls_verify::none, .protocols = with_nul})) ==
        errc::invalid_argument);
}

bool has_1_3() {
    std::string_view each;
    for (std::size_t i = 0; !(each = tls_context::known_cipher(i)).empty(); ++i) {
        if (each.starts_with("TLS1-3-")) {
            return true;
        }
    }
    return false;
}

task<> at_least_1_3(world& w) {
    const tls_options modern{.verify = tls_verify::none, .minimum = weft::tls_version::tls_1_3};
    if (!has_1_3()) {
        CHECK(error_of(tls_context::client(modern)) == errc::not_supported);
        co_return;
    }
    auto met = co_await meet(w, server_of(made().server), must(tls_context::client(modern)));
    REQUIRE(met->client.has_value());
    CHECK(met->client->version() == "TLSv1.3");
}
TEST_CASE("TLS 1.3 at least: so it is, or not supported when the context is made") {
    run(at_least_1_3);
}

TEST_CASE("a key with a password is read with that and no other") {
    const identity locked = with_password(made().server, "secret");
    const auto error = [&locked](std::string_view password) {
        return error_of(tls_context::server(
            {.certificate = locked.certificate,
             .key = locked.key,
             .key_password = password,
             .verify = tls_verify::none}));
    };
    CHECK(error("secret") == errc::ok);
    CHECK(error("guessed") == errc::invalid_argument);
    CHECK(error("") == errc::invalid_argument);
}

task<> impossible_names(world& w) {
    const tls_context client = client_of(made().authority);
    for (const std::string& each :
         {std::string(256, 'a'), std::string("weft.test\0.evil.test", 20)}) {
        auto pair = co_await connect_pair(w);
        auto met = co_await tls_stream::client(client, std::move(pair->client), each);
        CHECK(error_of(met) == errc::invalid_argument);
    }
}
TEST_CASE("a name that no certificate can have is refused, not cut short") {
    run(impossible_names);
}

// --- peers that are none

task<> without_context(world& w) {
    auto pair = co_await connect_pair(w);
    const tls_context none;
    auto met = co_await tls_stream::client(none, std::move(pair->client), name);
    CHECK(error_of(met) == errc::invalid_argument);
    auto ended = co_await expect_end(pair->server);
    CHECK(ended.has_value());
}
TEST_CASE("without a context there is no handshake, and the connection is closed") {
    run(without_context);
}

task<> garbage(world& w) {
    const tls_context server = server_of(made().server);
    auto pair = co_await connect_pair(w);
    auto sent = co_await pair->client.send_all("GET / HTTP/1.0\r\n\r\n");
    REQUIRE(sent.error() == errc::ok);
    auto met = co_await tls_stream::server(server, std::move(pair->server));
    CHECK(error_of(met) == errc::tls_protocol);
}
TEST_CASE("what is no handshake is a breach of protocol") {
    run(garbage);
}

task<> gone(world& w) {
    const tls_context server = server_of(made().server);
    const tls_context client = client_of(made().authority);
    auto ends = co_await connect_pair(w);
    ends->client.close();
    auto met = co_await tls_stream::server(server, std::move(ends->server));
    CHECK(error_of(met) == errc::tls_truncated);
    auto resets = co_await connect_pair(w);
    resets->server.abort();
    auto reset = co_await tls_stream::client(client, std::move(resets->client), name);
    CHECK(error_of(reset) == errc::connection_reset);
}
TEST_CASE("a peer that goes before the handshake is over: truncated, or reset") {
    run(gone);
}

task<> stalls(world& w) {
    const tls_context client = client_of(made().authority);
    auto pair = co_await connect_pair(w);
    auto met = co_await weft::timeout(
        tls_stream::client(client, std::move(pair->client), name), w.settling());
    CHECK(error_of(met) == errc::timed_out);
    std::uint64_t hello = 0;
    std::array<std::byte, 1024> buffer{};
    for (std::size_t n = 1; n > 0; hello += n) {
        auto got = co_await pair->server.recv(buffer);
        REQUIRE(got.has_value());
        n = *got;
    }
    CHECK(hello > 0);
}
TEST_CASE("a peer that stalls: the deadline ends the handshake, and the connection is closed") {
    run(stalls);
}

task<> cancel_soon(weft::scope& work) {
    auto slept = co_await weft::sleep_for(1ms);
    (void)slept;
    work.cancel();
}

task<> canceled(world& w) {
    const tls_context client = client_of(made().authority);
    auto pair = co_await connect_pair(w);
    weft::scope work(w.home());
    auto both = co_await weft::when_all(
        weft::within(work, tls_stream::client(client, std::move(pair->client), name)),
        cancel_soon(work));
    CHECK(error_of(std::get<0>(both)) == errc::canceled);
}
TEST_CASE("a handshake can be cancelled") {
    run(canceled);
}

/// Two ends that shake hands by themselves.
struct shaking_pair {
    tls_stream server;
    tls_stream client;
};

task<> leave_the_queue(world& w) {
    std::vector<shaking_pair> pairs(12);
    {
        const tls_context server = server_of(made().server);
        const tls_context client = client_of(made().authority);
        for (shaking_pair& each : pairs) {
            auto plain = co_await connect_pair(w);
            auto s = tls_stream::begin(server, std::move(plain->server), {});
            auto c = tls_stream::begin(client, std::move(plain->client), name);
            REQUIRE((s.has_value() && c.has_value()));
            each.server = tls_stream(*s);
            each.client = tls_stream(*c);
        }
    } // the contexts are the streams' now
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        auto others = co_await weft::yield();
        REQUIRE(others.has_value());
        if (i % 3 == 0) {
            pairs[i] = {};
        } else if (i % 3 == 1) {
            pairs[i].client = tls_stream();
        }
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (pairs[i].server.is_open()) {
            auto over = co_await pairs[i].server.writable();
            REQUIRE(over.has_value());
            const result<> outcome = pairs[i].server.socket()->connect_result();
            const bool alone = i % 3 == 1;
            CHECK((outcome.has_value() || alone));
        }
    }
}
TEST_CASE(
    "of many handshakes that take turns some leave, and their contexts are gone before them") {
    run(leave_the_queue);
}

} // namespace
} // namespace tls_test
