#define MBEDTLS_ALLOW_PRIVATE_ACCESS // 3 hides the state

#include "steps.hpp"

#include <array>
#include <utility>

#include <mbedtls/ssl.h>

namespace bench {

namespace {

constexpr const char* other = "another";

const char* message_of(int state) noexcept {
    switch (state) {
    case MBEDTLS_SSL_CLIENT_HELLO:
        return "ClientHello";
    case MBEDTLS_SSL_SERVER_HELLO:
        return "ServerHello";
    case MBEDTLS_SSL_SERVER_CERTIFICATE:
        return "Certificate";
    case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
        return "ServerKeyExchange";
    case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
        return "ClientKeyExchange";
    case MBEDTLS_SSL_CERTIFICATE_VERIFY:
        return "CertificateVerify";
    default:
        return other;
    }
}

std::array<step, 2> longest{{{other, 0}, {other, 0}}};

} // namespace

step longest_step(bool of_server) noexcept {
    return std::exchange(longest[of_server ? 1 : 0], {other, 0});
}

} // namespace bench

extern "C" {

int __real_mbedtls_ssl_handshake_step(mbedtls_ssl_context* ssl);
int __wrap_mbedtls_ssl_handshake_step(mbedtls_ssl_context* ssl);

int __wrap_mbedtls_ssl_handshake_step(mbedtls_ssl_context* ssl) {
    const char* const message = bench::message_of(ssl->state);
    bench::step& most = bench::longest[ssl->conf->endpoint == MBEDTLS_SSL_IS_SERVER ? 1 : 0];
    const std::int64_t begun = bench::clock_of_steps();
    const int returned = __real_mbedtls_ssl_handshake_step(ssl);
    const std::int64_t took = bench::clock_of_steps() - begun;
    if (took > most.took) {
        most = {message, took};
    }
    return returned;
}

} // extern "C"
