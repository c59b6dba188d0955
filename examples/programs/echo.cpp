#include "echo.hpp"

#include <weft/task_group.hpp>

#include <array>
#include <utility>

namespace programs {

weft::task<std::size_t> echo_back(weft::tcp_stream peer) {
    std::array<std::byte, WEFT_ECHO_BYTES> buffer;
    std::size_t total = 0;
    while (true) {
        const auto received = co_await peer.recv(buffer);
        if (!received || *received == 0) {
            break;
        }
        const auto sent = co_await peer.send_all(buffer.data(), *received);
        total += sent.count;
        if (!sent) {
            break;
        }
    }
    co_return total;
}

weft::task<> echo(weft::stack& net, weft::endpoint at, echo_start start) {
    auto listener = net.listen(at);
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    if (start.listening != nullptr) {
        const auto local = listener->local();
        start.listening(local ? *local : at, net);
    }
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        const auto spawned = peers.spawn(start.serve(std::move(*peer)));
        if (!spawned && start.dropped != nullptr) {
            start.dropped(spawned.error());
        }
    }
}

} // namespace programs
