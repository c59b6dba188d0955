// run: a program of coroutines without a line of set-up, on the stack that this thread's sockets
// come from: the host's, or what usocket::use() or WEFT_STACK chose (usocket/stack.hpp).
//
//     weft::task<> hello() {
//         auto peer = co_await uasyncio::open_connection("127.0.0.1", 7000);
//         if (!peer) { co_await weft::fail(peer.error()); }
//     }
//     int main() { return uasyncio::run(hello()) ? 0 : 1; }
#pragma once

#include <uasyncio/datagram.hpp>
#include <uasyncio/open_connection.hpp>
#include <uasyncio/server.hpp>

#include <usocket/core/thread.hpp>

#include <weft/sync_wait.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace uasyncio {

/// Runs this thread's loop until `work` has ended, and gives its result. errc::would_deadlock from
/// inside that loop; and what the stack cannot be made for (usocket::explanation() says it).
template <class T>
weft::result<T> run(weft::task<T> work) {
    const weft::result<weft::stack*> net = usocket::thread::here().net();
    if (!net) {
        return weft::fail(net.error());
    }
    return weft::sync_wait((*net)->loop(), std::move(work));
}

/// open_connection(), on this thread's stack.
[[nodiscard]] weft::task<stream> open_connection(std::string_view host, std::uint16_t port);

[[nodiscard]] weft::task<server> start_listening_here(
    std::unique_ptr<connection_callback> callback, host_name host, std::uint16_t port,
    std::size_t backlog);

/// start_server(), on this thread's stack.
template <class Callback>
    requires std::is_same_v<std::invoke_result_t<std::decay_t<Callback>&, stream>, weft::task<>>
[[nodiscard]] weft::task<server> start_server(
    Callback&& callback, std::string_view host, std::uint16_t port, std::size_t backlog = 5) {
    using kept = connection_callback_of<std::decay_t<Callback>>;
    return start_listening_here(
        std::unique_ptr<connection_callback>(new (std::nothrow)
                                                 kept(std::forward<Callback>(callback))),
        host_name(host), port, backlog);
}

} // namespace uasyncio
