// Error numbers: Linux's, and glibc's EAI_* for names, on every target.
#include "fixture.hpp"

#include <string>

using namespace test;

TEST_CASE("errors have their numbers, names and words") {
    struct row {
        errc error;
        int number;
        const char* name;
        const char* message;
    };
    const row table[] = {
        {errc::ok, 0, "OK", "no error"},
        {errc::would_block, 11, "EAGAIN", "would block"},
        {errc::connection_reset, 104, "ECONNRESET", "connection reset by peer"},
        {errc::canceled, 125, "ECANCELED", "canceled"},
        {errc::tls_protocol, 301, "TLS_PROTOCOL", "the peer broke the rules of TLS"},
        {errc::tls_alert, 302, "TLS_ALERT", "the peer refused by a TLS alert"},
        {errc::tls_truncated, 303, "TLS_TRUNCATED", "the connection ended without TLS's goodbye"},
        {errc::tls_no_agreement, 304, "TLS_NO_AGREEMENT",
         "no TLS version, cipher or protocol in common"},
        {errc::certificate_missing, 311, "CERT_MISSING", "the peer has no certificate"},
        {errc::certificate_untrusted, 312, "CERT_UNTRUSTED",
         "no known authority signed the certificate"},
        {errc::certificate_revoked, 313, "CERT_REVOKED", "the certificate is revoked"},
        {errc::certificate_expired, 314, "CERT_EXPIRED", "the certificate has expired"},
        {errc::certificate_not_yet_valid, 315, "CERT_NOT_YET_VALID",
         "the certificate is not valid yet"},
        {errc::certificate_wrong_name, 316, "CERT_WRONG_NAME",
         "the certificate is for another name"},
        {errc::certificate_unfit, 317, "CERT_UNFIT", "the certificate is not fit for this use"},
        {errc::name_bad_flags, -1, "EAI_BADFLAGS", "invalid flags for a name"},
        {errc::name_not_found, -2, "EAI_NONAME", "name not found"},
        {errc::name_try_again, -3, "EAI_AGAIN", "temporary failure in name resolution"},
        {errc::name_failed, -4, "EAI_FAIL", "failure in name resolution"},
        {errc::name_no_address, -5, "EAI_NODATA", "no address of this family for the name"},
        {errc::name_family_not_supported, -6, "EAI_FAMILY",
         "address family not supported for names"},
        {errc::name_socket_type_not_supported, -7, "EAI_SOCKTYPE", "socket type not supported"},
        {errc::name_service_not_supported, -8, "EAI_SERVICE",
         "service not supported for the socket type"},
        {errc::name_no_memory, -10, "EAI_MEMORY", "out of memory in name resolution"},
        {static_cast<errc>(-9), -9, "E?", "unknown error"},
        {static_cast<errc>(4711), 4711, "E?", "unknown error"},
    };
    for (const row& each : table) {
        CAPTURE(each.number);
        CHECK(static_cast<int>(each.error) == each.number);
        CHECK(std::string(weft::name(each.error)) == each.name);
        CHECK(std::string(weft::message(each.error)) == each.message);
    }
}
