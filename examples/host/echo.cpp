// An echo server. The coroutines know no stack: the same program runs on the host's sockets and on
// lwIP, over a TAP device, a unix datagram socket or a wire in memory.
//
//     echo --stack host --bind 127.0.0.1:7000
//     echo --stack lwip --link tap:tap0 --address 10.0.0.2/24 --bind :7000
#include "common/exchange.hpp"
#include "common/start.hpp"

#include <weft/task_group.hpp>

#include <array>

weft::task<> serve(weft::tcp_stream peer) {
    std::array<std::byte, 16 * 1024> buffer;
    const auto from = peer.remote();
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
    if (from) {
        example::say("echoed {} bytes to {}", total, *from);
    }
}

weft::task<> echo(weft::stack& net, weft::endpoint at) {
    auto listener = net.listen(at);
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    const auto local = listener->local();
    example::say("echoing on {} over {}", local ? *local : at, net.name());
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        const auto spawned = peers.spawn(serve(std::move(*peer)));
        if (!spawned) {
            example::say("a connection was dropped: {}", spawned.error());
        }
    }
}

int main(int argc, char** argv) {
    example::program self("echo", "Sends back what it receives.");
    const weft::endpoint& at = self.endpoint("--bind", "127.0.0.1:7000", "where to listen");
    std::size_t bytes = 100'000'000;
    self.options().add_option("--bytes", bytes, "what the visitor of --link wire exchanges");
    return self.run(
        argc, argv, [&](weft::stack& net) { return echo(net, at); },
        [&](weft::stack& other) {
            return example::exchange(other, {weft::address::v4(10, 0, 0, 2), at.port}, bytes);
        });
}
