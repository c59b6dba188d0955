// Frames that nobody should send: noise, and real frames with a few bytes changed, at every state
// of a connection. lwIP's assertions and the sanitizers watch; afterwards the stack still works.
#include "hosts.hpp"

#include <weft/seeded_random.hpp>

using namespace hosts;

namespace {

using frame_bytes = std::vector<std::uint8_t>;

void put_on_wire(weft::link& by, const frame_bytes& f) {
    const std::array<std::span<const std::byte>, 1> parts{std::as_bytes(std::span(f))};
    const result<> sent = by.send(parts);
    (void)sent;
}

std::uint32_t sum(std::span<const std::uint8_t> of, std::uint32_t start) {
    for (std::size_t i = 0; i < of.size(); ++i) {
        start += std::uint32_t{of[i]} << (i % 2 == 0 ? 8 : 0);
    }
    while (start >> 16 != 0) {
        start = (start & 0xffff) + (start >> 16);
    }
    return start;
}

void put_sum(
    frame_bytes& f, std::size_t at, std::span<const std::uint8_t> of, std::uint32_t start) {
    f[at] = f[at + 1] = 0;
    const std::uint32_t value = ~sum(of, start);
    f[at] = static_cast<std::uint8_t>(value >> 8);
    f[at + 1] = static_cast<std::uint8_t>(value);
}

/// So that what is changed is looked at, and not only its checksum.
void fix_checksums(frame_bytes& f) {
    if (f.size() < 14 + 20 || f[12] != 8 || f[13] != 0) {
        return;
    }
    const std::size_t header = (f[14] & 15U) * 4U;
    const std::size_t total = std::size_t{f[16]} << 8 | f[17];
    if (header < 20 || total < header || f.size() < 14 + total) {
        return;
    }
    const std::span<const std::uint8_t> all = f;
    put_sum(f, 24, all.subspan(14, header), 0);
    const std::size_t at = 14 + header;
    const std::size_t size = total - header;
    const auto pseudo = static_cast<std::uint32_t>(
        sum(all.subspan(26, 8), f[23]) + static_cast<std::uint32_t>(size));
    if (f[23] == 6 && size >= 20) {
        put_sum(f, at + 16, all.subspan(at, size), pseudo);
    } else if (f[23] == 17 && size >= 8) {
        put_sum(f, at + 6, all.subspan(at, size), pseudo);
    } else if (f[23] == 1 && size >= 8) {
        put_sum(f, at + 2, all.subspan(at, size), 0);
    }
}

frame_bytes noise(weft::seeded_random& dice) {
    frame_bytes f(14 + dice.below(200));
    for (std::uint8_t& b : f) {
        b = static_cast<std::uint8_t>(dice.next());
    }
    for (std::size_t i = 0; i < 6; ++i) {
        f[i] = bob[i];
    }
    constexpr std::array<std::array<std::uint8_t, 3>, 3> kinds{
        {{0x08, 0x00, 0x45}, {0x86, 0xdd, 0x60}, {0x08, 0x06, 0x00}}};
    const auto& kind = kinds[dice.below(3)];
    f[12] = kind[0];
    f[13] = kind[1];
    if (f.size() > 54 && kind[2] == 0x45) {
        f[14] = 0x45;
        f[16] = 0;
        f[17] = static_cast<std::uint8_t>(f.size() - 14);
        f[20] &= 0x20;
        f[21] = 0;
        constexpr std::array<std::uint8_t, 4> protocols{1, 2, 6, 17};
        f[23] = protocols[dice.below(4)];
        for (std::size_t i = 0; i < 4; ++i) {
            f[30 + i] = bob_ip.bytes()[i];
        }
        fix_checksums(f);
    } else if (f.size() > 60 && kind[2] == 0x60) {
        f[14] = 0x60;
        f[18] = 0;
        f[19] = static_cast<std::uint8_t>(f.size() - 54);
        constexpr std::array<std::uint8_t, 7> next{0, 6, 17, 43, 44, 58, 60};
        f[20] = next[dice.below(7)];
        const address to = v6(2);
        for (std::size_t i = 0; i < 16; ++i) {
            f[38 + i] = to.bytes()[i];
        }
    }
    return f;
}

frame_bytes changed(const frame_bytes& original, weft::seeded_random& dice) {
    frame_bytes f = original;
    const std::size_t changes = 1 + dice.below(4);
    for (std::size_t i = 0; i < changes; ++i) {
        const std::size_t at = 12 + dice.below(f.size() < 80 ? f.size() - 12 : 68);
        f[at] = dice.chance(0.5) ? static_cast<std::uint8_t>(f[at] ^ (1U << dice.below(8)))
                                 : static_cast<std::uint8_t>(dice.next());
    }
    if (dice.chance(0.1)) {
        f.resize(14 + dice.below(f.size() - 14));
    }
    fix_checksums(f);
    return f;
}

task<> churn(two_hosts& w, std::uint64_t seed, const bool& stop) {
    weft::seeded_random dice(seed);
    while (!stop) {
        auto listener = w.b->listen({bob_ip, 8000});
        if (!listener) {
            co_await sleep(100ms);
            continue;
        }
        auto client = co_await weft::timeout(w.a->connect({bob_ip, 8000}), 2s);
        auto server = co_await weft::timeout(listener->accept(), 100ms);
        if (!client || !server) {
            continue;
        }
        std::array<std::byte, 3000> buffer{};
        for (std::uint64_t i = dice.below(20); i != 0; --i) {
            auto sent = co_await weft::timeout(
                client->send(std::span(buffer).first(1 + dice.below(3000))), 100ms);
            auto got = co_await weft::timeout(server->recv(buffer), 100ms);
            auto back = co_await weft::timeout(server->send("answer"), 100ms);
            if (!sent || !got || !back) {
                break;
            }
        }
        if (dice.chance(0.3)) {
            const result<> ended = client->shutdown_send();
            (void)ended;
            co_await sleep(5ms);
        }
        if (dice.chance(0.2)) {
            server->abort();
        }
    }
}

task<> attack(two_hosts& w, recording& seen, std::uint64_t seed, int frames, bool& stop) {
    weft::seeded_random dice(seed);
    for (int i = 0; i < frames; ++i) {
        if (dice.chance(0.3) || seen.frames.empty()) {
            put_on_wire(*w.alice_end, noise(dice));
        } else {
            const std::size_t last = seen.frames.size();
            const std::size_t back = dice.below(last < 30 ? last : 30);
            const auto& original = seen.frames[last - 1 - back];
            if (original.bytes.size() > 20) {
                weft::link& by = original.from == alice ? *w.alice_end : *w.bob_end;
                put_on_wire(by, changed(original.bytes, dice));
            }
        }
        if (seen.frames.size() > 2000) {
            seen.frames.clear();
        }
        if (dice.chance(0.3)) {
            co_await sleep(1ms);
        }
    }
    stop = true;
}

task<> still_works(two_hosts& w) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    auto sent = co_await p.client.send_all(pattern(0, 10'000));
    CHECK(sent.error() == errc::ok);
    p.client.close();
    received got;
    co_await read_all(p.server, got);
    CHECK(got.size == 10'000);
    CHECK(got.intact);
}

} // namespace

TEST_CASE("fuzz: noise and changed frames at every state of a connection") {
    const no_leak leaks;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        {
            two_hosts w(seed, {.delay = 1ms});
            recording seen(w.cable);
            bool stop = false;
            weft::task_group group(w.home);
            REQUIRE(group.spawn(churn(w, seed, stop)));
            w.run(attack(w, seen, seed, 4000, stop));
            w.pass(10min);
            CHECK(group.size() == 0);
            CHECK(weft::count_lwip_usage().tcp_active == 0);
        }
        {
            two_hosts w(seed);
            w.run(still_works(w));
        }
        leaks.check();
    }
}

namespace {

task<> short_frames(two_hosts& w) {
    for (std::size_t size = 0; size < 60; ++size) {
        for (const unsigned type : {0x0806U, 0x0800U, 0x86ddU}) {
            frame_bytes f(14);
            for (std::size_t i = 0; i < 6; ++i) {
                f[i] = bob[i];
            }
            f[12] = static_cast<std::uint8_t>(type >> 8);
            f[13] = static_cast<std::uint8_t>(type);
            if (type == 0x0806) {
                f.insert(f.end(), {0, 1, 8, 0, 6, 4, 0, 1});
            }
            f.resize(size < 6 ? 6 : size);
            put_on_wire(*w.alice_end, f);
        }
        co_await sleep(1ms);
    }
}

} // namespace

TEST_CASE("frames: shorter than Ethernet allows, ARP cut off anywhere") {
    two_hosts w;
    w.run(short_frames(w));
    w.run(still_works(w));
}
