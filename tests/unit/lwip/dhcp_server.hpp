// A DHCP server (RFC 2131) of a test's own: it answers as it is told, and notes what it was asked.
#pragma once

#include "hosts.hpp"

#include <string>
#include <vector>

namespace hosts {

struct dhcp_server {
    static constexpr std::uint8_t discover = 1;
    static constexpr std::uint8_t offer = 2;
    static constexpr std::uint8_t request = 3;
    static constexpr std::uint8_t ack = 5;
    static constexpr std::uint8_t nak = 6;
    static constexpr std::uint8_t release = 7;

    address gives = address::v4(10, 0, 0, 77);
    std::uint32_t lease = 3600; // seconds
    bool silent = false;
    bool refuses = false; // requests

    struct question {
        std::uint8_t type;
        address asked;    // option 50, or the client's own address
        std::string name; // option 12
    };
    std::vector<question> questions;

    [[nodiscard]] std::size_t count(std::uint8_t type) const {
        std::size_t found = 0;
        for (const question& each : questions) {
            found += each.type == type ? 1U : 0U;
        }
        return found;
    }

    /// Until it is cancelled.
    task<> serve(weft::stack& on) {
        auto socket = on.bind_udp({address::any(), 67});
        REQUIRE(socket);
        REQUIRE(socket->socket()->set_broadcast(true));
        std::array<std::byte, 600> buffer;
        for (;;) {
            auto got = co_await socket->recv_from(buffer);
            if (!got) {
                co_return;
            }
            REQUIRE(got->size >= 240);
            const std::vector<std::byte> answer = answer_to(std::span(buffer).first(got->size));
            if (!answer.empty()) {
                const endpoint everybody{address::v4(255, 255, 255, 255), 68};
                auto sent = co_await socket->send_to(answer, everybody);
                CHECK(sent.has_value());
            }
        }
    }

  private:
    static address address_at(const std::byte* at) {
        return address::v4(
            std::to_integer<std::uint8_t>(at[0]), std::to_integer<std::uint8_t>(at[1]),
            std::to_integer<std::uint8_t>(at[2]), std::to_integer<std::uint8_t>(at[3]));
    }

    std::vector<std::byte> answer_to(std::span<const std::byte> asked) {
        question q{0, address_at(&asked[12]), ""};
        for (std::size_t at = 240; at + 2 < asked.size() && asked[at] != std::byte{255};) {
            const auto option = std::to_integer<unsigned>(asked[at]);
            const auto size = std::to_integer<std::size_t>(asked[at + 1]);
            const std::byte* value = &asked[at + 2];
            if (option == 53) {
                q.type = std::to_integer<std::uint8_t>(*value);
            } else if (option == 50) {
                q.asked = address_at(value);
            } else if (option == 12) {
                q.name.assign(reinterpret_cast<const char*>(value), size);
            }
            at += 2 + size;
        }
        questions.push_back(q);
        if (silent || q.type == release) {
            return {};
        }
        const bool refused = q.type == request && (refuses || q.asked != gives);
        return message(asked, q.type == discover ? offer : refused ? nak : ack);
    }

    [[nodiscard]] std::vector<std::byte>
    message(std::span<const std::byte> to, std::uint8_t type) const {
        std::vector<std::byte> m(to.begin(), to.begin() + 240);
        m[0] = std::byte{2}; // a reply
        const auto put = [&m](std::size_t at, const address& a) {
            std::memcpy(&m[at], a.bytes().data(), 4);
        };
        put(12, address::any());
        put(16, type == nak ? address::any() : gives);
        const auto option = [&m](std::uint8_t number, std::span<const std::uint8_t> value) {
            m.push_back(std::byte{number});
            m.push_back(static_cast<std::byte>(value.size()));
            for (const std::uint8_t b : value) {
                m.push_back(std::byte{b});
            }
        };
        const std::array<std::uint8_t, 1> kind{type};
        const std::array<std::uint8_t, 4> time{
            static_cast<std::uint8_t>(lease >> 24), static_cast<std::uint8_t>(lease >> 16),
            static_cast<std::uint8_t>(lease >> 8), static_cast<std::uint8_t>(lease)};
        option(53, kind);
        option(54, bob_ip.bytes());
        if (type != nak) {
            option(51, time);
            option(1, address::v4(255, 255, 255, 0).bytes());
            option(3, bob_ip.bytes());
            option(6, address::v4(10, 0, 0, 53).bytes());
        }
        m.push_back(std::byte{255});
        return m;
    }
};

} // namespace hosts
