// tls_stream: TLS over a connected tcp_stream, and itself one: what takes a stream takes either.
//
//     auto known = weft::tls_context::client({.authorities_file = "/etc/ssl/cert.pem"});
//     auto plain = co_await net.connect(to);
//     auto secure = co_await weft::tls_stream::client(*known, std::move(*plain), "example.org");
//     auto sent = co_await secure->send_all("GET / HTTP/1.0\r\n\r\n");
//
// In builds that have it (Meson's option `tls`); docs/tls.md says how it works.
#pragma once

#include <weft/tcp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace weft {

namespace tls {
class configuration;
class saved_session;
} // namespace tls

/// What is asked of the peer's certificate.
enum class tls_verify : std::uint8_t {
    none,     // nothing; a server asks for none
    optional, // it is looked at, and tls_stream::certificate() tells what was found
    required, // a good one, or the handshake fails
};

enum class tls_version : std::uint8_t { tls_1_2, tls_1_3 };

/// What a server shows to whom asks for `name` (SNI, RFC 6066): as the certificate and key of
/// tls_options. "*.example.org" is any one label before the rest.
struct tls_identity {
    std::string_view name;
    std::string_view certificate;
    std::string_view key;
    std::string_view key_password = {};
};

/// A server's further certificates; the first that fits is shown. What chooses among them is linked
/// to programs that make one of these.
class tls_identities {
  public:
    constexpr tls_identities() noexcept = default; // none
    explicit(false) tls_identities(std::span<const tls_identity> each) noexcept;

  private:
    friend class tls::configuration;
    std::span<const tls_identity> each_;
    errc (*take_)(tls::configuration&, std::span<const tls_identity>) noexcept = nullptr;
};

/// SHA-256 of a certificate's public key, its SubjectPublicKeyInfo (RFC 7469, 2.4):
/// `openssl x509 -in FILE -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum`.
using tls_pin = std::array<std::byte, 32>;

/// Keys of peers, 8 at most. Linked like tls_identities.
class tls_pins {
  public:
    constexpr tls_pins() noexcept = default; // any key
    explicit(false) tls_pins(std::span<const tls_pin> keys) noexcept;

  private:
    friend class tls::configuration;
    std::span<const tls_pin> keys_;
    errc (*take_)(tls::configuration&, std::span<const tls_pin>) noexcept = nullptr;
};

/// Copied by what is made of it: nothing need outlive the call. Certificates and keys are PEM, any
/// number of them in a row, or DER, one.
struct tls_options {
    /// Whom to believe. The file is PEM, as systems keep it.
    std::string_view authorities = {};
    const char* authorities_file = nullptr;
    /// The peer's own certificate has one of these keys, or is errc::certificate_untrusted. Without
    /// authorities nobody need have signed it; its name and its dates are looked at as always.
    tls_pins pins = {};
    /// What this end shows, its own certificate first, and the key to that. A server must.
    std::string_view certificate = {};
    std::string_view key = {};
    std::string_view key_password = {};
    /// And what a server shows to whom asks for another name. Given in braces: `{table}`.
    tls_identities identities = {};
    tls_verify verify = tls_verify::required;
    /// Application protocols, the favourite first (RFC 7301): at most 8, 31 bytes each.
    std::span<const std::string_view> protocols = {};
    /// Cipher suites by IANA's names, the favourite first, at most 32; empty: mbedTLS's choice.
    std::span<const std::string_view> ciphers = {};
    tls_version minimum = tls_version::tls_1_2;
    /// By which certificates are good or not: seconds since 1970, UTC, given `clock_context`. Null:
    /// the system's; a board whose mbedTLS has none does not look at dates.
    std::int64_t (*clock)(void* clock_context) noexcept = nullptr;
    void* clock_context = nullptr;
    /// A server remembers peers for a day, by tickets (RFC 5077, 8446) and, 50 of them, by session
    /// id (RFC 5246); a client asks for tickets. Where mbedTLS is built with it. (In TLS 1.3 not by
    /// servers that look at certificates: mbedTLS would not remember what it found.)
    bool resumption = true;
    /// The longest record that a client asks its server for, both ways (RFC 6066): 512, 1024, 2048
    /// or 4096 bytes, or 0, 16 KiB. Servers grant what they are asked for, in TLS 1.2.
    std::uint16_t longest_record = 0;
};

/// How one end of TLS is to behave, for any number of streams of one thread, each of which keeps it
/// alive. Copies are the same context.
class tls_context {
  public:
    tls_context() noexcept = default; // none: handshakes end with errc::invalid_argument
    tls_context(const tls_context& other) noexcept;
    tls_context(tls_context&& other) noexcept : own_(std::exchange(other.own_, nullptr)) {}
    tls_context& operator=(tls_context other) noexcept {
        std::swap(own_, other.own_);
        return *this;
    }
    ~tls_context();

    /// errc::invalid_argument: what cannot be read as what it should be, a key that is another
    /// certificate's, a name that mbedTLS does not know, verify without authorities or pins,
    /// pins with tls_verify::none, identities of a client; errc::no_such_entry: the file;
    /// errc::not_supported: tls_1_3 with an mbedTLS without it, and an end that a board's was
    /// configured without; errc::no_memory.
    [[nodiscard]] static result<tls_context> client(const tls_options& options) noexcept;
    /// The same, and errc::invalid_argument without certificate and key. `verify` is of clients.
    [[nodiscard]] static result<tls_context> server(const tls_options& options) noexcept;

    /// The `i`th cipher suite that mbedTLS has, its favourite first; empty behind the last.
    [[nodiscard]] static std::string_view known_cipher(std::size_t i) noexcept;

  private:
    friend class tls_session;
    friend class tls_stream;
    explicit tls_context(tls::configuration* owned) noexcept : own_(owned) {}
    tls::configuration* own_ = nullptr;
};

/// What a client keeps of a connection: with it the next handshake with that server takes one round
/// trip less and no public-key cryptography, if the server remembers too.
class tls_session {
  public:
    tls_session() noexcept = default; // none
    tls_session(tls_session&& other) noexcept : own_(std::exchange(other.own_, nullptr)) {}
    tls_session& operator=(tls_session&& other) noexcept {
        std::swap(own_, other.own_);
        return *this;
    }
    ~tls_session();
    [[nodiscard]] explicit operator bool() const noexcept { return own_ != nullptr; }

    /// As bytes, for a file or a board's flash, so that a device resumes after its restart, too.
    /// They hold the connection's secret, by which who reads them may read what was sent in TLS
    /// 1.2 and pass for this client; the server's name and, in TLS 1.2, its certificate: some 200
    /// to 2,000 bytes. save() gives their number, saved_size() of a session that is there;
    /// errc::message_too_long: more than `into` has; errc::invalid_argument: none.
    [[nodiscard]] std::size_t saved_size() const noexcept;
    [[nodiscard]] result<std::size_t> save(std::span<std::byte> into) const noexcept;
    /// And back, for a client's context with the same authorities, pins and `verify` as when it
    /// was saved: else, and for what save() of the same build of mbedTLS did not give,
    /// errc::invalid_argument; errc::not_supported: without resumption; errc::no_memory. A changed
    /// byte is not always noticed: keep them where nobody else writes.
    [[nodiscard]] static result<tls_session>
    load(const tls_context& of, std::span<const std::byte> saved) noexcept;

  private:
    friend class tls_stream;
    explicit tls_session(tls::saved_session* owned) noexcept : own_(owned) {}
    tls::saved_session* own_ = nullptr;
};

class tls_handshake;

/// A TLS connection. All that tcp_stream says holds, with these differences:
///
/// recv, read_exactly: 0, or errc::end_of_stream, when the peer said that it has finished
/// (close_notify); errc::tls_truncated, from then on, when its TCP ended without that: what came
/// may have been cut. errc::tls_protocol, errc::tls_alert: the connection is of no more use.
/// send: a record takes at most 16 KiB at a time. peek: errc::not_supported.
/// shutdown_send, close and destruction say close_notify behind what was sent, then FIN; for
/// `goodbye_limit` they go on by themselves while the peer takes nothing, then they reset it.
class tls_stream : public tcp_stream {
  public:
    static constexpr duration goodbye_limit = std::chrono::seconds(60);

    tls_stream() noexcept = default;
    /// What detach() gave up.
    explicit tls_stream(tcp_socket* owned) noexcept : tcp_stream(owned) {}

    /// The handshake over `over`, which is connected and nobody reads or writes. `name` is whom to
    /// expect: a name of DNS, which is sent (SNI), or an IP address, which is not; the certificate
    /// must be for it; empty: for anybody. errc::invalid_argument: 256 bytes, or with a NUL.
    ///
    /// Completes with the stream, or with what `over` failed with, errc::certificate_* (refused by
    /// this end), tls_alert (by the other), tls_no_agreement, tls_protocol, tls_truncated,
    /// no_memory, canceled. On failure the connection is closed. Between its messages other
    /// coroutines run. A peer may stall for ever: timeout() sets a deadline.
    ///
    /// `earlier` is a session() of the same context and name, else errc::invalid_argument: what was
    /// looked at then is not looked at again. A server that has forgotten it gets a whole
    /// handshake.
    [[nodiscard]] static tls_handshake client(
        const tls_context& context, tcp_stream over, std::string_view name,
        const tls_session& earlier = {}) noexcept;
    [[nodiscard]] static tls_handshake server(const tls_context& context, tcp_stream over) noexcept;

    /// The same for who does not await it: as `context`'s end, a socket that shakes hands when its
    /// loop turns. Its connect_result() would block until that is over, and tells how it ended.
    /// errc::invalid_argument, no_memory; `over` is closed then.
    [[nodiscard]] static result<tcp_socket*> begin(
        const tls_context& context, tcp_stream over, std::string_view name,
        const tls_session& earlier = {}) noexcept;

    /// What was agreed on: "TLSv1.2", the suite by its IANA name but with hyphens, the application
    /// protocol, or "". Valid until the stream is closed.
    [[nodiscard]] std::string_view version() const noexcept;
    [[nodiscard]] std::string_view cipher() const noexcept;
    [[nodiscard]] std::string_view protocol() const noexcept;
    /// What is wrong with the peer's certificate; errc::ok: nothing, or it was not asked for.
    [[nodiscard]] errc certificate() const noexcept;
    /// That certificate, DER; empty: none, or resumed in TLS 1.3. Valid until the stream is closed.
    [[nodiscard]] std::span<const std::byte> peer_certificate() const noexcept;
    /// The handshake went on from an earlier one.
    [[nodiscard]] bool resumed() const noexcept;
    /// Of a client, for later ones. Servers of TLS 1.3 give it after the handshake, mostly with the
    /// first bytes, and new ones later: errc::would_block until it is there.
    /// errc::not_supported: a server, or without resumption; errc::bad_handle; errc::no_memory.
    [[nodiscard]] result<tls_session> session() const noexcept;

  private:
    friend class tls_handshake;
};

/// `co_await tls_stream::client(...)`. Cancelling ends it and closes the connection.
class [[nodiscard]] tls_handshake : public io_wait<tls_handshake, direction::out> {
  public:
    explicit tls_handshake(result<tcp_socket*> begun) noexcept;
    tls_handshake(const tls_handshake&) = delete;
    tls_handshake(tls_handshake&& other) noexcept
        : io_wait(other), stream_(std::move(other.stream_)), opening_(other.opening_) {}
    result<tls_stream> await_resume() noexcept;

  private:
    friend class io_wait<tls_handshake, direction::out>;
    io_count attempt() noexcept;
    tls_stream stream_;
    errc opening_;
};

} // namespace weft
