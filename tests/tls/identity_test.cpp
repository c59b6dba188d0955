// Who shows what to whom, and who is believed by a key.
#include "contexts.hpp"

#include <array>
#include <span>
#include <string>

namespace tls_test {
namespace {

// --- certificates by name (SNI)

task<> by_name(world& w) {
    const certificates& all = made();
    const tls_identity others[] = {
        {.name = "other.test", .certificate = all.other.certificate, .key = all.other.key},
        {.name = "*.weft.test", .certificate = all.client.certificate, .key = all.client.key},
        {.name = "client.weft.test", .certificate = all.rsa.certificate, .key = all.rsa.key},
    };
    const tls_context server = server_of(all.server, {.identities = {others}});
    const tls_context client = client_of(all.authority);
    struct row {
        const char* asked;
        errc at_client; // ok: that name is in the certificate that was shown
    };
    constexpr row table[] = {
        {"weft.test", errc::ok},
        {"other.test", errc::ok},
        {"OTHER.Test", errc::ok},
        {"client.weft.test", errc::ok}, // the first that fits
        {"another.weft.test", errc::certificate_wrong_name},
        {"a.client.weft.test", errc::certificate_wrong_name},
        {"unknown.test", errc::certificate_wrong_name},
        {"", errc::ok},
    };
    bytes first;
    bytes shown_last;
    for (const row& each : table) {
        INFO(std::string(each.asked));
        auto met = co_await meet(w, server, client, each.asked);
        REQUIRE(met.has_value());
        CHECK(error_of(met->client) == each.at_client);
        if (met->client) {
            const std::span<const std::byte> shown = met->client->peer_certificate();
            shown_last.assign(shown.begin(), shown.end());
            first = first.empty() ? shown_last : first;
        }
    }
    CHECK((shown_last == first)); // who asks for no name is shown the context's
}
TEST_CASE("a server shows each client the certificate of the name that it asks for") {
    run(by_name);
}

TEST_CASE("a server's further certificates are read when its context is made") {
    const certificates& all = made();
    const auto error = [&all](const tls_identity& one) {
        return error_of(tls_context::server(
            {.certificate = all.server.certificate,
             .key = all.server.key,
             .identities = {{&one, 1}},
             .verify = tls_verify::none}));
    };
    const identity& other = all.other;
    CHECK(error({"other.test", other.certificate, other.key}) == errc::ok);
    CHECK(error({"", other.certificate, other.key}) == errc::invalid_argument);
    CHECK(error({"other.test", other.certificate, ""}) == errc::invalid_argument);
    CHECK(error({"other.test", other.certificate, all.server.key}) == errc::invalid_argument);
    CHECK(error({std::string(254, 'a'), "", ""}) == errc::invalid_argument);
    const tls_identity one{"other.test", other.certificate, other.key};
    CHECK(
        error_of(tls_context::client({.identities = {{&one, 1}}, .verify = tls_verify::none})) ==
        errc::invalid_argument);
}

// --- whom a client expects

task<> by_expected(world& w) {
    const certificates& all = made();
    const tls_identity if_asked[] = {
        // RFC 6066, 3: nobody is asked for by an address
        {.name = "192.0.2.7", .certificate = all.other.certificate, .key = all.other.key},
        {.name = "2001:db8::7", .certificate = all.other.certificate, .key = all.other.key},
    };
    const tls_context server = server_of(all.many, {.identities = {if_asked}});
    const tls_context client = client_of(all.authority);
    struct row {
        const char* expected;
        errc at_client;
    };
    constexpr row table[] = {
        {"a.wild.test", errc::ok},
        {"A.Wild.TEST", errc::ok},
        {"wild.test", errc::certificate_wrong_name},
        {"a.b.wild.test", errc::certificate_wrong_name},
        {"*.wild.tes", errc::certificate_wrong_name},
        {"many", errc::certificate_wrong_name}, // the subject's CN, of no interest beside names
        {"192.0.2.7", errc::ok},
        {"192.0.2.6", errc::certificate_wrong_name},
        {"192.0.2.8", errc::certificate_wrong_name}, // is a name there
        {"2001:db8::7", errc::ok},
        {"2001:DB8:0:0:0:0:0:7", errc::ok},
        {"2001:db8::8", errc::certificate_wrong_name},
        {"::ffff:192.0.2.7", errc::certificate_wrong_name},
    };
    for (const row& each : table) {
        INFO(std::string(each.expected));
        auto met = co_await meet(w, server, client, each.expected);
        REQUIRE(met.has_value());
        CHECK(error_of(met->client) == each.at_client);
    }
    const tls_context looks = client_of(all.authority, {.verify = tls_verify::optional});
    auto met = co_await meet(w, server, looks, "192.0.2.6");
    REQUIRE(met->client.has_value());
    CHECK(met->client->certificate() == errc::certificate_wrong_name);
    auto nameless = co_await meet(w, server_of(all.server), client, "192.0.2.7");
    CHECK(error_of(nameless->client) == errc::certificate_wrong_name);
}
TEST_CASE("a client finds whom it expects among the names, or the addresses, in the certificate") {
    run(by_expected);
}

task<> expected_and_pinned(world& w) {
    const tls_pin pins[] = {pin_of(made().many)};
    const tls_context client = must(tls_context::client({.pins = {pins}}));
    const tls_context server = server_of(made().many);
    auto met = co_await meet(w, server, client, "192.0.2.7");
    CHECK(error_of(met->client) == errc::ok);
    auto another = co_await meet(w, server, client, "192.0.2.6");
    CHECK(error_of(another->client) == errc::certificate_wrong_name);
}
TEST_CASE("pins: an address is looked at as a name is") {
    run(expected_and_pinned);
}

// --- peers by key

task<> by_key(world& w) {
    const certificates& all = made();
    const tls_pin pins[] = {
        pin_of(all.itself), pin_of(all.leaf), pin_of(all.strange), pin_of(all.expired)};
    const std::string nobody;
    struct row {
        const char* what;
        const identity& server;
        const std::string& authority;
        const char* expected;
        errc at_client;
    };
    const row table[] = {
        {"its own signature, pinned", all.itself, nobody, name, errc::ok},
        {"an unknown intermediate's", all.leaf, nobody, name, errc::ok},
        {"the same key with the chain", all.chain, nobody, name, errc::ok},
        {"another name", all.itself, nobody, "other.test", errc::certificate_wrong_name},
        {"another key", all.server, nobody, name, errc::certificate_untrusted},
        {"expired", all.expired, nobody, name, errc::certificate_expired},
        {"pinned, and signed by whom it should", all.chain, all.authority, name, errc::ok},
        {"pinned, and signed by another", all.strange, all.authority, name,
         errc::certificate_untrusted},
        {"signed, and not pinned", all.server, all.authority, name, errc::certificate_untrusted},
    };
    for (const row& each : table) {
        INFO(std::string(each.what));
        const tls_context client = client_of(each.authority, {.pins = {pins}});
        auto met = co_await meet(w, server_of(each.server), client, each.expected);
        REQUIRE(met.has_value());
        CHECK(error_of(met->client) == each.at_client);
    }
}
TEST_CASE("pins: the peer's key decides, beside authorities or without any") {
    run(by_key);
}

task<> by_key_of_client(world& w) {
    const certificates& all = made();
    const tls_pin pins[] = {pin_of(all.client)};
    const tls_context server = must(tls_context::server(
        {.pins = {pins}, .certificate = all.server.certificate, .key = all.server.key}));
    for (const identity* who : {&all.client, &all.strange}) {
        const tls_context client =
            client_of(all.authority, {.certificate = who->certificate, .key = who->key});
        auto met = co_await meet(w, server, client);
        REQUIRE(met.has_value());
        CHECK(
            error_of(met->server) == (who == &all.client ? errc::ok : errc::certificate_untrusted));
    }
}
TEST_CASE("pins: a server knows its clients by their keys") {
    run(by_key_of_client);
}

TEST_CASE("pins: from one to eight") {
    const std::array<tls_pin, 9> pins{};
    const auto error = [&pins](std::size_t n) {
        return error_of(tls_context::client({.pins = {std::span(pins).first(n)}}));
    };
    CHECK(error(0) == errc::invalid_argument);
    CHECK(error(1) == errc::ok);
    CHECK(error(8) == errc::ok);
    CHECK(error(9) == errc::invalid_argument);
    const tls_options unseen{
        .pins = {std::span(pins).first(1)}, .verify = tls_verify::none}; // nobody would look
    CHECK(error_of(tls_context::client(unseen)) == errc::invalid_argument);
}

} // namespace
} // namespace tls_test
