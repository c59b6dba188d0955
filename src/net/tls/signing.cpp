#define MBEDTLS_ALLOW_PRIVATE_ACCESS // 3 has no way from a connection to its configuration's data

#include "net/tls/signing.hpp"

#if WEFT_TLS_SIGNS_IN_STEPS

#include "net/tls/configuration.hpp"
#include "net/tls/memory.hpp"
#include "net/tls/random.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include <mbedtls/ecp.h>
#include <mbedtls/md.h>

namespace weft::tls {

namespace {

/// One that is being made.
class signature : public allocated {
  public:
    signature(
        mbedtls_pk_context& key, mbedtls_md_type_t by, const unsigned char* hash,
        std::size_t size) noexcept
        : key_(&key), by_(by), size_(size) {
        mbedtls_pk_restart_init(&so_far_);
        std::copy_n(hash, size, hash_.begin());
    }
    signature(const signature&) = delete;
    signature& operator=(const signature&) = delete;
    ~signature() { mbedtls_pk_restart_free(&so_far_); }

    /// MBEDTLS_ERR_ECP_IN_PROGRESS until it is there.
    int go_on(unsigned char* into, std::size_t* size, [[maybe_unused]] std::size_t space) noexcept {
        return mbedtls_pk_sign_restartable(
            key_, by_, hash_.data(), size_, into,
#if MBEDTLS_VERSION_MAJOR >= 3
            space,
#endif
            size, random, nullptr, &so_far_);
    }

  private:
    mbedtls_pk_context* key_;
    mbedtls_md_type_t by_;
    std::size_t size_;
    std::array<unsigned char, MBEDTLS_MD_MAX_SIZE> hash_{};
    mbedtls_pk_restart_ctx so_far_;
};

int begin(
    mbedtls_ssl_context* ssl, mbedtls_x509_crt* shown, mbedtls_md_type_t by,
    const unsigned char* hash, std::size_t size) {
    auto& of = *static_cast<configuration*>(mbedtls_ssl_conf_get_async_config_data(ssl->conf));
    mbedtls_pk_context* const key = of.key_of(*shown);
    if (key == nullptr || mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA) == 0 ||
        size > MBEDTLS_MD_MAX_SIZE) {
        return MBEDTLS_ERR_SSL_HW_ACCEL_FALLTHROUGH;
    }
    auto* const made = new (std::nothrow) signature(*key, by, hash, size);
    if (made == nullptr) {
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    mbedtls_ssl_set_async_operation_data(ssl, made);
    return MBEDTLS_ERR_SSL_ASYNC_IN_PROGRESS; // the key exchange's own multiplication was before
}

void cancel(mbedtls_ssl_context* ssl) {
    delete static_cast<signature*>(mbedtls_ssl_get_async_operation_data(ssl));
}

int go_on(mbedtls_ssl_context* ssl, unsigned char* into, std::size_t* size, std::size_t space) {
    auto& made = *static_cast<signature*>(mbedtls_ssl_get_async_operation_data(ssl));
    const int returned = made.go_on(into, size, space);
    if (returned == MBEDTLS_ERR_ECP_IN_PROGRESS) {
        return MBEDTLS_ERR_SSL_ASYNC_IN_PROGRESS;
    }
    cancel(ssl);
    return returned;
}

} // namespace

void sign_in_steps(mbedtls_ssl_config& config, configuration& of) noexcept {
    mbedtls_ssl_conf_async_private_cb(&config, begin, nullptr, go_on, cancel, &of);
}

} // namespace weft::tls

#endif
