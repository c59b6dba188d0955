// Further certificates of a server, by the names that clients ask for.
#include "net/tls/addition.hpp"
#include "net/tls/configuration.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace weft {

namespace tls {
namespace {

#if defined(MBEDTLS_SSL_SERVER_NAME_INDICATION) && defined(MBEDTLS_SSL_SRV_C)

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "*.example.org" is any one label and the rest (RFC 6125, 6.4.3).
bool names(std::string_view pattern, std::string_view asked) noexcept {
    if (pattern.starts_with("*.")) {
        const std::size_t dot = asked.find('.');
        if (dot == 0 || dot == std::string_view::npos) {
            return false;
        }
        pattern.remove_prefix(1);
        asked.remove_prefix(dot);
    }
    return std::equal(
        pattern.begin(), pattern.end(), asked.begin(), asked.end(),
        [](char a, char b) { return lower(a) == lower(b); });
}

class named : public allocated {
  public:
    named() noexcept {
        mbedtls_x509_crt_init(&shown_);
        mbedtls_pk_init(&key_);
    }
    named(const named&) = delete;
    named& operator=(const named&) = delete;
    ~named() {
        mbedtls_x509_crt_free(&shown_);
        mbedtls_pk_free(&key_);
    }

    errc take(const tls_identity& from) noexcept {
        if (from.name.empty() || from.name.size() > name_.size()) {
            return errc::invalid_argument;
        }
        size_ = from.name.copy(name_.data(), name_.size());
        return read_pair(shown_, key_, from.certificate, from.key, from.key_password);
    }
    [[nodiscard]] bool is(std::string_view asked) const noexcept {
        return names({name_.data(), size_}, asked);
    }
    mbedtls_pk_context* key_of(const mbedtls_x509_crt& shown) noexcept {
        return &shown == &shown_ ? &key_ : nullptr;
    }
    int show(mbedtls_ssl_context& to) noexcept {
        return mbedtls_ssl_set_hs_own_cert(&to, &shown_, &key_);
    }

    std::unique_ptr<named> next;

  private:
    std::array<char, 253> name_{};
    std::size_t size_ = 0;
    mbedtls_x509_crt shown_;
    mbedtls_pk_context key_;
};

/// Those of one context, in their order.
class wardrobe final : public addition {
  public:
    errc take(std::span<const tls_identity> each) noexcept {
        std::unique_ptr<named>* end = &first_;
        for (const tls_identity& from : each) {
            end->reset(new (std::nothrow) named);
            if (!*end) {
                return errc::no_memory;
            }
            if (const errc error = (*end)->take(from); error != errc::ok) {
                return error;
            }
            end = &(*end)->next;
        }
        return errc::ok;
    }

    mbedtls_pk_context* key_of(const mbedtls_x509_crt& shown) noexcept override {
        for (named* each = first_.get(); each != nullptr; each = each->next.get()) {
            if (mbedtls_pk_context* const key = each->key_of(shown); key != nullptr) {
                return key;
            }
        }
        return nullptr;
    }

    /// Who asks for none of them is shown what the context shows.
    static int choose(
        void* self, mbedtls_ssl_context* to, const unsigned char* name, std::size_t size) noexcept {
        const std::string_view asked(reinterpret_cast<const char*>(name), size);
        for (named* each = static_cast<wardrobe*>(self)->first_.get(); each != nullptr;
             each = each->next.get()) {
            if (each->is(asked)) {
                return each->show(*to);
            }
        }
        return 0;
    }

  private:
    std::unique_ptr<named> first_;
};

errc dress(configuration& whom, std::span<const tls_identity> each) noexcept {
    if (whom.which() == configuration::end::client) {
        return errc::invalid_argument;
    }
    std::unique_ptr<wardrobe> made(new (std::nothrow) wardrobe);
    if (!made) {
        return errc::no_memory;
    }
    if (const errc error = made->take(each); error != errc::ok) {
        return error;
    }
    mbedtls_ssl_conf_sni(&whom.settings(), &wardrobe::choose, made.get());
    whom.add(std::move(made));
    return errc::ok;
}

#else

errc dress(configuration&, std::span<const tls_identity>) noexcept {
    return errc::not_supported; // a board's mbedTLS without
}

#endif

} // namespace
} // namespace tls

tls_identities::tls_identities(std::span<const tls_identity> each) noexcept
    : each_(each), take_(&tls::dress) {}

} // namespace weft
