// What mbedTLS says, in weft's errors.
#pragma once

#include <weft/errc.hpp>

#include <cstdint>

namespace weft::tls {

/// Of MBEDTLS_X509_BADCERT_* flags: errc::ok if none is set, else the gravest.
[[nodiscard]] errc refusal(std::uint32_t flags) noexcept;

/// Of a negative return value; `flags` are those of the peer's certificate.
[[nodiscard]] errc meaning(int returned, std::uint32_t flags) noexcept;

/// Of one that configuring returned: errc::no_memory, no_such_entry (a file), invalid_argument.
[[nodiscard]] errc meaning_for_options(int returned) noexcept;

} // namespace weft::tls
