// TLS with both its ends on the board, over lwIP's loopback: what a connection takes of memory and
// of instructions, and what becomes of one that finds no memory. Prints "name value" in lines, for
// tests/firmware/tls.py; with QEMU's -icount shift=0 a nanosecond is an instruction.
#include "board.h"
#include "board.hpp"
#include "identity.hpp"
#include "steps.hpp"

#include <weft/frame_arena.hpp>
#include <weft/lwip.hpp>
#include <weft/port.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/timeout.hpp>
#include <weft/tls.hpp>
#include <weft/tls_arena.hpp>
#include <weft/when_all.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace {

constinit weft::frame_arena<16 * 1024> frames;
alignas(std::max_align_t) constinit std::array<std::byte, 64 * 1024> secrets{};
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
        const weft::errc of_client = client ? weft::errc::ok : client.error();
        const bool memory = of_client == weft::errc::no_memory || server;
        co_return weft::fail(memory ? of_client : server.error());
    }
    co_return pair{std::move(*server), std::move(*client)};
}

void say_longest_step(std::string_view name, std::string_view end, const bench::step& longest) {
    board::say(name, end, ".longest ", static_cast<std::uint32_t>(longest.took));
    board::say(name, end, ".message ", longest.message);
}

weft::task<pair> measured(ends& both, const weft::tls_session& earlier, std::string_view name) {
    weft::tls_memory::reset_high_water();
    const std::size_t before = weft::tls_memory::in_use();
    [[maybe_unused]] auto forgotten = bench::longest_step(false);
    forgotten = bench::longest_step(true);
    const std::int64_t begun = board_now();
    bool over = false;
    std::uint32_t longest = 0;
    auto made = co_await weft::when_all(shake_hands(both, earlier, over), watch(over, longest));
    board::say(name, ".instructions ", instructions_since(begun));
    board::say(name, ".longest_turn ", longest);
    say_longest_step(name, ".client", bench::longest_step(false));
    say_longest_step(name, ".server", bench::longest_step(true));
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

std::uint32_t in_use() noexcept {
    return static_cast<std::uint32_t>(weft::tls_memory::in_use());
}

/// Handshakes that end in the midst of it, of a signature that is made in steps too.
weft::task<> cut_short(ends& both) {
    const weft::tls_session none;
    const std::uint32_t at_rest = in_use();
    std::uint32_t cut = 0;
    for (std::uint32_t ms = 3; ms < 120; ms += 9) {
        bool over = false;
        auto shaking = shake_hands(both, none, over);
        const auto made = co_await weft::timeout(std::move(shaking), std::chrono::milliseconds(ms));
        [[maybe_unused]] const auto slept = co_await weft::sleep_for(goodbyes);
        if (made || made.error() != weft::errc::timed_out || in_use() != at_rest) {
            const weft::errc why = made ? weft::errc::ok : made.error();
            board::say("wrong at ", ms, ": ", why, ", ", in_use() - at_rest, " left");
            continue;
        }
        ++cut;
    }
    board::say("cut ", cut);
}

weft::result<weft::tls_context> own_end() noexcept {
    return weft::tls_context::server(
        {.certificate = der(board_certificate),
         .key = der(board_key),
         .verify = weft::tls_verify::none});
}
weft::result<weft::tls_context> known_end() noexcept {
    return weft::tls_context::client({.authorities = der(authority)});
}

/// Contexts, a handshake and an end in the memory that there is.
weft::task<> one_handshake(weft::stack& net) {
    auto own = own_end();
    auto known = known_end();
    auto listener = net.listen({{}, port}, 2);
    if (!own || !known || !listener) {
        const weft::errc why = !own ? own.error() : !known ? known.error() : listener.error();
        co_await weft::fail(why);
    }
    ends both{&net, std::move(*listener), std::move(*own), std::move(*known)};
    bool over = false;
    auto made = co_await shake_hands(both, {}, over);
    if (!made) {
        co_await weft::fail(made.error());
    }
}

/// However small the arena is: a handshake, or errc::no_memory, and nothing is left.
weft::task<> at_every_size(weft::stack& net) {
    std::uint32_t succeeded = 0;
    std::uint32_t refused = 0;
    for (std::uint32_t size = 1024; size <= 36 * 1024; size += 3500) {
        weft::tls_memory::use_arena(std::span(secrets).first(size));
        const auto done = co_await one_handshake(net);
        [[maybe_unused]] const auto slept = co_await weft::sleep_for(goodbyes);
        if (in_use() != 0 || (!done && done.error() != weft::errc::no_memory)) {
            const weft::errc why = done ? weft::errc::ok : done.error();
            board::say("wrong at ", size, ": ", why, ", ", in_use(), " left");
            continue;
        }
        ++(done ? succeeded : refused);
    }
    board::say("sizes.succeeded ", succeeded);
    board::say("sizes.refused ", refused);
}

weft::task<> measure(weft::stack& net) {
    weft::tls_memory::use_arena(secrets);
    const std::int64_t begun = board_now();
    auto own = own_end();
    board::say("server_context.instructions ", instructions_since(begun));
    board::say("server_context ", in_use());
    auto known = known_end();
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
    [[maybe_unused]] const auto ended = co_await cut_short(both);
    [[maybe_unused]] const auto exhausted = co_await exhaust(both);
    away = co_await weft::sleep_for(goodbyes);
    board::say("left ", in_use() - at_rest);
}

extern "C" std::uint32_t stack_begin[];
constexpr std::uint32_t untouched = 0x5eed5eed;

const volatile std::uint32_t* stack_pointer() noexcept {
    const volatile std::uint32_t* here = nullptr;
    asm volatile("mov %0, sp" : "=r"(here));
    return here;
}

/// Where the stack has not been yet.
void paint_stack() noexcept {
    for (volatile std::uint32_t* each = stack_begin; each < stack_pointer(); ++each) {
        *each = untouched;
    }
}
/// The most bytes of it that were in use since, but for main()'s.
std::uint32_t stack_used() noexcept {
    const volatile std::uint32_t* each = stack_begin;
    while (*each == untouched) {
        ++each;
    }
    return static_cast<std::uint32_t>((stack_pointer() - each) * 4);
}

} // namespace

std::int64_t bench::clock_of_steps() noexcept {
    return board_now();
}

int main() {
    paint_stack();
    frames.use();
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    const auto net = weft::make_lwip_stack(loop, {}); // loopback alone
    if (!net) {
        board::say("lwIP: ", net.error());
        board_exit(1);
    }
    const auto done = weft::sync_wait(loop, measure(**net));
    board::say("stack ", stack_used());
    const auto sized = weft::sync_wait(loop, at_every_size(**net));
    if (!done || !sized) {
        board::say("failed: ", done ? sized.error() : done.error());
    }
    board_exit(done && sized ? 0 : 1);
}
