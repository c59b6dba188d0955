// An echo client: lines from standard input, or many bytes that are compared as they come back.
//
//     echo hello | echo_client 127.0.0.1:7000
//     echo_client --bytes 100000000 127.0.0.1:7000
#include "common/exchange.hpp"
#include "common/start.hpp"

#include <weft/timeout.hpp>

#include <chrono>
#include <iostream>
#include <string>

namespace {

using namespace std::chrono_literals;

weft::task<> send_lines(weft::stack& net, weft::endpoint to) {
    auto peer = co_await weft::timeout(net.connect(to), 5s);
    if (!peer) {
        co_await weft::fail(peer.error());
    }
    std::string line;
    while (std::getline(std::cin, line)) { // nothing else runs here, so it may block
        line += '\n';
        const auto sent = co_await peer->send_all(line);
        if (!sent) {
            co_await weft::fail(sent.error());
        }
        std::string reply(line.size(), '\0');
        const auto received = co_await peer->read_exactly(std::as_writable_bytes(std::span(reply)));
        if (!received) {
            co_await weft::fail(received.error());
        }
        fmt::print("{}", reply);
        if (reply != line) {
            example::complain("the line came back changed");
            co_await weft::fail(weft::errc::protocol_error);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    example::program self("echo_client", "Sends lines, or --bytes, and checks what comes back.");
    const weft::endpoint& to = self.endpoint("server", "", "the echo server");
    std::size_t bytes = 0;
    self.number(
        "--bytes", bytes, 0, 1'000'000'000'000, "exchange this many bytes instead of lines");
    return self.run(argc, argv, [&](weft::stack& net) {
        return bytes == 0 ? send_lines(net, to) : example::exchange(net, to, bytes);
    });
}
