// What the tests of the lwIP stack share: one host on the loopback or two on a wire, in virtual
// time; a way to run a coroutine to its end; streams of bytes that can be checked.
#pragma once

#include "memory.hpp"

#include <weft/event.hpp>
#include <weft/lwip.hpp>
#include <weft/sleep.hpp>
#include <weft/stack.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/wire.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hosts {

using namespace std::chrono_literals;
using weft::address;
using weft::endpoint;
using weft::errc;
using weft::family;
using weft::result;
using weft::task;
using weft::tcp_listener;
using weft::tcp_stream;
using weft::transfer;
using weft::udp_socket;

inline constexpr weft::hardware_address alice{2, 0, 0, 0, 0, 0xa};
inline constexpr weft::hardware_address bob{2, 0, 0, 0, 0, 0xb};
inline const address alice_ip = address::v4(10, 0, 0, 1);
inline const address bob_ip = address::v4(10, 0, 0, 2);
inline const address nobody_ip = address::v4(10, 0, 0, 99);
inline constexpr std::uint64_t default_seed = 7;

inline address v6(std::uint8_t last) {
    return address::v6({0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
}

/// A clock that counts how often the loop went to sleep.
class counting_clock final : public weft::driver {
  public:
    weft::time_point now() noexcept override { return inner_.now(); }
    bool wait(weft::time_point deadline) noexcept override {
        sleeps_ += deadline > inner_.now() && deadline != weft::never ? 1 : 0;
        turns_ += 1;
        return inner_.wait(deadline);
    }
    void wake() noexcept override {}
    [[nodiscard]] std::size_t sleeps() const noexcept { return sleeps_; }
    [[nodiscard]] std::size_t turns() const noexcept { return turns_; }

  private:
    weft::virtual_driver inner_;
    std::size_t sleeps_ = 0;
    std::size_t turns_ = 0;
};

struct world {
    world() = default;
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world() { memory::recover(); } // a test that failed leaves none behind for the next

    counting_clock clock;
    weft::loop home{clock};

    /// Runs `work` to its end; a test that takes more than a day of virtual time is stuck.
    void run(task<> work) {
        const result<> done =
            weft::sync_wait(home, weft::as_task(weft::timeout(std::move(work), 24h)));
        const errc error = done ? errc::ok : done.error();
        INFO("ended with ", std::string(weft::name(error)));
        REQUIRE(error == errc::ok);
    }
    void pass(weft::duration time) {
        const result<> passed = home.run_for(time);
        REQUIRE(passed);
    }
};

struct one_host : world {
    explicit one_host(std::uint64_t seed = default_seed) {
        weft::lwip_options options;
        options.seed = seed;
        auto made = weft::make_lwip_stack(home, options);
        REQUIRE(made);
        net = std::move(*made);
    }
    std::unique_ptr<weft::stack> net;
};

inline std::unique_ptr<weft::stack> make_host(
    weft::loop& home, weft::link& on, std::uint8_t number, std::uint64_t seed,
    std::span<const address> name_servers = {}) {
    weft::lwip_options options;
    options.name_servers = name_servers;
    options.link = &on;
    options.ipv4 = weft::interface_address{address::v4(10, 0, 0, number), 24};
    const std::array<weft::interface_address, 1> ipv6{weft::interface_address{v6(number), 64}};
    options.ipv6 = ipv6;
    options.seed = seed;
    auto made = weft::make_lwip_stack(home, options);
    REQUIRE(made);
    return std::move(*made);
}

/// Alice is 10.0.0.1 and fd00::1, Bob 10.0.0.2 and fd00::2.
struct two_hosts : world {
    explicit two_hosts(std::uint64_t seed = default_seed, const weft::impairments& path = {})
        : cable(weft::wire_options{.seed = seed, .on_every_path = path}) {
        auto left = cable.attach(alice);
        auto right = cable.attach(bob);
        REQUIRE(left);
        REQUIRE(right);
        alice_end = std::move(*left);
        bob_end = std::move(*right);
        a = make_host(home, *alice_end, 1, seed);
        b = make_host(home, *bob_end, 2, seed);
    }
    void cut() { REQUIRE(cable.partition(alice, bob)); }
    void mend() { REQUIRE(cable.heal(alice, bob)); }

    weft::wire cable;
    std::unique_ptr<weft::link> alice_end;
    std::unique_ptr<weft::link> bob_end;
    std::unique_ptr<weft::stack> a;
    std::unique_ptr<weft::stack> b;
};

/// The frames on a wire, kept for a test to look at; one at a time.
struct recording {
    struct frame {
        weft::wire_fate fate;
        weft::hardware_address from;
        std::vector<std::uint8_t> bytes;

        [[nodiscard]] bool is_ipv4() const { return bytes.size() >= 34 && type() == 0x0800; }
        [[nodiscard]] bool is_ipv6() const { return bytes.size() >= 54 && type() == 0x86dd; }
        [[nodiscard]] unsigned type() const { return unsigned{bytes[12]} << 8 | bytes[13]; }
        [[nodiscard]] unsigned protocol() const {
            return is_ipv4() ? bytes[23] : is_ipv6() ? bytes[20] : 0U;
        }
        [[nodiscard]] std::size_t payload_at() const {
            return is_ipv4() ? 14U + (bytes[14] & 15U) * 4U : 54U;
        }
        [[nodiscard]] unsigned tcp_flags() const {
            return protocol() == 6 ? bytes[payload_at() + 13] : 0U;
        }
        [[nodiscard]] std::uint32_t sequence() const {
            std::uint32_t number = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                number = number << 8 | bytes[payload_at() + 4 + i];
            }
            return number;
        }
        [[nodiscard]] unsigned source_port() const {
            return unsigned{bytes[payload_at()]} << 8 | bytes[payload_at() + 1];
        }
    };

    explicit recording(weft::wire& w) : cable(&w) { w.observe(&note, this); }
    recording(const recording&) = delete;
    recording& operator=(const recording&) = delete;
    ~recording() { cable->observe(nullptr, nullptr); }

    static void note(void* self, const weft::wire_event& event) {
        auto& to = static_cast<recording*>(self)->frames;
        if (event.fate == weft::wire_fate::sent) {
            frame kept{event.fate, event.from, {}};
            for (const std::byte b : event.frame) {
                kept.bytes.push_back(std::to_integer<std::uint8_t>(b));
            }
            to.push_back(std::move(kept));
        }
    }
    /// How many sent TCP segments have all of these flags.
    [[nodiscard]] std::size_t segments_with(unsigned flags) const {
        std::size_t found = 0;
        for (const frame& f : frames) {
            found += f.protocol() == 6 && (f.tcp_flags() & flags) == flags ? 1U : 0U;
        }
        return found;
    }

    static constexpr unsigned fin = 1;
    static constexpr unsigned syn = 2;
    static constexpr unsigned rst = 4;
    static constexpr unsigned ack = 16;

    weft::wire* cable;
    std::vector<frame> frames;
};

/// Byte number `at` of every test's stream.
inline std::byte pattern(std::size_t at) {
    return static_cast<std::byte>((at * 2654435761U) >> 13);
}
inline std::vector<std::byte> pattern(std::size_t from, std::size_t size) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) {
        made[i] = pattern(from + i);
    }
    return made;
}

/// No coroutine runs inside lwIP. Called behind every wait of these helpers.
inline void outside_lwip() {
    REQUIRE(!memory::inside_lwip());
}

struct received {
    std::size_t size = 0;
    bool intact = true;
    errc error = errc::ok; // ok: ended with the peer's FIN
};

/// Reads to the end or an error, `step` bytes at a time with `pause` between.
inline task<>
read_all(tcp_stream& from, received& got, std::size_t step = 4096, weft::duration pause = {}) {
    std::vector<std::byte> buffer(step);
    for (;;) {
        auto n = co_await from.recv(buffer);
        outside_lwip();
        if (!n) {
            got.error = n.error();
            co_return;
        }
        if (*n == 0) {
            co_return;
        }
        for (std::size_t i = 0; i < *n; ++i) {
            got.intact = got.intact && buffer[i] == pattern(got.size + i);
        }
        got.size += *n;
        if (pause != weft::duration{}) {
            auto slept = co_await weft::sleep_for(pause);
            (void)slept;
        }
    }
}

/// Sends `size` bytes of the pattern, `step` at a time.
inline task<> write_all(tcp_stream& to, transfer& done, std::size_t size, std::size_t step = 4096) {
    while (done.count < size) {
        const std::vector<std::byte> piece =
            pattern(done.count, size - done.count < step ? size - done.count : step);
        auto sent = co_await to.send_all(piece);
        outside_lwip();
        done.count += sent.count;
        if (sent.error() != errc::ok) {
            done = transfer(done.count, sent.error());
            co_return;
        }
    }
}

struct pair_of_streams {
    tcp_stream client;
    tcp_stream server;
};

/// Connects a client on `from` to a listener on `to`.
inline task<> connect_pair(weft::stack& from, weft::stack& to, endpoint at, pair_of_streams& made) {
    result<tcp_listener> listener = to.listen(at);
    REQUIRE(listener);
    const endpoint target{at.address, listener->local()->port};
    auto client = co_await from.connect(target);
    outside_lwip();
    REQUIRE(client);
    auto server = co_await listener->accept();
    outside_lwip();
    REQUIRE(server);
    made.client = std::move(*client);
    made.server = std::move(*server);
}

inline task<> sleep(weft::duration time) {
    auto slept = co_await weft::sleep_for(time);
    (void)slept;
}

/// For messages.
inline std::string text(const memory::usage& u) {
    return std::to_string(u.heap_blocks) + " heap blocks, " + std::to_string(u.segments) +
           " segments, " + std::to_string(u.pbufs) + " pbufs, " + std::to_string(u.pcbs) + " pcbs";
}

/// Compares what lwIP has taken with what it had when this was made.
struct no_leak {
    memory::usage before = memory::in_use();
    void check() const {
        const memory::usage now = memory::in_use();
        INFO("in use: ", text(now), "; before: ", text(before));
        CHECK(now == before);
    }
};

} // namespace hosts
