// Sessions: a handshake that goes on from an earlier one, and what it may not be used for.
#include "contexts.hpp"

#include <array>
#include <string>

namespace tls_test {
namespace {

/// A handshake with a session, and bytes both ways.
task<meeting> meet_again(
    world& w, const tls_context& server, const tls_context& client, const tls_session& earlier,
    const char* expected = name) {
    auto pair = co_await connect_pair(w);
    auto both = co_await weft::when_all(
        tls_stream::server(server, std::move(pair->server)),
        tls_stream::client(client, std::move(pair->client), expected, earlier));
    meeting met(std::move(std::get<0>(both)), std::move(std::get<1>(both)));
    if (met.server && met.client) {
        auto there = co_await weft::when_all(
            send_sequence(w, *met.client, 0, 1000, 1000),
            expect_sequence(w, *met.server, 0, 1000, 1000));
        auto back = co_await weft::when_all(
            send_sequence(w, *met.server, 0, 1000, 1000),
            expect_sequence(w, *met.client, 0, 1000, 1000));
        const bool all_well =
            std::get<0>(there) && std::get<1>(there) && std::get<0>(back) && std::get<1>(back);
        REQUIRE(all_well);
    }
    co_return std::move(met);
}

tls_session must_save(const tls_stream& of) {
    result<tls_session> saved = of.session();
    const errc error = error_of(saved);
    REQUIRE(error == errc::ok);
    return std::move(*saved);
}

task<> goes_on(world& w) {
    const tls_context server = server_of(made().server);
    const tls_context client = client_of(made().authority);
    tls_session session;
    for (int round = 0; round < 4; ++round) {
        auto met = co_await meet_again(w, server, client, session);
        REQUIRE((met->server && met->client));
        CHECK(met->server->resumed() == (round > 0));
        CHECK(met->client->resumed() == (round > 0));
        CHECK(met->client->certificate() == errc::ok);
        CHECK(met->client->cipher() == met->server->cipher());
        CHECK(error_of(met->server->session()) == errc::not_supported);
        session = must_save(*met->client);
        CHECK(session);
    }
}
TEST_CASE("a client with a session of the last connection goes on from it, again and again") {
    run(goes_on);
}

task<> forgotten(world& w) {
    const tls_context client = client_of(made().authority);
    auto first = co_await meet_again(w, server_of(made().server), client, {});
    REQUIRE(first->client.has_value());
    const tls_session session = must_save(*first->client);
    const tls_options without{.resumption = false};
    for (const tls_context& other : {server_of(made().server), server_of(made().server, without)}) {
        auto met = co_await meet_again(w, other, client, session);
        REQUIRE((met->server && met->client));
        CHECK_FALSE(met->server->resumed());
        CHECK_FALSE(met->client->resumed());
    }
    auto refused = co_await meet_again(w, server_of(made().strange), client, session);
    CHECK(error_of(refused->client) == errc::certificate_untrusted); // it is looked at anew
}
TEST_CASE("a server that knows nothing of the session gets a whole handshake") {
    run(forgotten);
}

task<> not_another(world& w) {
    const tls_context server = server_of(made().server);
    const tls_context careless = must(tls_context::client({.verify = tls_verify::none}));
    const tls_context careful = client_of(made().authority);
    auto first = co_await meet_again(w, server, careless, {}, "");
    REQUIRE(first->client.has_value());
    const tls_session session = must_save(*first->client);
    for (const tls_context& context : {careful, careless}) {
        auto pair = co_await connect_pair(w);
        auto met = co_await tls_stream::client(context, std::move(pair->client), name, session);
        CHECK(error_of(met) == errc::invalid_argument);
    }
    auto met = co_await meet_again(w, server, careless, session, "");
    CHECK(met->client.has_value());
}
TEST_CASE("a session is of its context and name: what was not looked at then is not believed") {
    run(not_another);
}

task<> with_certificate(world& w) {
    const certificates& all = made();
    const tls_context server = server_of(all.server, {.authorities = all.authority});
    const tls_context client =
        client_of(all.authority, {.certificate = all.client.certificate, .key = all.client.key});
    auto first = co_await meet_again(w, server, client, {});
    REQUIRE((first->server && first->client));
    const std::span<const std::byte> shown = first->server->peer_certificate();
    CHECK(shown.size() > 100);
    if (first->client->version() == "TLSv1.3") { // whose tickets hold none: there are none, then
        CHECK(error_of(first->client->session()) == errc::would_block);
        co_return;
    }
    auto met = co_await meet_again(w, server, client, must_save(*first->client));
    REQUIRE((met->server && met->client));
    CHECK(met->server->resumed());
    CHECK(met->server->certificate() == errc::ok);
    const std::span<const std::byte> again = met->server->peer_certificate();
    CHECK(std::equal(shown.begin(), shown.end(), again.begin(), again.end()));
}
TEST_CASE("a client's certificate is remembered with its session") {
    run(with_certificate);
}

task<> found_again(world& w) {
    const tls_context server = server_of(made().strange);
    const tls_context client = client_of(made().authority, {.verify = tls_verify::optional});
    tls_session session;
    for (int round = 0; round < 3; ++round) {
        auto met = co_await meet_again(w, server, client, session, "other.test");
        REQUIRE((met->server && met->client));
        CHECK(met->client->resumed() == (round > 0));
        CHECK(met->client->certificate() == errc::certificate_untrusted);
        session = must_save(*met->client);
    }
}
TEST_CASE("optional: what was found in a bad certificate is found in its session, too") {
    run(found_again);
}

task<> anonymous_again(world& w) {
    const tls_context server =
        server_of(made().server, {.authorities = made().authority, .verify = tls_verify::optional});
    const tls_context client = client_of(made().authority);
    auto first = co_await meet_again(w, server, client, {});
    REQUIRE((first->server && first->client));
    CHECK(first->server->certificate() == errc::certificate_missing);
    result<tls_session> saved = first->client->session();
    const tls_session session = saved ? std::move(*saved) : tls_session();
    auto met = co_await meet_again(w, server, client, session);
    REQUIRE((met->server && met->client));
    CHECK(met->server->certificate() == errc::certificate_missing);
}
TEST_CASE("optional: a client without a certificate has none the second time, either") {
    run(anonymous_again);
}

task<> later(world& w) {
    auto met = co_await meet(w, server_of(made().server), client_of(made().authority));
    REQUIRE((met->server && met->client));
    const bool comes_behind = met->client->version() == "TLSv1.3";
    const result<tls_session> early = met->client->session();
    CHECK(error_of(early) == (comes_behind ? errc::would_block : errc::ok));
    auto sent = co_await met->server->send("!");
    CHECK(sent.value_or(0) == 1);
    std::array<std::byte, 1> byte{};
    auto got = co_await met->client->recv(byte);
    CHECK(got.value_or(0) == 1);
    for (int i = 0; i < 2; ++i) { // it stays
        const result<tls_session> saved = met->client->session();
        CHECK(error_of(saved) == errc::ok);
    }
}
TEST_CASE("a session is there with the first bytes at the latest, for whoever asks") {
    run(later);
}

task<> records(world& w, std::uint16_t longest, std::size_t taken) {
    const tls_context server = server_of(made().server);
    const tls_context client = client_of(made().authority, {.longest_record = longest});
    auto met = co_await meet(w, server, client);
    REQUIRE((met->server && met->client));
    const bytes much(20'000);
    if (met->client->version() == "TLSv1.3") {
        // a byte of each record tells its type; and mbedTLS's servers do as they like
        const result<std::size_t> answered = met->server->try_send(much);
        CHECK(answered.value_or(0) == 16'383);
        const result<std::size_t> sent = met->client->try_send(much);
        CHECK(sent.value_or(0) == taken - 1);
        co_return;
    }
    for (tls_stream* each : {&*met->server, &*met->client}) {
        const result<std::size_t> sent = each->try_send(much);
        CHECK(sent.value_or(0) == taken);
    }
}
TEST_CASE("the longest record is what the client asks for, in both directions") {
    run([](world& w) { return records(w, 0, 16'384); }, "16 KiB");
    run([](world& w) { return records(w, 4096, 4096); }, "4 KiB");
    run([](world& w) { return records(w, 512, 512); }, "512 B");
}

} // namespace
} // namespace tls_test
