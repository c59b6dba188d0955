// configuration: mbedTLS's of one end, with all that it points into. tls_context counts its owners.
#pragma once

#include "net/tls/addition.hpp"
#include "net/tls/digest.hpp"
#include "net/tls/memory.hpp"
#include "net/tls/pace.hpp"

#include <weft/result.hpp>
#include <weft/tls.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if defined(MBEDTLS_SSL_SRV_C) && defined(MBEDTLS_SSL_SESSION_TICKETS) &&                          \
    defined(MBEDTLS_SSL_TICKET_C)
#define WEFT_TLS_TICKETS 1
#include <mbedtls/ssl_ticket.h>
#else
#define WEFT_TLS_TICKETS 0
#endif
#if defined(MBEDTLS_SSL_SRV_C) && defined(MBEDTLS_SSL_CACHE_C)
#define WEFT_TLS_CACHE 1
#include <mbedtls/ssl_cache.h>
#else
#define WEFT_TLS_CACHE 0
#endif

#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define WEFT_TLS_1_3 1
#else
#define WEFT_TLS_1_3 0
#endif

namespace weft::tls {

/// A certificate and its key.
errc read_pair(
    mbedtls_x509_crt& shown, mbedtls_pk_context& key, std::string_view certificate,
    std::string_view secret, std::string_view password) noexcept;

class configuration : public allocated {
  public:
    enum class end : bool { client, server };

    static result<configuration*> make(end which, const tls_options& options) noexcept;

    configuration(const configuration&) = delete;
    configuration& operator=(const configuration&) = delete;

    void keep() noexcept { ++owners_; }
    void drop() noexcept {
        if (--owners_ == 0) {
            delete this;
        }
    }

    [[nodiscard]] const mbedtls_ssl_config* get() const noexcept { return &config_; }
    [[nodiscard]] mbedtls_ssl_config& settings() noexcept { return config_; }
    [[nodiscard]] end which() const noexcept { return end_; }
    [[nodiscard]] bool resumes() const noexcept { return resumes_; }
    /// Of a certificate that this end shows; null: not known.
    [[nodiscard]] mbedtls_pk_context* key_of(const mbedtls_x509_crt& shown) noexcept;
    [[nodiscard]] pace& handshakes() noexcept { return handshakes_; }

    void add(std::unique_ptr<addition> what) noexcept;
    [[nodiscard]] bool has_authorities() const noexcept { return authorities_.raw.p != nullptr; }
    /// Changes what mbedTLS has found in a certificate of the peer's, whose own is at depth 0.
    void judge(const mbedtls_x509_crt& shown, int depth, std::uint32_t& found) const noexcept;
    /// Of all that peers are looked at by. False if hardware failed.
    [[nodiscard]] bool describe(digest::value& into) const noexcept;

  private:
    explicit configuration(end which) noexcept;
    ~configuration();
    friend struct std::default_delete<configuration>;

    errc take(const tls_options& options) noexcept;
    errc take_authorities(const tls_options& options) noexcept;
    errc take_own(const tls_options& options) noexcept;
    errc take_names(const tls_options& options) noexcept;
    errc take_minimum(tls_version minimum) noexcept;
    errc take_ciphers(tls_version minimum) noexcept;
    errc take_resumption(const tls_options& options) noexcept;
    errc take_longest_record(unsigned bytes) noexcept;
    void take_curves() noexcept;
    static int
    judge_one(void* self, mbedtls_x509_crt* shown, int depth, std::uint32_t* flags) noexcept;
    void judge_dates(const mbedtls_x509_crt& shown, std::uint32_t& found) const noexcept;

    static constexpr std::size_t most_protocols = 8;
    static constexpr std::size_t longest_protocol = 31;
    static constexpr std::size_t most_ciphers = 32;

    pace handshakes_;
    unsigned owners_ = 1;
    end end_;
    bool resumes_ = false;
    tls_verify verify_ = tls_verify::required;
    std::unique_ptr<addition> additions_;
    std::int64_t (*clock_)(void*) noexcept = nullptr;
    void* clock_context_ = nullptr;
    mbedtls_ssl_config config_;
    mbedtls_x509_crt authorities_;
    mbedtls_x509_crt own_;
    mbedtls_pk_context key_;
#if WEFT_TLS_TICKETS
    mbedtls_ssl_ticket_context tickets_;
#endif
#if WEFT_TLS_CACHE
    mbedtls_ssl_cache_context cache_;
#endif
    std::array<std::array<char, longest_protocol + 1>, most_protocols> protocols_{};
    std::array<const char*, most_protocols + 1> protocol_list_{}; // ends with null
    std::array<int, most_ciphers + 1> ciphers_{};                 // ends with 0
#if MBEDTLS_VERSION_MAJOR < 3 && defined(MBEDTLS_ECP_C)
    std::array<mbedtls_ecp_group_id, MBEDTLS_ECP_DP_MAX + 1> curves_{}; // ends with DP_NONE
#endif
};

} // namespace weft::tls
