// Peers that are believed by their public keys.
#include "net/tls/addition.hpp"
#include "net/tls/configuration.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace weft {

namespace tls {
namespace {

class pinned final : public addition {
  public:
    pinned(std::span<const tls_pin> keys, bool alone) noexcept : size_(keys.size()), alone_(alone) {
        std::copy(keys.begin(), keys.end(), keys_.begin());
    }

    void
    judge(const mbedtls_x509_crt& shown, int depth, std::uint32_t& found) const noexcept override {
        constexpr std::uint32_t untrusted = MBEDTLS_X509_BADCERT_NOT_TRUSTED;
        if (depth > 0) { // without authorities it is of no interest who signed
            found = alone_ ? 0 : found;
        } else if (!knows(shown)) {
            found |= untrusted;
        } else if (alone_) {
            found &= ~untrusted;
        }
    }
    void describe(digest& to) const noexcept override {
        to.add(keys_.data(), size_ * sizeof(tls_pin));
    }

    static constexpr std::size_t most = 8;

  private:
    [[nodiscard]] bool knows(const mbedtls_x509_crt& shown) const noexcept {
        digest of_key;
        of_key.add(shown.pk_raw.p, shown.pk_raw.len);
        tls_pin key{};
        return of_key.finish(key) &&
               std::find(keys_.begin(), keys_.begin() + size_, key) != keys_.begin() + size_;
    }

    std::array<tls_pin, most> keys_{};
    std::size_t size_;
    bool alone_;
};

errc pin(configuration& whom, std::span<const tls_pin> keys) noexcept {
    if (keys.empty() || keys.size() > pinned::most) {
        return errc::invalid_argument;
    }
    std::unique_ptr<pinned> made(new (std::nothrow) pinned(keys, !whom.has_authorities()));
    if (!made) {
        return errc::no_memory;
    }
    whom.add(std::move(made));
    return errc::ok;
}

} // namespace
} // namespace tls

tls_pins::tls_pins(std::span<const tls_pin> keys) noexcept : keys_(keys), take_(&tls::pin) {}

} // namespace weft
