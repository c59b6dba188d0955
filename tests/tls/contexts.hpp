// Contexts of the usual two ends, and connections between them.
#pragma once

#include "certificates.hpp"
#include "sequence.hpp"

#include <weft/tls.hpp>
#include <weft/when_all.hpp>

#include <string>
#include <tuple>

namespace tls_test {

using namespace parity;
using weft::tls_context;
using weft::tls_handshake;
using weft::tls_identity;
using weft::tls_options;
using weft::tls_pin;
using weft::tls_session;
using weft::tls_stream;
using weft::tls_verify;

inline constexpr const char* name = "weft.test";

inline tls_context must(result<tls_context> context) {
    const errc error = error_of(context);
    REQUIRE(error == errc::ok);
    return std::move(*context);
}
inline tls_context server_of(const identity& who, tls_options more = {}) {
    more.certificate = who.certificate;
    more.key = who.key;
    more.verify = more.authorities.empty() ? tls_verify::none : more.verify;
    return must(tls_context::server(more));
}
inline tls_context client_of(const std::string& authority, tls_options more = {}) {
    more.authorities = authority;
    return must(tls_context::client(more));
}

/// What a handshake came to at both ends, over a new connection.
struct meeting {
    meeting(result<tls_stream> s, result<tls_stream> c) noexcept
        : server(std::move(s)), client(std::move(c)) {}
    result<tls_stream> server;
    result<tls_stream> client;
};

inline task<meeting>
meet(world& w, const tls_context& server, const tls_context& client, const char* expected = name) {
    auto pair = co_await connect_pair(w);
    auto both = co_await weft::when_all(
        tls_stream::server(server, std::move(pair->server)),
        tls_stream::client(client, std::move(pair->client), expected));
    co_return meeting(std::move(std::get<0>(both)), std::move(std::get<1>(both)));
}

/// The usual server and client.
inline task<meeting> meet(world& w) {
    const tls_context server = server_of(made().server);
    const tls_context client = client_of(made().authority);
    auto met = co_await meet(w, server, client);
    const errc server_error = error_of(met->server);
    const errc client_error = error_of(met->client);
    REQUIRE(server_error == errc::ok);
    REQUIRE(client_error == errc::ok);
    co_return std::move(*met);
}

} // namespace tls_test
