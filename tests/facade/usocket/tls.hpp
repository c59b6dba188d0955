// The two ends of TLS in a scene.
#pragma once

#include "../../tls/certificates.hpp"
#include "scene.hpp"

#include <usocket/ussl.hpp>

namespace contract {

using tls_test::made;
using ussl::SSLContext;
using ussl::SSLSocket;

inline constexpr int refused_certificate = -0x2700; // MBEDTLS_ERR_X509_CERT_VERIFY_FAILED
inline constexpr int told_by_alert = -0x7780;       // MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE
inline constexpr int not_tls = -0x7200;             // MBEDTLS_ERR_SSL_INVALID_RECORD
inline constexpr int cut_short = -0x7280;           // MBEDTLS_ERR_SSL_CONN_EOF

/// "weft.test", with its certificate.
inline SSLContext serving() {
    SSLContext context(ussl::PROTOCOL_TLS_SERVER);
    context.load_cert_chain(made().server.certificate, made().server.key);
    return context;
}
/// Who believes the authority behind it.
inline SSLContext asking() {
    SSLContext context(ussl::PROTOCOL_TLS_CLIENT);
    context.load_verify_locations(nullptr, made().authority);
    context.verify_mode = ussl::CERT_REQUIRED;
    return context;
}

struct tls_ends {
    SSLSocket server;
    SSLSocket client;
};

/// Handshaken, blocking.
inline tls_ends tls_connected(scene& at) {
    auto [server, client] = at.connected();
    SSLContext there = serving();
    SSLContext here = asking();
    SSLSocket s = there.wrap_socket(
        std::move(server), {.server_side = true, .do_handshake_on_connect = false});
    SSLSocket c = here.wrap_socket(std::move(client), {.server_hostname = "weft.test"});
    s.do_handshake();
    return {std::move(s), std::move(c)};
}

} // namespace contract
