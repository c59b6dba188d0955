// A server's signature in steps, as its mbedTLS signs only if somebody else does: we do, with the
// same key. (A client's are made in steps by mbedTLS itself.) In builds whose elliptic curves are
// made in steps, so on boards; RSA is made at once.
#pragma once

#include <mbedtls/ssl.h>

#if defined(MBEDTLS_ECP_RESTARTABLE) && defined(MBEDTLS_SSL_ASYNC_PRIVATE) &&                      \
    defined(MBEDTLS_SSL_SRV_C)
#define WEFT_TLS_SIGNS_IN_STEPS 1

namespace weft::tls {

/// For connections of `config`, whose own certificates' keys `configuration::key_of` tells.
void sign_in_steps(mbedtls_ssl_config& config, class configuration& of) noexcept;

} // namespace weft::tls

#else
#define WEFT_TLS_SIGNS_IN_STEPS 0
#endif
