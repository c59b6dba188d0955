// ssl: open_connection() and start_server() with asyncio's `ssl` argument, in builds that have TLS.
//
//     auto peer = co_await uasyncio::open_connection(net, "example.org", 443, true);
//     if (!peer) { co_await weft::fail(peer.error()); }   // as without; and how handshakes end
//     peer->write("GET / HTTP/1.0\r\n\r\n");
//     auto answer = co_await peer->read();
#pragma once

#include <uasyncio/host_name.hpp>
#include <uasyncio/open_connection.hpp>
#include <uasyncio/server.hpp>

#include <weft/tls.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ussl {
class SSLContext;
}

namespace uasyncio {

/// `ssl`: true, a context of ussl's or of weft's; false: none.
class ssl_choice {
  public:
    /// true is a client that verifies nobody, as in MicroPython. No pointer is true.
    template <std::same_as<bool> On>
    ssl_choice(On on) noexcept : just_true_(on) {
        if (on) {
            verify_nobody();
        }
    }
    ssl_choice(ussl::SSLContext& context) noexcept;
    ssl_choice(const weft::tls_context& context) noexcept
        : context_(weft::result<weft::tls_context>(context)) {}

    [[nodiscard]] const std::optional<weft::result<weft::tls_context>>& context() const noexcept {
        return context_;
    }

    [[nodiscard]] bool is_just_true() const noexcept { return just_true_; }

  private:
    void verify_nobody() noexcept;

    std::optional<weft::result<weft::tls_context>> context_;
    bool just_true_ = false;
};

/// Completes when the handshake is over; `host` is expected if `server_hostname` is empty. The
/// errors of open_connection() and of tls_stream::client(). weft::timeout() sets a deadline.
[[nodiscard]] weft::task<stream> open_connection(
    weft::stack& net, std::string_view host, std::uint16_t port, ssl_choice ssl,
    std::string_view server_hostname = {});

/// Accepted connections shake hands while their task runs already: its first read, or drain(),
/// waits for that, and tells how it failed.
class secure_callback final : public connection_callback {
  public:
    secure_callback(
        std::unique_ptr<connection_callback> callback, weft::tls_context context) noexcept
        : callback_(std::move(callback)), context_(std::move(context)) {}
    weft::task<> serve(stream peer) override { return callback_->serve(std::move(peer)); }
    weft::result<weft::tcp_stream> take(weft::tcp_stream accepted) noexcept override;

  private:
    std::unique_ptr<connection_callback> callback_;
    weft::tls_context context_;
};

/// What start_server() does once the callback has lost its type.
[[nodiscard]] weft::task<server> start_listening(
    weft::stack& net, std::unique_ptr<connection_callback> callback, host_name host,
    std::uint16_t port, std::size_t backlog, ssl_choice ssl);

/// As without `ssl`, which is a server's context here: true has no certificate, and is
/// errc::invalid_argument.
template <class Callback>
    requires std::is_same_v<std::invoke_result_t<std::decay_t<Callback>&, stream>, weft::task<>>
[[nodiscard]] weft::task<server> start_server(
    weft::stack& net, Callback&& callback, std::string_view host, std::uint16_t port,
    std::size_t backlog, ssl_choice ssl) {
    using kept = connection_callback_of<std::decay_t<Callback>>;
    return start_listening(
        net,
        std::unique_ptr<connection_callback>(new (std::nothrow)
                                                 kept(std::forward<Callback>(callback))),
        host_name(host), port, backlog, std::move(ssl));
}

} // namespace uasyncio
