// Echo over UDP, both sides.
//
//     udp_echo --bind 127.0.0.1:7001
//     udp_echo --to 127.0.0.1:7001 --count 10
#include "common/start.hpp"

#include <weft/timeout.hpp>

#include <array>
#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;

weft::task<> serve(weft::stack& net, weft::endpoint at) {
    auto socket = net.bind_udp(at);
    if (!socket) {
        co_await weft::fail(socket.error());
    }
    const auto local = socket->local();
    example::say("echoing datagrams on {} over {}", local ? *local : at, net.name());
    std::array<std::byte, 2048> buffer;
    while (true) {
        const auto got = co_await socket->recv_from(buffer);
        if (!got) {
            if (got.error() == weft::errc::canceled) {
                co_return;
            }
            example::say("a datagram was not received: {}", got.error());
            continue;
        }
        const auto sent = co_await socket->send_to(std::span(buffer).first(got->size), got->from);
        if (!sent) {
            example::say("no echo to {}: {}", got->from, sent.error());
        }
    }
}

/// Sends each datagram up to three times: UDP promises nothing.
weft::task<> ask(weft::stack& net, weft::endpoint to, int count) {
    auto socket = net.bind_udp({weft::address::any(to.address.family()), 0});
    if (!socket) {
        co_await weft::fail(socket.error());
    }
    const auto connected = socket->connect(to);
    if (!connected) {
        co_await weft::fail(connected.error());
    }
    std::array<std::byte, 2048> buffer;
    for (int number = 1; number <= count; ++number) {
        const std::string text = fmt::format("datagram {}", number);
        bool answered = false;
        for (int attempt = 1; attempt <= 3 && !answered; ++attempt) {
            const auto begun = std::chrono::steady_clock::now(); // the loop's is read once a turn
            const auto sent = co_await socket->send(std::as_bytes(std::span(text)));
            if (!sent) {
                co_await weft::fail(sent.error());
            }
            const auto got = co_await weft::timeout(socket->recv_from(buffer), 1s);
            if (!got && got.error() != weft::errc::timed_out) {
                co_await weft::fail(got.error());
            }
            answered = got && std::string_view(
                                  reinterpret_cast<const char*>(buffer.data()), got->size) == text;
            if (answered) {
                const auto took = std::chrono::duration<double, std::micro>(
                    std::chrono::steady_clock::now() - begun);
                example::say(
                    "\"{}\" came back from {} in {:.0f} us", text, got->from, took.count());
            }
        }
        if (!answered) {
            example::complain(fmt::format("no echo from {}; is the server running there?", to));
            co_await weft::fail(weft::errc::timed_out);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    example::program self("udp_echo", "Sends datagrams back, or with --to sends and checks them.");
    const weft::endpoint& at = self.endpoint("--bind", "127.0.0.1:7001", "where to receive");
    const weft::endpoint& to = self.endpoint("--to", "0.0.0.0:0", "be the client of this server");
    int count = 3;
    self.number("--count", count, 1, 1'000'000'000, "datagrams to send with --to");
    return self.run(argc, argv, [&](weft::stack& net) {
        return to.port == 0 ? serve(net, at) : ask(net, to, count);
    });
}
