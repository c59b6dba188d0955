#include "usocket/error.hpp"

#include "usocket/core/thread.hpp"

#include <charconv>
#include <string_view>

namespace usocket {

const char* explanation() noexcept {
    return thread::here().explanation();
}

error_in_python python_error(weft::errc error) noexcept {
    using weft::errc;
    switch (error) { // mbedTLS 3's, which MicroPython has
    case errc::tls_protocol:
        return {-0x7200, "MBEDTLS_ERR_SSL_INVALID_RECORD"};
    case errc::tls_alert:
        return {-0x7780, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"};
    case errc::tls_truncated:
        return {-0x7280, "MBEDTLS_ERR_SSL_CONN_EOF"};
    case errc::tls_no_agreement:
        return {-0x6E00, "MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE"};
    case errc::certificate_missing:
        return {-0x7480, "MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE"};
    case errc::certificate_untrusted:
    case errc::certificate_revoked:
    case errc::certificate_expired:
    case errc::certificate_not_yet_valid:
    case errc::certificate_wrong_name:
    case errc::certificate_unfit:
        return {-0x2700, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED"};
    default:
        return {static_cast<int>(error), weft::name(error)};
    }
}

OSError::OSError(weft::errc error, const char* call, std::size_t count) noexcept
    : args{python_error(error).number}, code_(error), call_(call), count_(count) {
    char number[12];
    const auto digits = std::to_chars(std::begin(number), std::end(number), args[0]);
    thread& here = thread::here();
    const std::string_view more = here.explanation();
    std::size_t at = 0;
    for (const std::string_view part :
         {std::string_view("[Errno "), std::string_view(number, digits.ptr), std::string_view("] "),
          std::string_view(name()), std::string_view(": "), std::string_view(call),
          std::string_view(": "), more.empty() ? std::string_view(weft::message(error)) : more}) {
        at += part.copy(text_.data() + at, text_.size() - 1 - at);
    }
    text_[at] = '\0';
    here.forget_explanation();
}

} // namespace usocket
