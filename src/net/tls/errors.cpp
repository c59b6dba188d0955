#include "net/tls/errors.hpp"

#include <mbedtls/asn1.h>
#include <mbedtls/bignum.h>
#include <mbedtls/cipher.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509.h>

namespace weft::tls {

namespace {

bool is_of_memory(int returned) noexcept {
    switch (returned) {
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
    case MBEDTLS_ERR_X509_ALLOC_FAILED:
    case MBEDTLS_ERR_PK_ALLOC_FAILED:
    case MBEDTLS_ERR_ECP_ALLOC_FAILED:
    case MBEDTLS_ERR_CIPHER_ALLOC_FAILED:
    case MBEDTLS_ERR_MD_ALLOC_FAILED:
    case MBEDTLS_ERR_PEM_ALLOC_FAILED:
        return true;
    default: // a low-level number may be added to the module's
        const int low = -(-returned & 0x7f);
        return low == MBEDTLS_ERR_MPI_ALLOC_FAILED || low == MBEDTLS_ERR_ASN1_ALLOC_FAILED;
    }
}

} // namespace

errc refusal(std::uint32_t flags) noexcept {
    struct row {
        std::uint32_t flags;
        errc meaning;
    };
    constexpr row gravest_first[] = {
        {MBEDTLS_X509_BADCERT_MISSING, errc::certificate_missing},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, errc::certificate_untrusted},
        {MBEDTLS_X509_BADCERT_REVOKED, errc::certificate_revoked},
        {MBEDTLS_X509_BADCERT_EXPIRED, errc::certificate_expired},
        {MBEDTLS_X509_BADCERT_FUTURE, errc::certificate_not_yet_valid},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, errc::certificate_wrong_name},
    };
    for (const row& each : gravest_first) {
        if ((flags & each.flags) != 0) {
            return each.meaning;
        }
    }
    return flags == 0 ? errc::ok : errc::certificate_unfit;
}

errc meaning(int returned, std::uint32_t flags) noexcept {
    switch (returned) {
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        return refusal(flags);
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return errc::tls_alert;
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY: // before the handshake was over
        return errc::tls_truncated;
    case MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED:
        return errc::certificate_untrusted;
#if MBEDTLS_VERSION_MAJOR < 3
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
        return errc::certificate_missing;
    case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
    case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE:
#else
    case MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL:
    case MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE:
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
#endif
        return errc::tls_no_agreement;
    default:
        if (is_of_memory(returned)) {
            return errc::no_memory;
        }
        // 3.6 says so in the flags alone; all of them: it has not looked yet
        constexpr std::uint32_t unknown = ~std::uint32_t{};
        return flags != unknown && (flags & MBEDTLS_X509_BADCERT_MISSING) != 0
                   ? errc::certificate_missing
                   : errc::tls_protocol;
    }
}

errc meaning_for_options(int returned) noexcept {
    if (is_of_memory(returned)) {
        return errc::no_memory;
    }
    return returned == MBEDTLS_ERR_X509_FILE_IO_ERROR || returned == MBEDTLS_ERR_PK_FILE_IO_ERROR
               ? errc::no_such_entry
               : errc::invalid_argument;
}

} // namespace weft::tls
