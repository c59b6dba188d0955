// An echo server. Its coroutines, programs/echo.cpp, know no stack: the same program runs on the
// host's sockets and on lwIP, over a TAP device, a unix datagram socket or a wire in memory; and on
// a board (firmware/).
//
//     echo --stack host --bind 127.0.0.1:7000
//     echo --stack lwip --link tap:tap0 --address 10.0.0.2/24 --bind :7000
#include "common/exchange.hpp"
#include "common/start.hpp"

#include <echo.hpp>

namespace {

weft::task<std::size_t> serve(weft::tcp_stream peer) {
    const auto from = peer.remote(); // asked now: a peer that reset has none
    const auto total = co_await programs::echo_back(std::move(peer));
    if (!total) {
        co_return weft::fail(total.error());
    }
    if (from) {
        example::say("echoed {} bytes to {}", *total, *from);
    }
    co_return *total;
}

constexpr programs::echo_start telling{
    .serve = &serve,
    .listening = [](const weft::endpoint& at,
                    weft::stack& on) { example::say("echoing on {} over {}", at, on.name()); },
    .dropped = [](weft::errc why) { example::say("a connection was dropped: {}", why); },
};

} // namespace

int main(int argc, char** argv) {
    example::program self("echo", "Sends back what it receives.");
    const weft::endpoint& at = self.endpoint("--bind", "127.0.0.1:7000", "where to listen");
    std::size_t bytes = 100'000'000;
    self.number(
        "--bytes", bytes, 0, 1'000'000'000'000, "what the visitor of --link wire exchanges");
    return self.run(
        argc, argv, [&](weft::stack& net) { return programs::echo(net, at, telling); },
        [&](weft::stack& other) {
            return example::exchange(other, {weft::address::v4(10, 0, 0, 2), at.port}, bytes);
        });
}
