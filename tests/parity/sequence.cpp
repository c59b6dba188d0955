#include "sequence.hpp"

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <tuple>

namespace parity {

tcp_listener listen(world& w, family f, std::size_t backlog) {
    result<tcp_listener> made = w.server_net().listen(endpoint{w.server_address(f), 0}, backlog);
    const errc error = error_of(made);
    REQUIRE(error == errc::ok);
    return std::move(*made);
}

endpoint endpoint_of(const tcp_listener& listener) {
    const result<endpoint> at = listener.local();
    REQUIRE(at.has_value());
    return *at;
}

task<connection> connect_pair(world& w, tcp_listener& listener) {
    const endpoint at = endpoint_of(listener);
    for (int tries = 0;; ++tries) {
        auto both = co_await weft::when_all(
            weft::timeout(listener.accept(), w.silence()), w.client_net().connect(at));
        auto& accepted = std::get<0>(both);
        auto& connected = std::get<1>(both);
        const errc accept_error = error_of(accepted);
        const errc connect_error = error_of(connected);
        if (w.known().lossy && tries < 5 && accept_error == errc::timed_out) {
            continue; // the end of the handshake was lost too often, and the client says nothing
        }
        REQUIRE(connect_error == errc::ok);
        REQUIRE(accept_error == errc::ok);
        co_return connection(std::move(*accepted), std::move(*connected));
    }
}

task<connection> connect_pair(world& w, family f) {
    tcp_listener listener = listen(w, f);
    auto pair = co_await connect_pair(w, listener);
    co_return std::move(pair);
}

task<> send_sequence(
    world& w, tcp_stream& to, std::uint64_t offset, std::uint64_t end, std::size_t chunk) {
    bytes buffer;
    while (offset < end) {
        const std::uint64_t size = std::min<std::uint64_t>(1 + w.random(chunk), end - offset);
        buffer.resize(static_cast<std::size_t>(size));
        fill(buffer, offset);
        auto sent = co_await to.send_all(buffer);
        const errc error = sent.error();
        REQUIRE(error == errc::ok);
        REQUIRE(sent.count == buffer.size());
        offset += size;
    }
}

task<> expect_sequence(
    world& w, tcp_stream& from, std::uint64_t offset, std::uint64_t end, std::size_t chunk) {
    bytes buffer(chunk);
    while (offset < end) {
        const std::uint64_t most = std::min<std::uint64_t>(1 + w.random(chunk), end - offset);
        const auto into = std::span(buffer).first(static_cast<std::size_t>(most));
        auto got = co_await from.recv(into);
        const errc error = error_of(got);
        REQUIRE(error == errc::ok);
        INFO("at offset ", offset);
        REQUIRE(*got > 0);
        REQUIRE(agreeing(into.first(*got), offset) == *got);
        offset += *got;
    }
}

task<> expect_end(tcp_stream& from) {
    std::byte room[64];
    for (int times = 0; times < 3; ++times) {
        auto got = co_await from.recv(room);
        const errc error = error_of(got);
        REQUIRE(error == errc::ok);
        REQUIRE(*got == 0);
    }
}

task<errc> drain(tcp_stream& from, std::uint64_t& offset) {
    bytes buffer(16 * 1024);
    while (true) {
        auto got = co_await from.recv(buffer);
        if (!got) {
            co_return got.error();
        }
        if (*got == 0) {
            co_return errc::ok;
        }
        REQUIRE(agreeing(std::span(buffer).first(*got), offset) == *got);
        offset += *got;
    }
}

task<std::uint64_t> send_until_blocked(world& w, tcp_stream& to, std::uint64_t offset) {
    bytes buffer(64 * 1024);
    while (true) {
        fill(buffer, offset);
        auto sent = co_await weft::timeout(to.send(buffer), w.silence());
        if (!sent) {
            const errc error = sent.error();
            REQUIRE(error == errc::timed_out);
            co_return offset;
        }
        offset += *sent;
        REQUIRE(offset <= w.known().most_in_flight);
    }
}

task<> echo(tcp_stream& peer) {
    bytes buffer(16 * 1024);
    while (true) {
        auto got = co_await peer.recv(buffer);
        if (!got || *got == 0) {
            co_return;
        }
        const auto answer = std::span(buffer).first(*got);
        auto sent = co_await peer.send_all(answer);
        if (!sent) {
            co_return;
        }
    }
}

task<> echo_and_close(tcp_stream peer) {
    auto done = co_await echo(peer);
    (void)done;
}

task<> serve_echo(world& w, tcp_listener& listener) {
    weft::task_group peers(w.home());
    while (true) {
        auto peer = co_await listener.accept();
        if (!peer) {
            const errc error = peer.error();
            CHECK((error == errc::canceled || error == errc::bad_handle));
            co_return; // the group's children end with it
        }
        const result<> spawned = peers.spawn(echo_and_close(std::move(*peer)));
        REQUIRE(spawned.has_value());
    }
}

task<> pause(world& w) {
    auto slept = co_await weft::sleep_for(w.settling());
    (void)slept;
}

} // namespace parity
