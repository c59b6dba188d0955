// secure: how one stream of the façade becomes TLS: with which context, and whom it expects.
//
// The façade's sockets know no more of TLS than this. In builds without TLS nobody makes one.
#pragma once

#include <weft/result.hpp>
#include <weft/tcp.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace usocket {

class secure {
  public:
    enum class end : bool { client, server };

    secure(const secure&) = delete;
    secure& operator=(const secure&) = delete;
    virtual ~secure() = default;

    /// Whether this build has TLS.
    static bool is_there() noexcept;
    /// What a socket of IPPROTO_SEC that nobody wrapped does: this thread's default context.
    /// errc::invalid_argument: there is none for servers, who need a certificate; no_memory.
    static weft::result<std::unique_ptr<secure>> by_default(end which) noexcept;

    [[nodiscard]] virtual end which() const noexcept = 0;
    /// It asks for nothing, and shows nothing: any handshake of a client was as good.
    [[nodiscard]] virtual bool is_content() const noexcept = 0;
    /// The same for a connection that a listener accepted. Null: no memory.
    [[nodiscard]] virtual std::unique_ptr<secure> copy() const noexcept = 0;
    /// A socket that shakes hands: tls_stream::begin().
    [[nodiscard]] virtual weft::result<weft::tcp_socket*> over(weft::tcp_stream below) noexcept = 0;

    // Of what over() made, when the handshake is over.
    [[nodiscard]] virtual std::string_view cipher(weft::tcp_socket& s) const noexcept = 0;
    [[nodiscard]] virtual std::string_view version(weft::tcp_socket& s) const noexcept = 0;
    [[nodiscard]] virtual std::span<const std::byte>
    peer_certificate(weft::tcp_socket& s) const noexcept = 0;

  protected:
    secure() noexcept = default;
};

} // namespace usocket
