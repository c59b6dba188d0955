// The ssl module, and what of it the façade's sockets see.

#include "usocket/ussl.hpp"

#include "usocket/core/secure_options.hpp"
#include "usocket/core/thread.hpp"

#include <array>
#include <cstring>
#include <new>

namespace ussl {

using usocket::as_result;
using usocket::handles;
using usocket::object;
using usocket::told;
using weft::errc;
using weft::fail;
using weft::result;

namespace {

constexpr std::size_t most_ciphers = 32; // tls_options'
constexpr std::size_t longest_cipher = 63;

/// A certificate of anybody's whom the authorities know would do.
bool lacks_name(int verify_mode, bool server_side, std::string_view name) noexcept {
    return verify_mode == CERT_REQUIRED && !server_side && name.empty();
}

/// What a tls_stream over that socket says.
template <class F>
auto of_stream(weft::tcp_socket& s, F ask) noexcept {
    weft::tls_stream borrowed(&s);
    auto told = ask(borrowed);
    (void)borrowed.detach();
    return told;
}

/// A context and a name.
class by_context final : public usocket::secure {
  public:
    by_context(weft::tls_context context, end which, bool content, bytes name) noexcept
        : context_(std::move(context)), name_(std::move(name)), end_(which), content_(content) {}

    [[nodiscard]] end which() const noexcept override { return end_; }
    [[nodiscard]] bool is_content() const noexcept override { return content_; }
    [[nodiscard]] std::unique_ptr<secure> copy() const noexcept override {
        result<bytes> name = bytes::copy_of(name_.span());
        return std::unique_ptr<secure>(
            name ? new (std::nothrow) by_context(context_, end_, content_, std::move(*name))
                 : nullptr);
    }
    [[nodiscard]] result<weft::tcp_socket*> over(weft::tcp_stream below) noexcept override {
        return weft::tls_stream::begin(context_, std::move(below), name_.view());
    }
    [[nodiscard]] std::string_view cipher(weft::tcp_socket& s) const noexcept override {
        return of_stream(s, [](const weft::tls_stream& stream) { return stream.cipher(); });
    }
    [[nodiscard]] std::string_view version(weft::tcp_socket& s) const noexcept override {
        return of_stream(s, [](const weft::tls_stream& stream) { return stream.version(); });
    }
    [[nodiscard]] std::span<const std::byte>
    peer_certificate(weft::tcp_socket& s) const noexcept override {
        return of_stream(
            s, [](const weft::tls_stream& stream) { return stream.peer_certificate(); });
    }

  private:
    weft::tls_context context_;
    bytes name_;
    end end_;
    bool content_;
};

weft::tls_verify verify_of(int mode) noexcept {
    return mode == CERT_NONE       ? weft::tls_verify::none
           : mode == CERT_OPTIONAL ? weft::tls_verify::optional
                                   : weft::tls_verify::required;
}

std::string_view text(const buffer& of) noexcept {
    return {reinterpret_cast<const char*>(of.span().data()), of.size()};
}

template <class T, class F>
result<T> with_object(const usocket::socket& s, F use) noexcept {
    const handles::found it = handles::find(s.number());
    if (it.target == nullptr) {
        return fail(it.why);
    }
    return use(*it.target);
}

result<std::optional<bytes>> certificate_of(const object& o) noexcept {
    const usocket::secure* const asked = o.secured();
    if (asked == nullptr) {
        return fail(errc::not_connected);
    }
    const std::span<const std::byte> shown = asked->peer_certificate(o.tls());
    if (shown.empty()) {
        return std::optional<bytes>();
    }
    result<bytes> copy = bytes::copy_of(shown);
    return copy ? result<std::optional<bytes>>(std::optional<bytes>(std::move(*copy)))
                : fail(copy.error());
}

} // namespace

// --- contexts

namespace {

/// Whether mbedTLS can make something of it. A client's context wants nothing else.
errc check(weft::tls_options options) noexcept {
    options.verify = weft::tls_verify::none;
    const result<weft::tls_context> made = weft::tls_context::client(options);
    return made ? errc::ok : made.error();
}

} // namespace

errc SSLContext::keep(bytes& where, const buffer& given) noexcept {
    result<bytes> copy = bytes::copy_of(given.span());
    if (!copy) {
        return copy.error();
    }
    where = std::move(*copy);
    made_.reset();
    return errc::ok;
}

errc SSLContext::take_chain(const buffer& cert, const buffer& key) noexcept {
    errc error = check({.certificate = text(cert), .key = text(key)});
    if (error == errc::ok) {
        error = keep(certificate_, cert);
    }
    return error == errc::ok ? keep(key_, key) : error;
}

errc SSLContext::take_authorities(const char* cafile, const buffer& cadata) noexcept {
    errc error = check({.authorities = text(cadata), .authorities_file = cafile});
    if (error == errc::ok && cadata.size() != 0) {
        error = keep(authorities_, cadata);
    }
    if (error == errc::ok && cafile != nullptr) {
        error = keep(authorities_file_, std::string_view(cafile, std::strlen(cafile) + 1));
    }
    return error;
}

errc SSLContext::take_ciphers(std::span<const std::string_view> names) noexcept {
    if (names.empty()) {
        return errc::invalid_argument;
    }
    if (const errc error = check({.ciphers = names}); error != errc::ok) {
        return error;
    }
    std::array<char, most_ciphers*(longest_cipher + 1)> joined;
    std::size_t size = 0;
    for (const std::string_view each : names) { // mbedTLS knows them: none is longer
        size += each.copy(joined.data() + size, longest_cipher);
        joined[size++] = ' ';
    }
    return keep(ciphers_, std::string_view(joined.data(), size));
}

result<weft::tls_context> SSLContext::context() noexcept {
    if (made_ && made_mode_ == verify_mode) {
        return *made_;
    }
    const bool is_client = protocol_ == PROTOCOL_TLS_CLIENT;
    if ((!is_client && protocol_ != PROTOCOL_TLS_SERVER) || verify_mode < CERT_NONE ||
        verify_mode > CERT_REQUIRED) {
        return fail(errc::invalid_argument);
    }
    std::array<std::string_view, most_ciphers> names;
    std::size_t count = 0;
    for (std::string_view rest = ciphers_; !rest.empty(); ++count) {
        const std::size_t size = rest.find(' ');
        names[count] = rest.substr(0, size);
        rest.remove_prefix(size + 1);
    }
    const weft::tls_options options{
        .authorities = authorities_,
        .authorities_file = authorities_file_.empty() ? nullptr : authorities_file_.view().data(),
        .certificate = certificate_,
        .key = key_,
        .verify = verify_of(verify_mode),
        .ciphers = std::span(names.data(), count),
    };
    result<weft::tls_context> made =
        is_client ? weft::tls_context::client(options) : weft::tls_context::server(options);
    if (!made) {
        return made;
    }
    made_mode_ = verify_mode;
    made_ = *made;
    return made;
}

result<std::unique_ptr<usocket::secure>> SSLContext::secure(std::string_view name) noexcept {
    result<weft::tls_context> how = context();
    if (!how) {
        return fail(how.error());
    }
    result<bytes> kept = bytes::copy_of(buffer(name).span());
    if (!kept) {
        return fail(kept.error());
    }
    const bool is_client = protocol_ == PROTOCOL_TLS_CLIENT;
    const bool content = is_client && verify_mode == CERT_NONE && certificate_.empty();
    std::unique_ptr<usocket::secure> made(new (std::nothrow) by_context(
        std::move(*how), is_client ? usocket::secure::end::client : usocket::secure::end::server,
        content, std::move(*kept)));
    if (!made) {
        return fail(errc::no_memory);
    }
    return made;
}

// --- wrapping

result<SSLSocket> SSLContext::wrap(usocket::socket& plain, const wrap_options& how) noexcept {
    const bool is_client = protocol_ == PROTOCOL_TLS_CLIENT;
    if (how.server_side == is_client ||
        lacks_name(verify_mode, how.server_side, how.server_hostname)) {
        return fail(errc::invalid_argument);
    }
    return wrap_as(plain, secure(how.server_hostname), how.do_handshake_on_connect);
}

result<SSLSocket> SSLContext::wrap_as(
    usocket::socket& plain, result<std::unique_ptr<usocket::secure>> made, bool shake) noexcept {
    if (!made) {
        return fail(made.error());
    }
    const handles::found it = handles::find(plain.number());
    if (it.target == nullptr) {
        return fail(it.why);
    }
    if (const errc error = it.target->wrap(std::move(*made), shake); error != errc::ok) {
        return fail(error);
    }
    return SSLSocket(std::move(plain));
}

result<SSLSocket>
SSLContext::wrap_once(usocket::socket& plain, const wrap_arguments& how) noexcept {
    return wrap_as(plain, secure_named(how), how.do_handshake);
}

result<std::unique_ptr<usocket::secure>>
SSLContext::secure_named(const wrap_arguments& how) noexcept {
    if (lacks_name(how.cert_reqs, how.server_side, how.server_hostname)) {
        return fail(errc::invalid_argument);
    }
    return secure_once(how);
}

result<std::unique_ptr<usocket::secure>>
SSLContext::secure_once(const wrap_arguments& how) noexcept {
    SSLContext own(how.server_side ? PROTOCOL_TLS_SERVER : PROTOCOL_TLS_CLIENT);
    own.verify_mode = how.cert_reqs;
    for (const auto& [where, given] :
         {std::pair(&own.certificate_, &how.cert), std::pair(&own.key_, &how.key),
          std::pair(&own.authorities_, &how.cadata)}) {
        if (const errc error = own.keep(*where, *given); error != errc::ok) {
            return fail(error);
        }
    }
    return own.secure(how.server_hostname);
}

result<> as_default(SSLContext& chosen) noexcept {
    result<std::unique_ptr<usocket::secure>> made = chosen.secure({});
    if (!made) {
        return fail(made.error());
    }
    const usocket::secure::end which = (*made)->which();
    usocket::thread::here().secure_default(which) = std::move(*made);
    return {};
}

// --- sockets

result<> SSLSocket::shake() noexcept {
    return with_object<void>(*this, [](object& o) { return as_result(o.do_handshake()); });
}

result<std::optional<bytes>> SSLSocket::certificate(bool binary_form) noexcept {
    return with_object<std::optional<bytes>>(*this, [=](object& o) -> result<std::optional<bytes>> {
        return binary_form ? certificate_of(o) : weft::fail(errc::invalid_argument);
    });
}

result<agreed> SSLSocket::agreement() noexcept {
    return with_object<agreed>(*this, [](object& o) -> result<agreed> {
        const usocket::secure* const asked = o.secured();
        if (asked == nullptr) {
            return weft::fail(errc::not_connected);
        }
        return agreed(asked->cipher(o.tls()), asked->version(o.tls()));
    });
}

} // namespace ussl

namespace usocket {

bool secure::is_there() noexcept {
    return true;
}

namespace {

ussl::wrap_arguments arguments_of(const secure_options& how) noexcept {
    return {
        .server_side = how.which == secure::end::server,
        .key = how.key,
        .cert = how.cert,
        .cert_reqs = how.cert_reqs,
        .cadata = how.authorities,
        .server_hostname = how.name};
}

} // namespace

weft::result<std::unique_ptr<secure>> make_secure(const secure_options& how) noexcept {
    return ussl::SSLContext::secure_named(arguments_of(how));
}

weft::errc secure_by_default(const secure_options& how) noexcept {
    weft::result<std::unique_ptr<secure>> made = ussl::SSLContext::secure_once(arguments_of(how));
    if (!made) {
        return made.error();
    }
    thread::here().secure_default(how.which) = std::move(*made);
    return weft::errc::ok;
}

weft::result<std::unique_ptr<secure>> secure::by_default(end which) noexcept {
    std::unique_ptr<secure>& chosen = thread::here().secure_default(which);
    if (!chosen && which == end::client) {
        ussl::SSLContext anyone(ussl::PROTOCOL_TLS_CLIENT);
        const weft::result<> used = ussl::as_default(anyone);
        if (!used) {
            return weft::fail(used.error());
        }
    }
    if (!chosen) {
        return weft::fail(weft::errc::invalid_argument);
    }
    std::unique_ptr<secure> made = chosen->copy();
    if (!made) {
        return weft::fail(weft::errc::no_memory);
    }
    return made;
}

} // namespace usocket
