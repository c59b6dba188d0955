// A name server in a coroutine, for what no real one can be told to do. The first label of a name
// says how it is answered; any stack will do to run it on.
#pragma once

#include <weft/address.hpp>
#include <weft/sleep.hpp>
#include <weft/stack.hpp>
#include <weft/task_group.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace name_server {

using namespace std::chrono_literals;

using bytes = std::vector<std::uint8_t>;

inline constexpr unsigned type_a = 1;
inline constexpr unsigned type_aaaa = 28;

/// What it answers, unless the name says otherwise.
inline const weft::address ipv4 = weft::address::v4(192, 0, 2, 7);
inline const weft::address ipv6 =
    weft::address::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7});

/// A query (RFC 1035, 4.1).
struct question {
    std::uint16_t id = 0;
    std::string name; // lower case, no dot at the end
    unsigned type = 0;
    bytes section; // as it came
    bool well_formed = false;
};

inline question read(std::span<const std::byte> message) {
    question q;
    const auto at = [&](std::size_t i) {
        return i < message.size() ? std::to_integer<unsigned>(message[i]) : 0U;
    };
    if (message.size() < 12 + 5 || at(5) != 1) {
        return q;
    }
    q.id = static_cast<std::uint16_t>(at(0) << 8 | at(1));
    std::size_t i = 12;
    for (; at(i) != 0 && i < message.size(); i += at(i) + 1) {
        q.name += q.name.empty() ? "" : ".";
        for (std::size_t k = 1; k <= at(i); ++k) {
            const auto c = static_cast<char>(at(i + k));
            q.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        }
    }
    q.type = at(i + 1) << 8 | at(i + 2);
    for (std::size_t k = 12; k < i + 5; ++k) {
        q.section.push_back(static_cast<std::uint8_t>(at(k)));
    }
    q.well_formed = i + 5 <= message.size();
    return q;
}

inline void put16(bytes& into, unsigned value) {
    into.push_back(static_cast<std::uint8_t>(value >> 8));
    into.push_back(static_cast<std::uint8_t>(value));
}

enum flags : unsigned {
    truncated = 0x0200,
    format_error = 1,
    failure = 2,
    no_name = 3,
    refused = 5
};

/// An answer with the addresses that are of the question's type.
inline bytes answer(
    const question& q, std::span<const weft::address> all, unsigned flag_bits = 0,
    unsigned ttl = 0) {
    bytes made;
    unsigned count = 0;
    bytes records;
    for (const weft::address& each : all) {
        if (q.type == (each.is_v4() ? type_a : type_aaaa)) {
            put16(records, 0xc00c); // the name in the question
            put16(records, q.type);
            put16(records, 1);
            put16(records, ttl >> 16);
            put16(records, ttl & 0xffff);
            put16(records, static_cast<unsigned>(each.bytes().size()));
            records.insert(records.end(), each.bytes().begin(), each.bytes().end());
            ++count;
        }
    }
    put16(made, q.id);
    put16(made, 0x8180 | flag_bits);
    put16(made, 1);
    put16(made, count);
    put16(made, 0);
    put16(made, 0);
    made.insert(made.end(), q.section.begin(), q.section.end());
    made.insert(made.end(), records.begin(), records.end());
    return made;
}

class server {
  public:
    explicit server(weft::udp_socket at)
        : socket_(std::move(at)), slow_(socket_.socket()->home()) {}

    std::size_t asked = 0; // questions that came
    std::size_t late = 0;  // slow answers that were sent
    std::vector<weft::endpoint> askers;

    /// Until its socket is closed or it is cancelled.
    weft::task<> run() {
        std::array<std::byte, 1500> buffer;
        while (true) {
            auto got = co_await socket_.recv_from(buffer);
            if (!got) {
                co_return;
            }
            ++asked;
            askers.push_back(got->from);
            const question q = read(std::span(buffer).first(got->size));
            for (const bytes& reply : replies(q)) {
                auto sent = co_await socket_.send_to(std::as_bytes(std::span(reply)), got->from);
                (void)sent;
            }
            if (q.name.starts_with("slow")) {
                const auto spawned = slow_.spawn(answer_late(q, got->from));
                (void)spawned;
            }
        }
    }

  private:
    weft::task<> answer_late(question q, weft::endpoint to) {
        const bytes reply = answer(q, addresses);
        auto slept = co_await weft::sleep_for(300ms);
        if (!slept) {
            co_return;
        }
        ++late;
        auto sent = co_await socket_.send_to(std::as_bytes(std::span(reply)), to);
        (void)sent;
    }

    [[nodiscard]] std::vector<bytes> replies(const question& q) const {
        const auto is = [&](const char* label) {
            return q.name.starts_with(label);
        };
        if (!q.well_formed || is("silent") || is("slow")) {
            return {};
        }
        if (is("servfail")) {
            return {answer(q, {}, failure)};
        }
        if (is("refused")) {
            return {answer(q, {}, refused)};
        }
        if (is("formerr")) {
            return {answer(q, {}, format_error)};
        }
        if (is("nxdomain")) {
            return {answer(q, {}, no_name)};
        }
        if (is("nodata")) {
            return {answer(q, {})};
        }
        if (is("onlyv4")) {
            return {answer(q, std::span(addresses).first(1))};
        }
        if (is("halfdead")) { // IPv4 is answered, IPv6 is not
            return q.type == type_a ? std::vector<bytes>{answer(q, addresses)}
                                    : std::vector<bytes>{};
        }
        if (is("garbage")) { // noise, then an answer cut short, then the answer
            bytes noise(40, 0xff);
            bytes cut = answer(q, addresses);
            cut.resize(cut.size() - 3);
            return {noise, cut, bytes(3, 0), answer(q, addresses)};
        }
        if (is("wrongid")) { // a spoofed answer first
            question spoofed = q;
            spoofed.id = static_cast<std::uint16_t>(q.id + 1);
            const std::array<weft::address, 1> liar{weft::address::v4(6, 6, 6, 6)};
            return {answer(spoofed, liar), answer(q, addresses)};
        }
        if (is("alwayswrong")) {
            question spoofed = q;
            spoofed.id = static_cast<std::uint16_t>(q.id + 1);
            return {answer(spoofed, addresses)};
        }
        if (is("otherquestion")) { // the right id, another name
            question other = q;
            other.section[13 - 12] = static_cast<std::uint8_t>(other.section[1] ^ 1);
            return {answer(other, addresses)};
        }
        if (is("tcempty")) {
            return {answer(q, {}, truncated)};
        }
        if (is("tcheld")) {
            return {answer(q, addresses, truncated)};
        }
        if (is("cached")) {
            return {answer(q, addresses, 0, 60)};
        }
        return {answer(q, addresses)};
    }

    static inline const std::array<weft::address, 2> addresses{ipv4, ipv6};

    weft::udp_socket socket_;
    weft::task_group slow_; // ends before the socket that it sends from
};

} // namespace name_server
