// saved_session: what a tls_session holds.
#pragma once

#include "net/tls/configuration.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <mbedtls/ssl.h>

namespace weft::tls {

/// With whom it was and how they were looked at: it shortens nothing else.
class saved_session : public allocated {
  public:
    saved_session(configuration& how, std::string_view name, std::uint32_t found) noexcept
        : how_(&how), found_(found) {
        how.keep();
        name.copy(name_.data(), name_.size() - 1);
        mbedtls_ssl_session_init(&session_);
    }
    saved_session(const saved_session&) = delete;
    saved_session& operator=(const saved_session&) = delete;
    ~saved_session() {
        mbedtls_ssl_session_free(&session_);
        how_->drop();
    }

    [[nodiscard]] bool is_of(const configuration& how, std::string_view name) const noexcept {
        return how_ == &how && name == name_.data();
    }
    /// What was wrong with the certificate. (Sessions of TLS 1.3 do not have it in mbedTLS.)
    [[nodiscard]] std::uint32_t found() const noexcept { return found_; }
    [[nodiscard]] mbedtls_ssl_session& get() noexcept { return session_; }
    [[nodiscard]] const mbedtls_ssl_session& get() const noexcept { return session_; }

    /// As bytes; `into` has size() of them. errc::io_error, no_memory.
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] errc write(std::span<std::byte> into) const noexcept;
    /// From those of a configuration that looks at certificates as `how` does, else
    /// errc::invalid_argument, as for anything else.
    static result<saved_session*>
    read(configuration& how, std::span<const std::byte> from) noexcept;

  private:
    configuration* how_;
    std::uint32_t found_;
    std::array<char, 256> name_{};
    mbedtls_ssl_session session_;
};

} // namespace weft::tls
