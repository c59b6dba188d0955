// Sends back what it receives at port 7, until a 'q' comes over the console.
#include "board.h"
#include "board.hpp"

#include <weft/task_group.hpp>

#include <array>

namespace {

weft::task<> serve(weft::tcp_stream peer) {
    std::array<std::byte, 512> buffer;
    while (true) {
        const auto received = co_await peer.recv(buffer);
        if (!received || *received == 0) {
            co_return;
        }
        const auto sent = co_await peer.send_all(buffer.data(), *received);
        if (!sent) {
            co_return;
        }
    }
}

weft::task<> echo(weft::stack& net) {
    auto listener = net.listen({weft::address::any(), 7});
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    board::say("echoing at port 7");
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        const auto spawned = peers.spawn(serve(std::move(*peer)));
        if (!spawned) {
            board::say("a connection was dropped: ", spawned.error());
        }
    }
}

} // namespace

int main() {
    return board::run(&echo);
}
