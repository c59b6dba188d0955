// The contract's rows makefile(), and read(), readinto(), readline() and write().
#include "scene.hpp"

namespace contract {
namespace {

TEST_CASE("makefile(): rb, wb, rwb; others EINVAL") {
    scene at;
    auto [server, client] = at.connected();
    for (const char* mode : {"rb", "wb", "rwb"}) {
        CHECK(number_of([&] { client.makefile(mode); }) == 0);
        CHECK(number_of([&] { client.makefile(mode, 4096); }) == 0); // the buffering is ignored
    }
    for (const char* mode : {"r", "w", "", "rt", "b", "rb+", "wrb", "a"}) {
        CHECK(number_of([&] { client.makefile(mode); }) == EINVAL);
    }
    CHECK(client.fileno() > 0);
}

TEST_CASE("makefile(): reads and writes the socket; closing it closes the socket") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        file f = client.makefile("rwb");
        CHECK(f.write("GET /\n") == 6);
        f.flush();
        CHECK(text_of(server.readline()) == "GET /\n");
        server.send("line\nrest");
        server.close();
        CHECK(text_of(f.readline()) == "line\n");
        std::byte room[2];
        CHECK(f.readinto(room) == 2);
        CHECK(text_of(f.read()) == "st");
        f.close();
        CHECK(client.fileno() == -1);
        CHECK(number_of([&] { client.recv(1); }) == EBADF);
        CHECK(number_of([&] { f.read(1); }) == EBADF);
        f.close();
    });
}

TEST_CASE("makefile(): the file does not keep the socket, nor does dropping it close it") {
    scene at;
    auto [server, client] = at.connected();
    {
        file f = client.makefile();
        f.flush();
    }
    CHECK(client.fileno() > 0);
    file f = client.makefile();
    client.close();
    CHECK(number_of([&] { f.read(1); }) == EBADF);
}

/// One byte of `text` after another, each `gap` later, from inside the loop; then FIN if asked.
void trickle(scene& at, socket& from, std::string text, duration gap, bool then_closes = false) {
    from.settimeout(0);
    from.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    at.later(gap, [&at, &from, text, gap, then_closes] {
        from.send(text.substr(0, 1));
        if (text.size() > 1) {
            trickle(at, from, text.substr(1), gap, then_closes);
        } else if (then_closes) {
            from.close();
        }
    });
}

TEST_CASE("read(n): no short reads on a blocking socket: n bytes, however they come") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        trickle(at, server, "one by one", at.scaled(20ms));
        CHECK(text_of(client.read(10)) == "one by one");
    });
}

TEST_CASE("read(n), readinto(): fewer only at EOF") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        trickle(at, server, "short", at.scaled(20ms), true);
        CHECK(text_of(client.read(3)) == "sho");
        std::byte room[100];
        CHECK(client.readinto(room) == 2);
        CHECK(text_of(client.read(10)) == "");
        CHECK(client.readinto(room) == 0);
        CHECK(text_of(client.readline()) == "");
    });
}

TEST_CASE("read(): all until EOF; read(-1) too") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        trickle(at, server, "everything", at.scaled(20ms), true);
        CHECK(text_of(client.read()) == "everything");
        auto [other, peer] = at.connected();
        other.send("minus one");
        other.close();
        CHECK(text_of(peer.read(-1)) == "minus one");
    });
}

TEST_CASE("read(0) is b\"\" at once") {
    scene at;
    auto [server, client] = at.connected();
    CHECK(text_of(client.read(0)) == "");
    CHECK(client.readinto(std::span<std::byte>()) == 0);
    std::byte room[4];
    CHECK(client.readinto(room, 0) == 0);
}

TEST_CASE("readinto(buf, n): n bytes at most, buf's length otherwise") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.send("abcdefgh");
        std::array<char, 8> room{};
        const auto span = std::as_writable_bytes(std::span(room));
        CHECK(client.readinto(span, 3) == 3);
        CHECK(std::string_view(room.data(), 8) == std::string_view("abc\0\0\0\0\0", 8));
        CHECK(client.readinto(span.first(2)) == 2);
        CHECK(client.readinto(span.first(3), 100) == 3);
        CHECK(std::string_view(room.data(), 3) == "fgh");
    });
}

TEST_CASE("readline(): up to and with a line feed, the last one without") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        trickle(at, server, "one\n\ntwo\r\nlast", at.scaled(5ms), true);
        CHECK(text_of(client.readline()) == "one\n");
        CHECK(text_of(client.readline()) == "\n");
        CHECK(text_of(client.readline()) == "two\r\n");
        CHECK(text_of(client.readline()) == "last");
        CHECK(text_of(client.readline()) == "");
    });
}

TEST_CASE("readline(): what is behind the line stays for every other call") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.send("line\nabcdefgh\nrest");
        CHECK(text_of(client.readline()) == "line\n");
        CHECK(client.recv(2) == "ab");
        CHECK(text_of(client.read(2)) == "cd");
        std::byte room[2];
        CHECK(client.readinto(room) == 2);
        CHECK(text_of(client.readline()) == "gh\n");
        CHECK(client.recvfrom(100).first == "rest");
    });
}

TEST_CASE("readline(): a line of 100,000 bytes") {
    scene at;
    auto [server, client] = at.connected();
    const std::string line = std::string(100'000, 'x') + "\n";
    server.settimeout(0);
    std::size_t sent = 0;
    std::function<void()> more = [&] {
        sent += server.write(std::string_view(line).substr(sent)).value_or(0);
        if (sent != line.size()) {
            at.later(at.scaled(20ms), more);
        }
    };
    at.later(0ms, more);
    CHECK(text_of(client.readline()) == line);
}

TEST_CASE("write(): no short writes on a blocking socket; the count is all") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        CHECK(client.write("hello") == 5);
        CHECK(client.write(std::string(3000, 'x')) == 3000);
        client.close();
        CHECK(server.read()->size() == 3005);
    });
}

TEST_CASE(
    "non-blocking: read(), readinto(), readline(): what there is; None when there is nothing") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(0);
        std::byte room[100];
        CHECK(client.read() == std::nullopt);
        CHECK(client.read(10) == std::nullopt);
        CHECK(client.readinto(room) == std::nullopt);
        CHECK(client.readline() == std::nullopt);
        server.send("what");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(text_of(client.read(10)) == "what");
        CHECK(client.read(10) == std::nullopt);
        server.send("there");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(client.readinto(room) == 5);
        server.send("is");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(text_of(client.read()) == "is");
        server.close();
        CHECK(at.becomes(client, 5) == 5);
        CHECK(text_of(client.read()) == "");
        CHECK(client.readinto(room) == 0);
    });
}

TEST_CASE("non-blocking: a partial line is returned as far as it goes") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(0);
        server.send("part");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(text_of(client.readline()) == "part");
        CHECK(client.readline() == std::nullopt);
        server.send("ial\nnext");
        CHECK(at.becomes(client, 5) == 5);
        CHECK(text_of(client.readline()) == "ial\n");
        CHECK(text_of(client.readline()) == "next");
    });
}

TEST_CASE("non-blocking: write() what fits, None when nothing does") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        client.settimeout(0);
        const std::optional<std::size_t> n = client.write(at.plenty());
        REQUIRE(n);
        CHECK(*n > 0);
        CHECK(*n < at.known().most_in_flight);
        at.fill_up(client, *n);
        CHECK(client.write("x") == std::nullopt);
    });
}

TEST_CASE("connecting: read(), readinto(), readline() and write() are None") {
    on_both([](scene& at) {
        unanswered u = at.attempt();
        std::byte room[4];
        CHECK(u.client.read() == std::nullopt);
        CHECK(u.client.read(4) == std::nullopt);
        CHECK(u.client.readinto(room) == std::nullopt);
        CHECK(u.client.readline() == std::nullopt);
        CHECK(u.client.write("x") == std::nullopt);
    });
}

TEST_CASE("a timeout midway raises, and keeps the bytes: first in line, and readiness says IN") {
    on_both([](scene& at) {
        const duration limit = at.scaled(500ms);
        auto [server, client] = at.connected();
        server.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
        client.settimeout(at.seconds(limit));
        server.send("half");
        times_out(at, limit, [&] { client.read(8); });
        CHECK(at.mask_of(client) == 5);
        times_out(at, limit, [&] { client.readline(); });
        times_out(at, limit, [&] { client.read(); });
        std::byte room[8];
        times_out(at, limit, [&] { client.readinto(room); });
        CHECK(at.mask_of(client) == 5);
        server.send("line\n");
        CHECK(text_of(client.readline()) == "halfline\n");
        CHECK(at.mask_of(client) == POLLOUT);
    });
}

TEST_CASE("an error midway raises, and keeps the bytes: ECONNRESET in read(n), then the data") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        server.send("before");
        CHECK(at.becomes(client, 5) == 5);
        at.settle();
        at.reset(server);
        CHECK(at.becomes(client, 29) == 29);
        CHECK(number_of([&] { client.read(100); }) == ECONNRESET);
        CHECK((at.mask_of(client) & POLLIN) == POLLIN);
        CHECK(text_of(client.read(100)) == "before");
        CHECK(client.recv(1) == "");
    });
}

TEST_CASE("a timeout midway in write(): what was written is known") {
    on_both([](scene& at) {
        auto [server, client] = at.connected();
        const duration limit = at.scaled(1s);
        client.settimeout(at.seconds(limit));
        const auto& all = at.plenty();
        std::size_t written = 0;
        times_out(at, limit, [&] {
            try {
                client.write(all);
            } catch (const OSError& error) {
                written = error.count();
                throw;
            }
        });
        CHECK(written > 0);
        client.settimeout(0);
        CHECK(
            parity::agreeing(server.read(static_cast<std::int64_t>(written))->span(), 0) ==
            written);
        server.settimeout(0);
        at.settle();
        CHECK(server.read(1) == std::nullopt);
    });
}

} // namespace
} // namespace contract
