// A session as bytes, and back.
//
//     4 bytes   "wts1"
//     32        what certificates are looked at by: configuration::describe()
//     4, 8      what was found in the server's; seconds since 1970 when its ticket came, or 0
//     1, n      the server's name
//     the rest  mbedTLS's, which begins with its version and configuration
#include "net/tls/saved_session.hpp"

#include "net/tls/errors.hpp"

#include <weft/tls.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <tuple>
#include <utility>

#if WEFT_TLS_1_3 && defined(MBEDTLS_HAVE_TIME)
#include <ctime>

#include <mbedtls/platform_time.h>
#endif

namespace weft {

namespace tls {
namespace {

constexpr std::string_view magic = "wts1";
constexpr std::size_t before_name = magic.size() + std::tuple_size_v<digest::value> +
                                    sizeof(std::uint32_t) + sizeof(std::int64_t) + 1;

template <class T>
std::byte* put(std::byte* to, const T& what) noexcept {
    std::memcpy(to, &what, sizeof what); // on another machine mbedTLS's part is of no use, either
    return to + sizeof what;
}
template <class T>
const std::byte* pick(const std::byte* from, T& what) noexcept {
    std::memcpy(&what, from, sizeof what);
    return from + sizeof what;
}

/// mbedTLS 3.6 counts a ticket's age from the machine's start, which may be another by then.
std::int64_t received([[maybe_unused]] const mbedtls_ssl_session& session) noexcept {
#if WEFT_TLS_1_3 && defined(MBEDTLS_HAVE_TIME)
    if (session.MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3) {
        const mbedtls_ms_time_t age =
            mbedtls_ms_time() - session.MBEDTLS_PRIVATE(ticket_reception_time);
        return std::int64_t{std::time(nullptr)} - age / 1000;
    }
#endif
    return 0;
}
void set_received(
    [[maybe_unused]] mbedtls_ssl_session& session, [[maybe_unused]] std::int64_t when) noexcept {
#if WEFT_TLS_1_3 && defined(MBEDTLS_HAVE_TIME)
    if (session.MBEDTLS_PRIVATE(tls_version) == MBEDTLS_SSL_VERSION_TLS1_3) {
        const std::int64_t age = std::max<std::int64_t>(std::time(nullptr) - when, 0);
        session.MBEDTLS_PRIVATE(ticket_reception_time) = mbedtls_ms_time() - age * 1000;
    }
#endif
}

} // namespace

std::size_t saved_session::size() const noexcept {
    std::size_t theirs = 0;
    (void)mbedtls_ssl_session_save(&session_, nullptr, 0, &theirs); // tells how much it would be
    return before_name + std::strlen(name_.data()) + theirs;
}

errc saved_session::write(std::span<std::byte> into) const noexcept {
    digest::value looked_at_by;
    if (!how_->describe(looked_at_by)) {
        return errc::io_error;
    }
    const auto length = static_cast<unsigned char>(std::strlen(name_.data()));
    std::byte* to = into.data();
    std::memcpy(to, magic.data(), magic.size());
    to = put(to + magic.size(), looked_at_by);
    to = put(to, found_);
    to = put(to, received(session_));
    to = put(to, length);
    std::memcpy(to, name_.data(), length);
    const std::span<std::byte> rest = into.subspan(before_name + length);
    std::size_t size = 0;
    const int failed = mbedtls_ssl_session_save(
        &session_, reinterpret_cast<unsigned char*>(rest.data()), rest.size(), &size);
    return failed == 0 ? errc::ok : meaning_for_options(failed);
}

result<saved_session*>
saved_session::read(configuration& how, std::span<const std::byte> from) noexcept {
    digest::value looked_at_by;
    digest::value own;
    std::uint32_t found = 0;
    std::int64_t when = 0;
    unsigned char length = 0;
    if (!how.resumes() || from.size() < before_name ||
        std::memcmp(from.data(), magic.data(), magic.size()) != 0) {
        return fail(how.resumes() ? errc::invalid_argument : errc::not_supported);
    }
    const std::byte* at = pick(from.data() + magic.size(), looked_at_by);
    at = pick(at, found);
    at = pick(at, when);
    at = pick(at, length);
    std::array<char, 256> name{};
    if (from.size() - before_name < length || !how.describe(own) || own != looked_at_by) {
        return fail(errc::invalid_argument);
    }
    std::memcpy(name.data(), at, length);
    std::unique_ptr<saved_session> made(new (std::nothrow) saved_session(how, name.data(), found));
    if (!made) {
        return fail(errc::no_memory);
    }
    const std::span<const std::byte> rest = from.subspan(before_name + length);
    const int failed = mbedtls_ssl_session_load(
        &made->session_, reinterpret_cast<const unsigned char*>(rest.data()), rest.size());
    if (failed != 0) {
        return fail(meaning_for_options(failed));
    }
    set_received(made->session_, when);
    return made.release();
}

} // namespace tls

std::size_t tls_session::saved_size() const noexcept {
    return own_ != nullptr ? own_->size() : 0;
}

result<std::size_t> tls_session::save(std::span<std::byte> into) const noexcept {
    if (own_ == nullptr) {
        return fail(errc::invalid_argument);
    }
    const std::size_t size = own_->size();
    if (size > into.size()) {
        return fail(errc::message_too_long);
    }
    const errc error = own_->write(into.first(size));
    return error == errc::ok ? result<std::size_t>(size) : fail(error);
}

result<tls_session>
tls_session::load(const tls_context& of, std::span<const std::byte> saved) noexcept {
    if (of.own_ == nullptr) {
        return fail(errc::invalid_argument);
    }
    const result<tls::saved_session*> read = tls::saved_session::read(*of.own_, saved);
    return read ? result<tls_session>(tls_session(*read)) : fail(read.error());
}

} // namespace weft
