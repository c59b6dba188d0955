// ussl: TLS for the façade's sockets, with the names of MicroPython's ssl module.
//
//     usocket::socket plain;
//     plain.connect(usocket::getaddrinfo("example.org", 443)[0][-1]);
//     auto s = ussl::wrap_socket(std::move(plain), {.server_hostname = "example.org"});
//     s.write("GET / HTTP/1.0\r\n\r\n");
//     std::optional<usocket::bytes> answer = s.read();
//
// As in MicroPython, nobody is verified unless that is asked for: cert_reqs,
// SSLContext::verify_mode. In builds that have TLS; docs/tls.md says more.
#pragma once

#include <usocket/bytes.hpp>
#include <usocket/core/secure_options.hpp>
#include <usocket/error.hpp>
#include <usocket/socket.hpp>

#include <weft/tls.hpp>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace ussl {

using usocket::buffer;
using usocket::bytes;
using usocket::outcome;
using usocket::told;

inline constexpr int PROTOCOL_TLS_CLIENT = 0;
inline constexpr int PROTOCOL_TLS_SERVER = 1;

inline constexpr int CERT_NONE = 0;
inline constexpr int CERT_OPTIONAL = 1;
inline constexpr int CERT_REQUIRED = 2;

/// Cipher suite and version.
using agreed = std::pair<std::string_view, std::string_view>;

/// A socket whose bytes are TLS's: every call of usocket::socket, in all of its modes. Waiting for
/// bytes waits for the handshake first, poll() tells of bytes and not of records, and close() says
/// close_notify. A connection that ended without that is OSError -0x7280
/// (MBEDTLS_ERR_SSL_CONN_EOF), the end of a stream is not; docs/tls.md has the other numbers.
class SSLSocket : public usocket::socket {
  public:
    /// Waits until the handshake is over. EAGAIN 11, ETIMEDOUT 110: it goes on whenever the loop
    /// turns, in any call that waits or polls.
    outcome<> do_handshake() { return told(shake(), "do_handshake"); }

    /// A listener's: the connection shakes hands when it is first used, by its own timeout.
    outcome<std::pair<SSLSocket, usocket::sockaddr>> accept() {
#if defined(__cpp_exceptions)
        auto next = socket::accept();
        return {SSLSocket(std::move(next.first)), next.second};
#else
        auto next = socket::accept();
        if (!next) {
            return weft::fail(next.error());
        }
        return std::pair(SSLSocket(std::move(next->first)), next->second);
#endif
    }

    /// The peer's certificate, DER; None: it has shown none. Only the binary form is there: EINVAL.
    outcome<std::optional<bytes>> getpeercert(bool binary_form) {
        return told(certificate(binary_form), "getpeercert");
    }
    /// The cipher suite and the version: "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384", "TLSv1.2".
    /// Valid until the socket is closed. ENOTCONN before the handshake is over; so getpeercert().
    outcome<agreed> cipher() { return told(agreement(), "cipher"); }

  private:
    friend class SSLContext;
    explicit SSLSocket(usocket::socket wrapped) noexcept : socket(std::move(wrapped)) {}
    weft::result<> shake() noexcept;
    weft::result<std::optional<bytes>> certificate(bool binary_form) noexcept;
    weft::result<agreed> agreement() noexcept;
};

struct wrap_arguments;

struct wrap_options {
    bool server_side = false;
    std::string_view server_hostname = {}; // whom to expect, and SNI
    bool do_handshake_on_connect = true;
};

/// One end's settings, for any number of sockets of one thread. What was wrapped keeps them as they
/// were then.
class SSLContext {
  public:
    /// PROTOCOL_TLS_CLIENT or PROTOCOL_TLS_SERVER.
    explicit SSLContext(int protocol) noexcept : protocol_(protocol) {}

    int verify_mode = CERT_NONE;

    /// What this end shows, PEM (its own certificate first) or DER. EINVAL: cannot be read, or the
    /// key is another certificate's. ENOMEM, here and below.
    outcome<> load_cert_chain(const buffer& cert, const buffer& key) {
        return told(usocket::as_result(take_chain(cert, key)), "load_cert_chain");
    }
    /// Whom to believe: a file, or PEM or DER. ENOENT, EINVAL.
    outcome<> load_verify_locations(const char* cafile, const buffer& cadata = "") {
        return told(usocket::as_result(take_authorities(cafile, cadata)), "load_verify_locations");
    }
    /// By names as get_ciphers() has them, with hyphens or underscores. EINVAL: unknown, or none.
    outcome<> set_ciphers(std::span<const std::string_view> names) {
        return told(usocket::as_result(take_ciphers(names)), "set_ciphers");
    }
    outcome<> set_ciphers(std::initializer_list<std::string_view> names) {
        return set_ciphers(std::span(names.begin(), names.size()));
    }
    /// All that there are: begin() to end() of names.
    class cipher_names;
    [[nodiscard]] static cipher_names get_ciphers() noexcept;

    /// `plain` becomes the SSLSocket: connected, or before connect(), accept() or listen(). Where
    /// it may wait this waits for the handshake. On failure it is still the caller's, to close. How
    /// handshakes fail; EISCONN 106: it is TLS already; EINVAL: server_side is not what the
    /// protocol says, verify_mode without load_verify_locations(), or CERT_REQUIRED of a client
    /// without server_hostname.
    outcome<SSLSocket> wrap_socket(usocket::socket&& plain, const wrap_options& how = {}) {
        return told(wrap(plain, how), "wrap_socket");
    }

    /// This as the core's, for coroutines (uasyncio::open_connection); made once for each change.
    weft::result<weft::tls_context> context() noexcept;

  private:
    friend weft::result<> as_default(SSLContext& chosen) noexcept;
    friend weft::result<std::unique_ptr<usocket::secure>>
    usocket::make_secure(const usocket::secure_options& how) noexcept;
    friend weft::errc usocket::secure_by_default(const usocket::secure_options& how) noexcept;
    friend outcome<SSLSocket> wrap_socket(usocket::socket&&, const wrap_arguments&);
    weft::errc keep(bytes& where, const buffer& given) noexcept;
    weft::errc take_chain(const buffer& cert, const buffer& key) noexcept;
    weft::errc take_authorities(const char* cafile, const buffer& cadata) noexcept;
    weft::errc take_ciphers(std::span<const std::string_view> names) noexcept;
    weft::result<std::unique_ptr<usocket::secure>> secure(std::string_view name) noexcept;
    weft::result<SSLSocket> wrap(usocket::socket& plain, const wrap_options& how) noexcept;
    static weft::result<SSLSocket> wrap_as(
        usocket::socket& plain, weft::result<std::unique_ptr<usocket::secure>> made,
        bool shake) noexcept;
    static weft::result<std::unique_ptr<usocket::secure>>
    secure_once(const wrap_arguments& how) noexcept;
    static weft::result<std::unique_ptr<usocket::secure>>
    secure_named(const wrap_arguments& how) noexcept;
    static weft::result<SSLSocket>
    wrap_once(usocket::socket& plain, const wrap_arguments& how) noexcept;

    int protocol_;
    int made_mode_ = CERT_NONE;
    bytes certificate_;
    bytes key_;
    bytes authorities_;
    bytes authorities_file_; // with its NUL
    bytes ciphers_;          // each with a space behind it
    std::optional<weft::tls_context> made_;
};

class SSLContext::cipher_names {
  public:
    class iterator {
      public:
        explicit iterator(std::size_t at) noexcept : at_(at) {}
        std::string_view operator*() const noexcept { return weft::tls_context::known_cipher(at_); }
        iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            const bool a_ends = (*a).empty();
            const bool b_ends = (*b).empty();
            return a_ends || b_ends ? a_ends == b_ends : a.at_ == b.at_;
        }

      private:
        std::size_t at_;
    };
    [[nodiscard]] static iterator begin() noexcept { return iterator(0); }
    [[nodiscard]] static iterator end() noexcept { return iterator(static_cast<std::size_t>(-1)); }
};

inline SSLContext::cipher_names SSLContext::get_ciphers() noexcept {
    return {};
}

weft::result<> as_default(SSLContext& chosen) noexcept; // use(), the same in every build

/// From now on this thread's sockets of IPPROTO_SEC that nobody wraps do as `chosen` says: clients
/// or servers, by its protocol. At first clients verify nobody, and servers have no certificate.
/// connect() knows no names: with CERT_REQUIRED clients believe whomever the authorities know.
inline outcome<> use(SSLContext& chosen) {
    return told(as_default(chosen), "use");
}

/// The keywords of wrap_socket().
struct wrap_arguments {
    bool server_side = false;
    buffer key = "";
    buffer cert = "";
    int cert_reqs = CERT_NONE;
    buffer cadata = "";
    std::string_view server_hostname = {};
    bool do_handshake = true;
};

/// The same with a context of its own.
inline outcome<SSLSocket> wrap_socket(usocket::socket&& plain, const wrap_arguments& how = {}) {
    return told(SSLContext::wrap_once(plain, how), "wrap_socket");
}

} // namespace ussl
