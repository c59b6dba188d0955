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

task<> of_an_address(world& w) {
    const tls_context server = server_of(made().many);
    const tls_context client = client_of(made().authority);
    auto first = co_await meet_again(w, server, client, {}, "2001:db8::7");
    REQUIRE(first->client.has_value());
    const tls_session session = must_save(*first->client);
    for (const char* other : {"192.0.2.7", "2001:db8::8", "a.wild.test", ""}) {
        auto pair = co_await connect_pair(w);
        auto met = co_await tls_stream::client(client, std::move(pair->client), other, session);
        CHECK(error_of(met) == errc::invalid_argument);
    }
    auto met = co_await meet_again(w, server, client, session, "2001:DB8::0:7"); // the same
    REQUIRE(met->client.has_value());
    CHECK(met->client->resumed());
}
TEST_CASE("a session with an address is of that address") {
    run(of_an_address);
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

// --- as bytes

bytes must_pack(const tls_session& session) {
    bytes packed(session.saved_size() + 10);
    const result<std::size_t> size = session.save(packed);
    REQUIRE(size.value_or(0) == session.saved_size());
    packed.resize(*size);
    return packed;
}

task<> after_a_restart(world& w) {
    const tls_context server = server_of(made().server);
    bytes kept;
    for (int run = 0; run < 3; ++run) {
        const tls_context client = client_of(made().authority); // another one each time
        tls_session session;
        if (run > 0) {
            result<tls_session> unpacked = tls_session::load(client, kept);
            REQUIRE(unpacked.has_value());
            session = std::move(*unpacked);
            CHECK(must_pack(session).size() == kept.size());
        }
        auto met = co_await meet_again(w, server, client, session);
        REQUIRE((met->server && met->client));
        CHECK(met->server->resumed() == (run > 0));
        CHECK(met->client->resumed() == (run > 0));
        CHECK(met->client->certificate() == errc::ok);
        kept = must_pack(must_save(*met->client));
    }
}
TEST_CASE("a session goes through bytes into another context, again and again") {
    run(after_a_restart);
}

task<> bytes_of_another(world& w) {
    const certificates& all = made();
    const tls_options some{.verify = tls_verify::optional};
    const tls_pin pins[] = {tls_pin{}};
    const tls_context careless = client_of(all.authority, some);
    auto met = co_await meet_again(w, server_of(all.strange), careless, {});
    REQUIRE(met->client.has_value());
    const bytes kept = must_pack(must_save(*met->client));
    for (const tls_context& other :
         {client_of(all.authority), client_of(all.stranger, some),
          client_of(all.authority, {.pins = {pins}, .verify = tls_verify::optional}),
          must(tls_context::client({.verify = tls_verify::none})), tls_context()}) {
        CHECK(error_of(tls_session::load(other, kept)) == errc::invalid_argument);
    }
    for (const tls_context& other :
         {client_of(all.authority, {.resumption = false}), server_of(all.server)}) {
        CHECK(error_of(tls_session::load(other, kept)) == errc::not_supported);
    }
    const tls_context same = client_of(all.authority, some);
    const result<tls_session> unpacked = tls_session::load(same, kept);
    REQUIRE(unpacked.has_value());
    auto pair = co_await connect_pair(w);
    auto refused = co_await tls_stream::client(same, std::move(pair->client), "b.test", *unpacked);
    CHECK(error_of(refused) == errc::invalid_argument);
    auto again = co_await meet_again(w, server_of(all.strange), same, *unpacked);
    REQUIRE(again->client.has_value());
    CHECK(again->client->certificate() == errc::certificate_untrusted);
}
TEST_CASE(
    "a session's bytes are for who looks at certificates as who saved them, and for one name") {
    run(bytes_of_another);
}

task<> damaged(world& w) {
    const tls_context client = client_of(made().authority);
    auto met = co_await meet_again(w, server_of(made().server), client, {});
    REQUIRE(met->client.has_value());
    const tls_session session = must_save(*met->client);
    const bytes kept = must_pack(session);
    for (std::size_t size = 0; size < kept.size(); ++size) {
        const bytes cut(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(size)); // for ASan
        const result<tls_session> unpacked = tls_session::load(client, cut);
        REQUIRE(error_of(unpacked) == errc::invalid_argument);
        bytes small(size);
        const result<std::size_t> packed = session.save(small);
        REQUIRE(error_of(packed) == errc::message_too_long);
    }
    for (std::size_t at = 0; at < kept.size(); ++at) { // whatever it is taken for
        bytes changed = kept;
        changed[at] ^= std::byte{0x55};
        const result<tls_session> unpacked = tls_session::load(client, changed);
        const errc error = error_of(unpacked);
        const bool told = error == errc::ok || error == errc::invalid_argument ||
                          error == errc::no_memory || error == errc::not_supported;
        REQUIRE(told);
    }
    const tls_session none;
    bytes much(3000);
    CHECK(none.saved_size() == 0);
    CHECK(error_of(none.save(much)) == errc::invalid_argument);
}
TEST_CASE("a session's bytes, cut or changed: nothing is read beyond them") {
    run(damaged);
}

// --- records

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
