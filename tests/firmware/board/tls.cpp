// TLS with both its ends on the board, over lwIP's loopback: what a connection takes of memory and
// of instructions, and what becomes of one that finds no memory. Prints "name value" in lines, for
// tests/firmware/tls.py; with QEMU's -icount shift=0 a nanosecond is an instruction.
#include "board.h"
#include "board.hpp"
#include "identity.hpp"

#include <weft/frame_arena.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/tls.hpp>
#include <weft/tls_arena.hpp>
#include <weft/when_all.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace {

constinit weft::frame_arena<16 * 1024> frames;
constinit weft::tls_arena<64 * 1024> secrets;
constexpr std::uint16_t port = 443;
/// In which both ends of a closed connection are gone.
constexpr std::chrono::seconds goodbyes(1);

template <std::size_t N>
std::string_view der(const unsigned char (&bytes)[N]) noexcept {
    return {reinterpret_cast<const char*>(bytes), N};
}

std::uint32_t instructions_since(std::int64_t begun) noexcept {
    return static_cast<std::uint32_t>(board_now() - begun);
}

struct ends {
    weft::stack* net;
    weft::tcp_listener listener;
    weft::tls_context own;
    weft::tls_context known;
};

struct pair {
    weft::tls_stream server;
    weft::tls_stream client;
};

weft::task<weft::tls_stream> accept_one(ends& both) {
    auto plain = co_await both.listener.accept();
    if (!plain) {
        co_return weft::fail(plain.error());
    }
    [[maybe_unused]] const auto undelayed = plain->set_no_delay(true);
    auto shaking = weft::tls_stream::server(both.own, std::move(*plain));
    auto secure = co_await std::move(shaking);
    co_return secure;
}

weft::task<weft::tls_stream> connect_one(ends& both, const weft::tls_session& earlier) {
    auto plain = co_await both.net->connect({weft::address::v4(127, 0, 0, 1), port});
    if (!plain) {
        co_return weft::fail(plain.error());
    }
    [[maybe_unused]] const auto undelayed = plain->set_no_delay(true);
    auto shaking = weft::tls_stream::client(both.known, std::move(*plain), "board.test", earlier);
    auto secure = co_await std::move(shaking);
    co_return secure;
}

/// The longest that the loop is away while others work: it goes behind them again and again.
weft::task<> watch(const bool& over, std::uint32_t& longest) {
    while (!over) {
        const std::int64_t before = board_now();
        const auto back = co_await weft::yield();
        if (!back) {
            co_return;
        }
        const std::uint32_t away = instructions_since(before);
        longest = away > longest ? away : longest;
    }
}

weft::task<pair> shake_hands(ends& both, const weft::tls_session& earlier, bool& over) {
    auto made = co_await weft::when_all(accept_one(both), connect_one(both, earlier));
    over = true;
    auto& server = std::get<0>(made);
    auto& client = std::get<1>(made);
    if (!server || !client) {
        const weft::errc wrong = !server ? server.error() : client.error();
        const weft::errc other = !client ? client.error() : server.error();
        co_return weft::fail(
            other == weft::errc::no_memory || wrong == weft::errc::ok ? other : wrong);
    }
    co_return pair{std::move(*server), std::move(*client)};
}

weft::task<pair> measured(ends& both, const weft::tls_session& earlier, std::string_view name) {
    weft::tls_memory::reset_high_water();
    const std::size_t before = weft::tls_memory::in_use();
    const std::int64_t begun = board_now();
    bool over = false;
    std::uint32_t longest = 0;
    auto made = co_await weft::when_all(shake_hands(both, earlier, over), watch(over, longest));
    board::say(name, ".instructions ", instructions_since(begun));
    board::say(name, ".longest_step ", longest);
    board::say(name, ".most ", static_cast<std::uint32_t>(weft::tls_memory::high_water() - before));
    board::say(name, ".kept ", static_cast<std::uint32_t>(weft::tls_memory::in_use() - before));
    auto& connected = std::get<0>(made);
    co_return std::move(connected);
}

weft::task<> exchange(pair& both) {
    std::array<std::byte, 64> bytes{};
    const std::int64_t begun = board_now();
    constexpr std::uint32_t rounds = 20;
    for (std::uint32_t i = 0; i < rounds; ++i) {
        const auto asked = co_await both.client.send_all(bytes);
        const auto heard = co_await both.server.read_exactly(bytes);
        const auto answered = co_await both.server.send_all(bytes);
        const auto got = co_await both.client.read_exactly(bytes);
        if (!asked || !heard || !answered || !got) {
            board::say("echo failed");
            co_return;
        }
    }
    board::say("echo.instructions ", instructions_since(begun) / rounds);
}

/// Connections until there is no memory for another; then one fewer.
weft::task<> exhaust(ends& both) {
    std::array<pair, 8> kept;
    std::size_t made = 0;
    weft::errc wrong = weft::errc::ok;
    while (made < kept.size()) {
        bool over = false;
        auto one = co_await shake_hands(both, {}, over);
        if (!one) {
            wrong = one.error();
            break;
        }
        kept[made] = std::move(*one);
        ++made;
    }
    board::say("exhausted.pairs ", static_cast<std::uint32_t>(made));
    board::say("exhausted.error ", wrong);
    board::say("exhausted.refused ", static_cast<std::uint32_t>(weft::tls_memory::refused()));
    kept[0] = {};
    [[maybe_unused]] const auto slept = co_await weft::sleep_for(goodbyes);
    bool over = false;
    auto again = co_await shake_hands(both, {}, over);
    board::say("exhausted.again ", again ? weft::errc::ok : again.error());
}

weft::task<> measure(weft::stack& net) {
    const auto in_use = [] {
        return static_cast<std::uint32_t>(weft::tls_memory::in_use());
    };
    auto own = weft::tls_context::server(
        {.certificate = der(board_certificate),
         .key = der(board_key),
         .verify = weft::tls_verify::none});
    board::say("server_context ", in_use());
    auto known = weft::tls_context::client({.authorities = der(authority)});
    board::say("contexts ", in_use());
    auto listener = net.listen({{}, port}, 2);
    if (!own || !known || !listener) {
        co_await weft::fail(weft::errc::no_memory);
    }
    const std::uint32_t at_rest = in_use();
    ends both{&net, std::move(*listener), std::move(*own), std::move(*known)};
    weft::tls_session session;
    {
        auto first = co_await measured(both, {}, "full");
        if (!first) {
            co_await weft::fail(first.error());
        }
        board::say("version ", first->client.version());
        board::say("cipher ", first->client.cipher());
        [[maybe_unused]] const auto exchanged = co_await exchange(*first);
        auto kept = first->client.session();
        if (kept) {
            session = std::move(*kept);
        }
    }
    [[maybe_unused]] auto away = co_await weft::sleep_for(goodbyes);
    {
        auto second = co_await measured(both, session, "resumed");
        if (!second) {
            co_await weft::fail(second.error());
        }
        board::say("resumed ", std::uint32_t{second->server.resumed()});
    }
    session = {};
    away = co_await weft::sleep_for(goodbyes);
    [[maybe_unused]] const auto exhausted = co_await exhaust(both);
    away = co_await weft::sleep_for(goodbyes);
    board::say("left ", in_use() - at_rest);
}

} // namespace

int main() {
    frames.use();
    secrets.use();
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    const auto net = weft::make_lwip_stack(loop, {}); // loopback alone
    if (!net) {
        board::say("lwIP: ", net.error());
        board_exit(1);
    }
    const auto done = weft::sync_wait(loop, measure(**net));
    if (!done) {
        board::say("failed: ", done.error());
    }
    board_exit(done ? 0 : 1);
}
