#include "net/tls/expected.hpp"

#include "net/tls/socket.hpp"

#include <algorithm>
#include <span>

namespace weft::tls {

namespace {

[[maybe_unused]] bool has(const mbedtls_x509_crt& shown, const address& whose) noexcept {
    const std::span<const std::uint8_t> wanted = whose.bytes();
    for (const mbedtls_x509_sequence* each = &shown.subject_alt_names; each != nullptr;
         each = each->next) {
        const mbedtls_x509_buf& name = each->buf;
        if ((name.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_IP_ADDRESS &&
            std::equal(wanted.begin(), wanted.end(), name.p, name.p + name.len)) {
            return true;
        }
    }
    return false;
}

} // namespace

expected::expected(std::string_view name) noexcept {
    possible_ = name.size() < text_.size() && name.find('\0') == std::string_view::npos;
    if (!possible_) {
        return;
    }
    name.copy(text_.data(), name.size());
#if defined(MBEDTLS_SSL_CLI_C)
    if (const result<address> read = address::parse(name)) {
        take(*read);
    }
#endif
}

void expected::take(const address& a) noexcept {
    address_ = a;
    by_address_ = true;
    text_.fill('\0');
    (void)to_text(a, std::span(text_).first(text_.size() - 1));
}

#if defined(MBEDTLS_SSL_CLI_C)

int socket::expect(const expected& whom) noexcept {
    if (const address* const at = whom.by_address(); at != nullptr) {
        by_address_ = true;
        address_ = *at;
        mbedtls_ssl_set_verify(&ssl_, judge_address, this);
    }
    const bool named = !by_address_ && !whom.text().empty();
    return mbedtls_ssl_set_hostname(&ssl_, named ? whom.text().data() : nullptr);
}

int socket::judge_address(
    void* self, mbedtls_x509_crt* shown, int depth, std::uint32_t* flags) noexcept {
    const auto& here = *static_cast<const socket*>(self);
    here.how_->judge(*shown, depth, *flags);
    if (depth == 0 && !has(*shown, here.address_)) {
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    return 0;
}

#endif

} // namespace weft::tls
