// The parts of examples/programs: what they take from strangers, what they write, how they keep
// what waits.
#include <doctest/doctest.h>

#include <back_off.hpp>
#include <elapsed.hpp>
#include <reading_queue.hpp>
#include <request_head.hpp>
#include <status_text.hpp>
#include <text.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using programs::request_head;
using programs::resource;

std::string with_host(std::string_view line, std::string_view fields = "") {
    return std::string(line) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

/// The head at the front of `text`, given in pieces of `size` bytes, each its own memory; what is
/// left of `text` stays there.
request_head read(std::string& text, std::size_t size) {
    request_head head;
    while (!text.empty() && !head.ended()) {
        const std::string piece = text.substr(0, size);
        text.erase(0, head.take(std::as_bytes(std::span(piece))));
    }
    return head;
}

struct expectation {
    std::string text;
    int status;
    resource what = resource::none;
    bool stays = false;
};

TEST_CASE("request head: what is asked for, or the status of what is wrong, however it is cut") {
    const std::string get = "GET / HTTP/1.1";
    const std::vector<expectation> table = {
        {with_host(get), 200, resource::page, true},
        {with_host("GET /status.json HTTP/1.1"), 200, resource::json, true},
        {with_host("HEAD /?x=1 HTTP/1.1"), 200, resource::page, true},
        {with_host("GET http://a/status.json?x HTTP/1.1"), 200, resource::json, true},
        {with_host("GET http://a HTTP/1.1"), 200, resource::page, true},
        {"\r\n\r\n" + with_host(get), 200, resource::page, true},
        {"GET / HTTP/1.0\r\n\r\n", 200, resource::page, false},
        {with_host(get, "Connection: close\r\n"), 200, resource::page, false},
        {with_host(get, "connection: x , CLOSE\r\n"), 200, resource::page, false},
        {with_host(get, "Connection: keep-alive\r\n"), 200, resource::page, true},
        {with_host(get, "Content-Length: 0\r\n"), 200, resource::page, true},
        {with_host(get, "Content-Length: 5\r\n"), 200, resource::page, false},
        {with_host(get, "Transfer-Encoding: chunked\r\n"), 200, resource::page, false},
        {with_host(get, "Cookie: " + std::string(2000, 'x') + "\r\n"), 200, resource::page, true},
        {with_host(get, "Connection: " + std::string(200, 'x') + ", close\r\n"), 200,
         resource::page, false},
        {with_host("GET /favicon.ico HTTP/1.1"), 404},
        {with_host("GET /status.json/ HTTP/1.1"), 404, resource::none},
        {with_host("POST / HTTP/1.1"), 405, resource::page},
        {with_host("get / HTTP/1.1"), 405, resource::page},
        {"GET /" + std::string(request_head::longest_line, 'x') + " HTTP/1.1\r\n", 414},
        {with_host(get, std::string(200, 'x') + ": 1\r\n"), 431, resource::page},
        {with_host(get, "X: " + std::string(request_head::longest_head, 'x') + "\r\n"), 431,
         resource::page},
        {"GET / HTTP/2.0\r\n", 505},
        {"GET / HTTP/1.1\r\n\r\n", 400, resource::page},
        {with_host(get, "Host: b\r\n"), 400, resource::page},
        {with_host(get, "Content-Length: 1\r\nContent-Length: 1\r\n"), 400, resource::page},
        {with_host(get, "Content-Length: -1\r\n"), 400, resource::page},
        {with_host(get, "Content-Length:\r\n"), 400, resource::page},
        {with_host(get, "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400,
         resource::page},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, resource::page},
        {with_host(get, " folded\r\n"), 400, resource::page},
        {with_host(get, "A : b\r\n"), 400, resource::page},
        {with_host(get, ": b\r\n"), 400, resource::page},
        {with_host(get, "no colon\r\n"), 400, resource::page},
        {"GET / HTTP/1.1\n", 400},
        {"GET / HTTP/1.1\rX", 400},
        {"GET  / HTTP/1.1\r\n", 400},
        {"GET /\xff HTTP/1.1\r\n", 400},
        {"GET /\r\n", 400},
        {"GET / HTTP/1.11\r\n", 400},
        {" GET / HTTP/1.1\r\n", 400},
        {std::string("GET /\0 HTTP/1.1\r\n", 17), 400},
        {"\x16\x03\x01", 400},
    };
    for (const expectation& each : table) {
        CAPTURE(each.text);
        for (const std::size_t size :
             {std::size_t{1}, std::size_t{2}, std::size_t{7}, each.text.size()}) {
            std::string text = each.text + (each.status == 200 ? "next" : "");
            const request_head head = read(text, size);
            CHECK(head.ended());
            CHECK(head.status() == each.status);
            CHECK(head.what() == each.what);
            CHECK(head.stays() == each.stays);
            if (each.status == 200) {
                CHECK(text == "next"); // nothing behind the head was taken
            }
        }
    }
}

TEST_CASE("request head: HEAD has no body, HTTP/1.0 takes no chunks, and a half is no end") {
    std::string text = with_host("HEAD / HTTP/1.1");
    CHECK(read(text, 3).without_body());
    text = with_host("GET / HTTP/1.0");
    const request_head old = read(text, 3);
    CHECK(!old.takes_chunks());
    CHECK(!old.without_body());
    request_head nothing;
    CHECK(!nothing.begun());
    text = "GET / HTTP/1.1\r\nHost: a\r\n";
    const request_head half = read(text, 3);
    CHECK(half.begun());
    CHECK(!half.ended());
}

struct two_pools final : programs::device {
    std::string_view name() noexcept override { return "a board"; }
    programs::link_state link() noexcept override { return programs::link_state::down; }
    programs::socket_usage sockets() noexcept override {
        return {.tcp_active = 1, .tcp_listening = 2, .tcp_time_wait = 3, .udp = 4};
    }
    bool pool(std::size_t index, programs::pool_usage& into) noexcept override {
        into.name = index == 0 ? "first" : "second";
        into.used = index == 0 ? 7 : 0;
        return index < 2;
    }
};

std::string whole(const programs::status_format& format, std::size_t size) {
    two_pools shown;
    const programs::status_values values{
        .uptime = 4294967294,
        .frames_in_use = 10,
        .frames_reserved = 11,
        .frames_most = 12,
        .frames_refused = 13,
        .server = {21, 22, 23, 24, 25, 26}};
    programs::status_text text(format, values, shown);
    std::string all;
    std::string piece(size, '\0');
    while (const std::size_t filled = text.fill(piece)) {
        all.append(piece, 0, filled);
    }
    CHECK(text.fill(piece) == 0);
    return all;
}

TEST_CASE("status text: JSON with every value in its place, in pieces of any size") {
    const std::string expected = R"({"name": "a board", "uptime_s": 4294967294, "link": "down",
"server": {"connections": 21, "open": 22, "refused": 23, "timeouts": 26, "answers": 24, "errors": 25},
"sockets": {"tcp_active": 1, "tcp_listening": 2, "tcp_time_wait": 3, "udp": 4},
"frames": {"in_use": 10, "reserved": 11, "most": 12, "size": null, "failed": 13},
"pools": [
{"name": "first", "used": 7, "most": null, "size": null, "failed": null},
{"name": "second", "used": 0, "most": null, "size": null, "failed": null}]}
)";
    for (const std::size_t size : {1U, 2U, 3U, 64U, 10'000U}) {
        CHECK(whole(programs::json, size) == expected);
    }
}

TEST_CASE("status text: HTML with a row for each pool and no place left open") {
    const std::string text = whole(programs::html, 100);
    CHECK(text.find('@') == text.npos);
    CHECK(
        text.find("<tr><th>first</th><td>7</td><td>-</td><td>-</td><td>-</td></tr>\n"
                  "<tr><th>second</th><td>0</td>") != text.npos);
    CHECK(text.ends_with("</html>\n"));
    CHECK(whole(programs::html, 1) == text);
}

std::string written(auto write) {
    std::array<char, 16> room;
    programs::text_writer out(room);
    write(out);
    return std::string(out.view());
}

TEST_CASE("text: numbers to their limits") {
    for (const std::uint32_t n : {0U, 9U, 10U, 99U, 100U, 4294967295U}) {
        CHECK(written([n](auto& out) { out.put(n); }) == std::to_string(n));
    }
    const std::vector<std::pair<std::int32_t, std::string>> hundredths = {
        {0, "0.00"},
        {5, "0.05"},
        {-5, "-0.05"},
        {100, "1.00"},
        {-2105, "-21.05"},
        {2147483647, "21474836.47"},
        {-2147483647 - 1, "-21474836.48"},
    };
    for (const auto& [n, text] : hundredths) {
        CHECK(written([value = n](auto& out) { out.put_hundredths(value); }) == text);
    }
}

TEST_CASE("text: what does not fit is left out, and told") {
    std::array<char, 4> room;
    programs::text_writer out(room);
    out.put("abc").put(1U);
    CHECK(out.complete());
    out.put('x');
    CHECK(out.view() == "abc1");
    CHECK(!out.complete());
}

TEST_CASE("back-off: from a half to the whole of a step that doubles up to the limit") {
    programs::back_off pauses(100ms, 450ms);
    for (const auto step : {100ms, 200ms, 400ms, 450ms, 450ms}) {
        programs::back_off copy = pauses;
        CHECK(copy.next(0) == step / 2);
        CHECK(pauses.next(UINT32_MAX) > step * 99 / 100);
        copy = pauses;
        CHECK(copy.next(UINT32_MAX) <= 450ms);
    }
    pauses.reset();
    CHECK(pauses.next(0x80000000) == 50ms + 50'000'000ns / 65536 * 32768);
}

TEST_CASE("back-off: days do not overflow") {
    programs::back_off pauses(24h, 24h * 365);
    for (int i = 0; i < 20; ++i) {
        const auto pause = pauses.next(UINT32_MAX);
        CHECK(pause >= 12h);
        CHECK(pause <= 24h * 365);
    }
}

using queue = programs::reading_queue<4>;

std::vector<std::uint32_t> send_all(queue& waiting) {
    std::vector<std::uint32_t> sent;
    while (waiting.has_unsent()) {
        sent.push_back(waiting.send().sequence);
    }
    return sent;
}

TEST_CASE("reading queue: the oldest of too many goes") {
    queue waiting;
    CHECK(waiting.empty());
    for (std::uint32_t n = 1; n <= 4; ++n) {
        CHECK(waiting.push({.sequence = n}));
    }
    CHECK(!waiting.push({.sequence = 5}));
    CHECK(send_all(waiting) == std::vector<std::uint32_t>{2, 3, 4, 5});
}

TEST_CASE("reading queue: kept until acknowledged, and sent again on a new connection") {
    queue waiting;
    for (std::uint32_t n = 1; n <= 3; ++n) {
        waiting.push({.sequence = n});
    }
    CHECK(send_all(waiting) == std::vector<std::uint32_t>{1, 2, 3});
    CHECK(waiting.acknowledge(2) == 2);
    CHECK(waiting.acknowledge(1) == 0); // again, or too late
    CHECK(waiting.has_sent());
    waiting.resend();
    CHECK(waiting.acknowledge(3) == 0); // of the connection before: it is to be sent again
    CHECK(send_all(waiting) == std::vector<std::uint32_t>{3});
    CHECK(waiting.acknowledge(3) == 1);
    CHECK(waiting.empty());
}

TEST_CASE("reading queue: numbers that turn over") {
    queue waiting;
    waiting.push({.sequence = UINT32_MAX});
    waiting.push({.sequence = 0});
    send_all(waiting);
    CHECK(waiting.acknowledge(UINT32_MAX) == 1);
    CHECK(waiting.acknowledge(0) == 1);
}

TEST_CASE("reading queue: what had to go on its way is not counted as sent") {
    queue waiting;
    for (std::uint32_t n = 1; n <= 4; ++n) {
        waiting.push({.sequence = n});
    }
    send_all(waiting);
    for (std::uint32_t n = 5; n <= 9; ++n) {
        CHECK(!waiting.push({.sequence = n}));
    }
    CHECK(!waiting.has_sent());
    CHECK(send_all(waiting) == std::vector<std::uint32_t>{6, 7, 8, 9});
}

TEST_CASE("elapsed: a century of seconds, seven weeks of milliseconds") {
    CHECK(programs::milliseconds_of(0ms) == 0);
    CHECK(programs::milliseconds_of(1ms) == 1);
    CHECK(programs::milliseconds_of(30s) == 30'000);
    CHECK(programs::seconds_of(59'999ms) == 59);
    CHECK(programs::seconds_of(24h * 365 * 100) / 100 == 31'536'002);
}

} // namespace
