// server: accepts connections and runs a task for each.
//
//     weft::task<> echo(uasyncio::stream peer);
//     weft::task<> serve(weft::stack& net) {
//         auto server = co_await uasyncio::start_server(net, &echo, "", 7000);
//         if (!server) { co_await weft::fail(server.error()); }
//         auto ended = co_await server->wait_closed();     // for ever, unless close() is called
//     }
#pragma once

#include <uasyncio/acceptor.hpp>
#include <uasyncio/host_name.hpp>
#include <uasyncio/stream.hpp>

#include <weft/event.hpp>
#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace uasyncio {

/// Move-only. Destroying it ends everything at once: it stops listening, and the connections' tasks
/// are destroyed where they wait. Not from inside one of those tasks.
class server {
  public:
    server() noexcept = default;

    /// Stops accepting, and resets the connections that nobody has accepted yet; those that run go
    /// on. Idempotent.
    void close() noexcept {
        if (acceptor_) {
            acceptor_->close();
        }
    }

    /// Completes when the server accepts nothing any more and every connection's task has ended.
    /// errc::canceled ends the waiting alone; errc::bad_handle: the server was destroyed meanwhile.
    /// Not for one that start_server() did not give, or that was moved from.
    [[nodiscard]] weft::event::waiting wait_closed() noexcept { return acceptor_->ended().wait(); }

    [[nodiscard]] bool is_serving() const noexcept {
        return acceptor_ && acceptor_->listener().is_open();
    }
    /// Where it listens: what tells the port, if it was 0. Nothing once closed.
    [[nodiscard]] std::optional<weft::endpoint> sockname() const noexcept;
    /// How many connections' tasks run.
    [[nodiscard]] std::size_t connections() const noexcept {
        return acceptor_ ? acceptor_->connections() : 0;
    }
    /// How many of them have ended with an error or an exception, or found no memory to begin.
    [[nodiscard]] std::size_t failures() const noexcept {
        return acceptor_ ? acceptor_->failures() : 0;
    }

  private:
    friend weft::task<server> start_listening(
        weft::stack&, std::unique_ptr<connection_callback>, host_name, std::uint16_t, std::size_t);
    explicit server(std::unique_ptr<acceptor> running) noexcept : acceptor_(std::move(running)) {}

    std::unique_ptr<acceptor> acceptor_;
};

/// What start_server() does once the callback has lost its type.
[[nodiscard]] weft::task<server> start_listening(
    weft::stack& net, std::unique_ptr<connection_callback> callback, host_name host,
    std::uint16_t port, std::size_t backlog);

/// Listens, and runs `callback(stream)`, which gives a task<>, for each connection. The server
/// keeps the callback until its last task has gone, so it may hold what the tasks use; a lambda
/// that captures must itself be no coroutine. The end of its task closes the connection. Its error
/// or exception is counted in server::failures() and ends nothing else.
///
/// `host` is a numeric address, a name, of which the first address counts, or "" for any IPv4
/// address; it is copied. Port 0 is one of the system's choice. errc::address_in_use,
/// address_not_available, permission_denied, no_memory, canceled, and those of stack::open_tcp()
/// and stack::resolve().
template <class Callback>
    requires std::is_same_v<std::invoke_result_t<std::decay_t<Callback>&, stream>, weft::task<>>
[[nodiscard]] weft::task<server> start_server(
    weft::stack& net, Callback&& callback, std::string_view host, std::uint16_t port,
    std::size_t backlog = 5) {
    using kept = connection_callback_of<std::decay_t<Callback>>;
    return start_listening(
        net,
        std::unique_ptr<connection_callback>(new (std::nothrow)
                                                 kept(std::forward<Callback>(callback))),
        host_name(host), port, backlog);
}

} // namespace uasyncio
