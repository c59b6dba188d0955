// addition: what only some contexts have. It is linked only to programs that ask for it: what they
// put into tls_options makes it.
#pragma once

#include "net/tls/digest.hpp"
#include "net/tls/memory.hpp"

#include <cstdint>
#include <memory>

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

namespace weft::tls {

class addition : public allocated {
  public:
    addition() noexcept = default;
    addition(const addition&) = delete;
    addition& operator=(const addition&) = delete;
    virtual ~addition() = default;

    /// Changes what was found in a certificate of the peer's, whose own is at depth 0.
    virtual void
    judge(const mbedtls_x509_crt&, int /* depth */, std::uint32_t& /* found */) const noexcept {}
    /// Of a certificate that is this one's.
    virtual mbedtls_pk_context* key_of(const mbedtls_x509_crt&) noexcept { return nullptr; }
    /// Adds what peers are looked at by.
    virtual void describe(digest&) const noexcept {}

    std::unique_ptr<addition> next;
};

} // namespace weft::tls
