#include <weft/tls.hpp>

#include "net/tls/configuration.hpp"
#include "net/tls/errors.hpp"
#include "net/tls/socket.hpp"

namespace weft {

// --- contexts

tls_context::tls_context(const tls_context& other) noexcept : own_(other.own_) {
    if (own_ != nullptr) {
        own_->keep();
    }
}

tls_context::~tls_context() {
    if (own_ != nullptr) {
        own_->drop();
    }
}

result<tls_context> tls_context::client(const tls_options& options) noexcept {
    const auto made = tls::configuration::make(tls::configuration::end::client, options);
    return made ? result<tls_context>(tls_context(*made)) : fail(made.error());
}

result<tls_context> tls_context::server(const tls_options& options) noexcept {
    const auto made = tls::configuration::make(tls::configuration::end::server, options);
    return made ? result<tls_context>(tls_context(*made)) : fail(made.error());
}

std::string_view tls_context::known_cipher(std::size_t i) noexcept {
    const int* each = mbedtls_ssl_list_ciphersuites();
    while (*each != 0 && i != 0) {
        ++each;
        --i;
    }
    return *each != 0 ? mbedtls_ssl_get_ciphersuite_name(*each) : std::string_view();
}

// --- handshakes

tls_session::~tls_session() {
    delete own_;
}

result<tcp_socket*> tls_stream::begin(
    const tls_context& context, tcp_stream plain, std::string_view name,
    const tls_session& earlier) noexcept {
    if (context.own_ == nullptr) {
        return fail(errc::invalid_argument);
    }
    return tls::socket::open(*context.own_, std::move(plain), name, earlier.own_);
}

tls_handshake tls_stream::client(
    const tls_context& context, tcp_stream plain, std::string_view name,
    const tls_session& earlier) noexcept {
    return tls_handshake(begin(context, std::move(plain), name, earlier));
}

tls_handshake tls_stream::server(const tls_context& context, tcp_stream plain) noexcept {
    return tls_handshake(begin(context, std::move(plain), {}));
}

tls_handshake::tls_handshake(result<tcp_socket*> begun) noexcept
    : io_wait(begun ? *begun : nullptr), stream_(begun ? *begun : nullptr),
      opening_(begun ? errc::ok : begun.error()) {}

io_count tls_handshake::attempt() noexcept {
    const result<> outcome = stream_.socket()->connect_result();
    return outcome ? 0 : io_error(outcome.error());
}

result<tls_stream> tls_handshake::await_resume() noexcept {
    if (opening_ != errc::ok) {
        return fail(opening_);
    }
    if (const errc error = finish_error(); error != errc::ok) {
        stream_ = tls_stream();
        return fail(error);
    }
    return std::move(stream_);
}

// --- what was agreed on

namespace {

/// Null once closed. Whoever makes a tls_stream gives it a tls::socket.
const tls::socket* socket_of(const tls_stream& stream) noexcept {
    return stream.is_open() ? static_cast<const tls::socket*>(stream.socket()) : nullptr;
}
const mbedtls_ssl_context* session_of(const tls_stream& stream) noexcept {
    const tls::socket* const socket = socket_of(stream);
    return socket != nullptr ? &socket->session() : nullptr;
}

std::string_view view_of(const char* text) noexcept {
    return text != nullptr ? text : std::string_view();
}

} // namespace

std::string_view tls_stream::version() const noexcept {
    const auto* const session = session_of(*this);
    return view_of(session != nullptr ? mbedtls_ssl_get_version(session) : nullptr);
}
std::string_view tls_stream::cipher() const noexcept {
    const auto* const session = session_of(*this);
    return view_of(session != nullptr ? mbedtls_ssl_get_ciphersuite(session) : nullptr);
}
std::string_view tls_stream::protocol() const noexcept {
    const auto* const session = session_of(*this);
    return view_of(session != nullptr ? mbedtls_ssl_get_alpn_protocol(session) : nullptr);
}
errc tls_stream::certificate() const noexcept {
    const tls::socket* const socket = socket_of(*this);
    if (socket == nullptr) {
        return errc::bad_handle;
    }
    return tls::refusal(socket->found() & ~std::uint32_t{MBEDTLS_X509_BADCERT_SKIP_VERIFY});
}
std::span<const std::byte> tls_stream::peer_certificate() const noexcept {
    const auto* const session = session_of(*this);
    const mbedtls_x509_crt* const shown =
        session != nullptr ? mbedtls_ssl_get_peer_cert(session) : nullptr;
    if (shown == nullptr) {
        return {};
    }
    return {reinterpret_cast<const std::byte*>(shown->raw.p), shown->raw.len};
}

bool tls_stream::resumed() const noexcept {
    const tls::socket* const socket = socket_of(*this);
    return socket != nullptr && socket->resumed();
}
result<tls_session> tls_stream::session() const noexcept {
    const tls::socket* const socket = socket_of(*this);
    if (socket == nullptr) {
        return fail(errc::bad_handle);
    }
    const result<tls::saved_session*> saved = socket->save_session();
    return saved ? result<tls_session>(tls_session(*saved)) : fail(saved.error());
}

} // namespace weft
