#include <uasyncio/ssl.hpp>

#include <usocket/ussl.hpp>

namespace uasyncio {

using weft::errc;

ssl_choice::ssl_choice(ussl::SSLContext& context) noexcept : context_(context.context()) {}

void ssl_choice::verify_nobody() noexcept {
    context_.emplace(weft::tls_context::client({.verify = weft::tls_verify::none}));
}

// --- clients ----------------------------------------------------------------------------------

namespace {

weft::task<stream> connect_securely(
    weft::stack& net, host_name host, std::uint16_t port, weft::result<weft::tls_context> context,
    host_name expected) {
    if (!context) {
        co_return weft::fail(context.error());
    }
    auto plain = co_await open_connection(net, host.view(), port);
    if (!plain) {
        co_return weft::fail(plain.error());
    }
    auto secure = co_await weft::tls_stream::client(*context, plain->detach(), expected.view());
    if (!secure) {
        co_return weft::fail(secure.error());
    }
    co_return stream::over(std::move(*secure));
}

} // namespace

weft::task<stream> open_connection(
    weft::stack& net, std::string_view host, std::uint16_t port, ssl_choice ssl,
    std::string_view server_hostname) {
    if (!ssl.context()) {
        return open_connection(net, host, port);
    }
    return connect_securely(
        net, host_name(host), port, *ssl.context(),
        host_name(server_hostname.empty() ? host : server_hostname));
}

// --- servers ----------------------------------------------------------------------------------

weft::result<weft::tcp_stream> secure_callback::take(weft::tcp_stream accepted) noexcept {
    const weft::result<weft::tcp_socket*> begun =
        weft::tls_stream::begin(context_, std::move(accepted), {});
    if (!begun) {
        return weft::fail(begun.error());
    }
    return weft::tcp_stream(*begun);
}

namespace {

weft::task<server> refuse(errc error) {
    co_return weft::fail(error);
}

} // namespace

weft::task<server> start_listening(
    weft::stack& net, std::unique_ptr<connection_callback> callback, host_name host,
    std::uint16_t port, std::size_t backlog, ssl_choice ssl) {
    if (!ssl.context()) {
        return start_listening(net, std::move(callback), host, port, backlog);
    }
    if (ssl.is_just_true()) {
        return refuse(errc::invalid_argument);
    }
    if (!*ssl.context()) {
        return refuse(ssl.context()->error());
    }
    if (!callback) {
        return refuse(errc::no_memory);
    }
    std::unique_ptr<connection_callback> secure(
        new (std::nothrow) secure_callback(std::move(callback), **ssl.context()));
    return start_listening(net, std::move(secure), host, port, backlog);
}

} // namespace uasyncio
