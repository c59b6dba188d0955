// A client over TLS: what 10.0.2.100 says at port 443 about GET /page, counted, and what it took of
// memory and of instructions. Prints "name value" in lines, for tests/firmware/tls_client.py.
#include "board.h"
#include "board.hpp"
#include "identity.hpp"
#include "steps.hpp"

#include <weft/stack.hpp>
#include <weft/task.hpp>
#include <weft/tls.hpp>
#include <weft/tls_arena.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

constinit weft::tls_arena<24 * 1024> secrets;

template <std::size_t N>
std::string_view der(const unsigned char (&bytes)[N]) noexcept {
    return {reinterpret_cast<const char*>(bytes), N};
}

weft::task<> ask(weft::stack& net) {
    auto known = weft::tls_context::client({.authorities = der(authority)});
    board::say("a server's context: ", weft::tls_context::server({}).error());
    auto plain = co_await net.connect({weft::address::v4(10, 0, 2, 100), 443});
    if (!known || !plain) {
        const weft::errc why = known ? plain.error() : known.error();
        co_await weft::fail(why);
    }
    auto shaking = weft::tls_stream::client(*known, std::move(*plain), "board.test");
    auto peer = co_await std::move(shaking);
    if (!peer) {
        co_await weft::fail(peer.error());
    }
    const bench::step longest = bench::longest_step(false);
    board::say("longest ", static_cast<std::uint32_t>(longest.took));
    board::say("message ", longest.message);
    const auto asked = co_await peer->send_all("GET /page HTTP/1.0\r\n\r\n");
    std::uint32_t received = 0;
    std::array<std::byte, 256> part;
    auto got = co_await peer->recv(part);
    while (asked && got && *got > 0) {
        received += static_cast<std::uint32_t>(*got);
        got = co_await peer->recv(part);
    }
    board::say("received ", received);
    board::say("end ", got ? weft::errc::ok : got.error());
    board::say("most ", static_cast<std::uint32_t>(weft::tls_memory::high_water()));
}

} // namespace

std::int64_t bench::clock_of_steps() noexcept {
    return board_now();
}

int main() {
    secrets.use();
    return board::run(&ask);
}
