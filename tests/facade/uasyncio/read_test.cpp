// Reading: what each kind of read gives, and where it stops.
#include "peers.hpp"

#include <algorithm>
#include <tuple>

namespace uasyncio_test {
namespace {

/// Sends through the plain socket, and waits until it is likely to have arrived alone.
task<> send_segment(world& w, weft::tcp_stream& peer, std::string_view text) {
    auto sent = co_await peer.send_all(text);
    REQUIRE(error_of(sent) == errc::ok);
    auto slept = co_await weft::sleep_for(moment(w));
    (void)slept;
}
/// `segments` with '|' between them.
task<>
send_segments(world& w, weft::tcp_stream& peer, std::string_view segments, bool finish = true) {
    while (!segments.empty()) {
        const std::size_t end = std::min(segments.find('|'), segments.size());
        auto sent = co_await send_segment(w, peer, segments.substr(0, end));
        REQUIRE(error_of(sent) == errc::ok);
        segments.remove_prefix(std::min(end + 1, segments.size()));
    }
    if (finish) {
        REQUIRE(error_of(peer.shutdown_send()) == errc::ok);
    }
}
task<> expect_read(uasyncio::reading operation, std::string_view expected) {
    auto got = co_await operation;
    REQUIRE(error_of(got) == errc::ok);
    CHECK(got->view() == expected);
}
task<> expect_error(uasyncio::reading operation, errc expected) {
    auto got = co_await operation;
    CHECK(error_of(got) == expected);
}

task<> read_some(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto sent = co_await send_segments(w, pair->peer, "abcdef");
    REQUIRE(error_of(sent) == errc::ok);
    std::string heard;
    for (const std::ptrdiff_t most : {1, 2, 100, 100, 100, 100, 100}) {
        auto got = co_await pair->here.read(most);
        REQUIRE(error_of(got) == errc::ok);
        CHECK(got->size() <= static_cast<std::size_t>(most));
        CHECK((!got->empty() || heard.size() == 6));
        heard += got->view();
    }
    CHECK(heard == "abcdef");
    auto nothing = co_await expect_read(pair->here.read(5), "");
    REQUIRE(error_of(nothing) == errc::ok);
}
TEST_CASE("read(n): at least one byte, at most n, then nothing at the end, for good") {
    run(read_some);
}

task<> read_much_after_little(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto first = co_await send_segments(w, pair->peer, "a line\n", false);
    REQUIRE(error_of(first) == errc::ok);
    auto line = co_await expect_read(pair->here.readline(), "a line\n");
    REQUIRE(error_of(line) == errc::ok);
    const std::string much(10'000, 'x');
    auto second = co_await send_segments(w, pair->peer, much);
    REQUIRE(error_of(second) == errc::ok);
    auto got = co_await expect_read(pair->here.read(100'000), much);
    REQUIRE(error_of(got) == errc::ok);
}
TEST_CASE("read(n) after a line: all that has arrived, not what the line's buffer has room for") {
    if (here().known().lossy) {
        parity::skip("it may not have arrived");
        return;
    }
    run(read_much_after_little);
}

task<> read_all(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto both = co_await weft::when_all(
        send_segments(w, pair->peer, "one |two |three"),
        expect_read(pair->here.read(), "one two three"));
    REQUIRE(error_of(std::get<0>(both)) == errc::ok);
    REQUIRE(error_of(std::get<1>(both)) == errc::ok);
    auto again = co_await expect_read(pair->here.read(-1), "");
    REQUIRE(error_of(again) == errc::ok);
}
TEST_CASE("read(): everything up to the end; again: nothing") {
    run(read_all);
}

task<> read_none(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto none = co_await expect_read(pair->here.read(0), "");
    REQUIRE(error_of(none) == errc::ok);
    auto exactly_none = co_await expect_read(pair->here.readexactly(0), "");
    REQUIRE(error_of(exactly_none) == errc::ok);
}
TEST_CASE("read(0) and readexactly(0): nothing, without waiting") {
    run(read_none);
}

task<> read_exactly(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto both = co_await weft::when_all(
        send_segments(w, pair->peer, "ab|cdef|gh"),
        expect_read(pair->here.readexactly(5), "abcde"));
    REQUIRE(error_of(std::get<1>(both)) == errc::ok);
    auto exact = co_await expect_read(pair->here.readexactly(3), "fgh");
    REQUIRE(error_of(exact) == errc::ok);
    auto ended = co_await expect_error(pair->here.readexactly(1), errc::end_of_stream);
    REQUIRE(error_of(ended) == errc::ok);
}
TEST_CASE("readexactly(n): n bytes out of several segments, no more") {
    run(read_exactly);
}

task<> read_exactly_short(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto sent = co_await send_segments(w, pair->peer, "abc|de");
    REQUIRE(error_of(sent) == errc::ok);
    for (int times = 0; times < 2; ++times) {
        auto got = co_await expect_error(pair->here.readexactly(6), errc::end_of_stream);
        REQUIRE(error_of(got) == errc::ok);
    }
    CHECK(pair->here.buffered().size() == 5);
    auto rest = co_await expect_read(pair->here.read(), "abcde");
    REQUIRE(error_of(rest) == errc::ok);
}
TEST_CASE("readexactly(n) of a shorter stream: end_of_stream, and what came is still there") {
    run(read_exactly_short);
}

task<> read_lines(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    weft::task_group sender(w.home());
    const result<> spawned = sender.spawn(
        send_segments(w, pair->peer, "whole\n|two\nin one\n|a|cross |segments|\n|\n|end"));
    REQUIRE(error_of(spawned) == errc::ok);
    for (const char* line :
         {"whole\n", "two\n", "in one\n", "across segments\n", "\n", "end", "", ""}) {
        auto got = co_await expect_read(pair->here.readline(), line);
        REQUIRE(error_of(got) == errc::ok);
    }
    auto joined = co_await sender.join();
    REQUIRE(error_of(joined) == errc::ok);
}
TEST_CASE("readline: up to and with '\\n', whatever the segments; at the end what is there") {
    run(read_lines);
}

task<> send_long_line(stream& to, std::size_t size) {
    std::vector<std::byte> line(size, std::byte('x'));
    line.back() = std::byte('\n');
    const auto taken = to.write(line);
    REQUIRE(error_of(taken) == errc::ok);
    const auto more = to.write("next\n");
    REQUIRE(error_of(more) == errc::ok);
    auto drained = co_await to.drain();
    CHECK(error_of(drained) == errc::ok);
}
task<> read_long_line(stream& from, std::size_t size) {
    auto line = co_await from.readline();
    REQUIRE(error_of(line) == errc::ok);
    CHECK(line->size() == size);
    CHECK(line->view().find_first_not_of('x') == size - 1);
    auto next = co_await from.readline();
    REQUIRE(error_of(next) == errc::ok);
    CHECK(*next == "next\n");
}
task<> long_line(world& w) {
    auto pair = co_await open_streams(w);
    REQUIRE(error_of(pair) == errc::ok);
    const std::size_t size = w.known().bulk / 10;
    auto both = co_await weft::when_all(
        send_long_line(pair->client, size), read_long_line(pair->server, size));
    REQUIRE(error_of(std::get<0>(both)) == errc::ok);
    REQUIRE(error_of(std::get<1>(both)) == errc::ok);
}
TEST_CASE("readline of a very long line: all of it, and the next line is the next") {
    run(long_line);
}

task<> limited_line(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto sent = co_await send_segments(w, pair->peer, "abcdefgh\nij\n");
    REQUIRE(error_of(sent) == errc::ok);
    for (const char* piece : {"abc", "def", "gh\n", "ij\n", ""}) {
        auto got = co_await expect_read(pair->here.readline(3), piece);
        REQUIRE(error_of(got) == errc::ok);
    }
}
TEST_CASE("readline(most): a longer line comes in pieces") {
    run(limited_line);
}

task<> read_into(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto sent = co_await send_segments(w, pair->peer, "line\nabc");
    REQUIRE(error_of(sent) == errc::ok);
    auto line = co_await expect_read(pair->here.readline(), "line\n");
    REQUIRE(error_of(line) == errc::ok);
    std::array<std::byte, 2> room{};
    std::string heard;
    while (true) {
        auto got = co_await pair->here.readinto(room);
        REQUIRE(error_of(got) == errc::ok);
        REQUIRE(*got <= room.size());
        if (*got == 0) {
            break;
        }
        heard.append(reinterpret_cast<const char*>(room.data()), *got);
    }
    CHECK(heard == "abc");
}
TEST_CASE("readinto: what was received beside a line comes first, 0 at the end") {
    run(read_into);
}

task<> second_reader(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    weft::task_group first(w.home());
    REQUIRE(error_of(first.spawn(expect_read(pair->here.readline(), "mine\n"))) == errc::ok);
    std::array<std::byte, 4> room{};
    auto told = co_await expect_error(pair->here.readline(), errc::already);
    auto exactly = co_await expect_error(pair->here.readexactly(1), errc::already);
    auto some = co_await expect_error(pair->here.read(1), errc::already);
    auto into = co_await pair->here.readinto(room);
    CHECK(error_of(into) == errc::already);
    REQUIRE((told && exactly && some));
    auto sent = co_await send_segments(w, pair->peer, "mine\n");
    REQUIRE(error_of(sent) == errc::ok);
    auto joined = co_await first.join();
    CHECK(error_of(joined) == errc::ok);
}
TEST_CASE("a second reader is told already at once, and does not disturb the first") {
    run(second_reader);
}

task<> close_wakes_reader(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    weft::task_group reader(w.home());
    REQUIRE(error_of(reader.spawn(expect_error(pair->here.read(), errc::bad_handle))) == errc::ok);
    pair->here.close();
    CHECK(reader.size() == 1); // nobody is resumed inside close()
    auto joined = co_await reader.join();
    CHECK(error_of(joined) == errc::ok);
    auto later = co_await expect_error(pair->here.readline(), errc::bad_handle);
    REQUIRE(error_of(later) == errc::ok);
    CHECK(error_of(pair->here.write("x")) == errc::bad_handle);
    auto drained = co_await pair->here.drain();
    CHECK(error_of(drained) == errc::bad_handle);
}
TEST_CASE("close wakes a reader with bad_handle, and every later call is told the same") {
    run(close_wakes_reader);
}

task<> destroy_under_reader(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    weft::task_group reader(w.home());
    REQUIRE(
        error_of(reader.spawn(expect_error(pair->here.readline(), errc::bad_handle))) == errc::ok);
    {
        const stream gone = std::move(pair->here);
    }
    auto joined = co_await reader.join();
    CHECK(error_of(joined) == errc::ok);
}
TEST_CASE("destroying the stream under a reader: bad_handle") {
    run(destroy_under_reader);
}

task<> move_under_reader(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    weft::task_group reader(w.home());
    REQUIRE(error_of(reader.spawn(expect_read(pair->here.readline(), "moved\n"))) == errc::ok);
    stream elsewhere = std::move(pair->here);
    auto sent = co_await send_segments(w, pair->peer, "moved\nrest");
    REQUIRE(error_of(sent) == errc::ok);
    auto joined = co_await reader.join();
    CHECK(error_of(joined) == errc::ok);
    auto rest = co_await expect_read(elsewhere.read(), "rest");
    REQUIRE(error_of(rest) == errc::ok);
}
TEST_CASE("a stream may move while someone reads") {
    run(move_under_reader);
}

task<> no_stream(world&) {
    stream none;
    auto line = co_await expect_error(none.readline(), errc::bad_handle);
    REQUIRE(error_of(line) == errc::ok);
    std::array<std::byte, 4> room{};
    auto into = co_await none.readinto(room);
    CHECK(error_of(into) == errc::bad_handle);
    CHECK(error_of(none.write("x")) == errc::bad_handle);
    auto drained = co_await none.drain();
    CHECK(error_of(drained) == errc::bad_handle);
    auto closed = co_await none.wait_closed();
    CHECK(error_of(closed) == errc::bad_handle);
    CHECK(none.is_closing());
    CHECK(none.buffered().empty());
    CHECK(!none.get_extra_info("peername").has_value());
}
TEST_CASE("every call on a stream without a connection: bad_handle") {
    run(no_stream);
}

task<> reset_by_peer(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto sent = co_await send_segments(w, pair->peer, "before\nhalf a li", false);
    REQUIRE(error_of(sent) == errc::ok);
    auto line = co_await expect_read(pair->here.readline(), "before\n");
    REQUIRE(error_of(line) == errc::ok);
    pair->peer.abort();
    auto told = co_await expect_error(pair->here.readline(), errc::connection_reset);
    REQUIRE(error_of(told) == errc::ok);
    auto rest = co_await expect_read(pair->here.read(), "half a li");
    REQUIRE(error_of(rest) == errc::ok);
}
TEST_CASE("peer reset: the bytes before it, connection_reset once, and a half line is not lost") {
    if (here().known().lossy) {
        parity::skip("a reset may be lost, and nobody sends it again");
        return;
    }
    run(reset_by_peer);
}

} // namespace
} // namespace uasyncio_test
