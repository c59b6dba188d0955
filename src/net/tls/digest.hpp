// digest: SHA-256, of things one behind another.
#pragma once

#include <array>
#include <cstddef>

#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

namespace weft::tls {

class digest {
  public:
    using value = std::array<std::byte, 32>;

    digest() noexcept {
        mbedtls_sha256_init(&state_);
#if MBEDTLS_VERSION_MAJOR < 3
        failed_ = mbedtls_sha256_starts_ret(&state_, 0);
#else
        failed_ = mbedtls_sha256_starts(&state_, 0);
#endif
    }
    digest(const digest&) = delete;
    digest& operator=(const digest&) = delete;
    ~digest() { mbedtls_sha256_free(&state_); }

    void add(const void* from, std::size_t size) noexcept {
        const auto* const bytes = static_cast<const unsigned char*>(from);
#if MBEDTLS_VERSION_MAJOR < 3
        failed_ |= mbedtls_sha256_update_ret(&state_, bytes, size);
#else
        failed_ |= mbedtls_sha256_update(&state_, bytes, size);
#endif
    }
    /// False if hardware failed.
    [[nodiscard]] bool finish(value& into) noexcept {
        auto* const bytes = reinterpret_cast<unsigned char*>(into.data());
#if MBEDTLS_VERSION_MAJOR < 3
        failed_ |= mbedtls_sha256_finish_ret(&state_, bytes);
#else
        failed_ |= mbedtls_sha256_finish(&state_, bytes);
#endif
        return failed_ == 0;
    }

  private:
    mbedtls_sha256_context state_;
    int failed_ = 0;
};

} // namespace weft::tls
