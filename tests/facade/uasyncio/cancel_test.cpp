// Cutting reads and drains: by a timeout, by cancelling, at every byte of a message. Every byte is
// compared; none is lost, doubled or out of its place.
#include "peers.hpp"

#include <weft/event.hpp>

#include <algorithm>
#include <tuple>

namespace uasyncio_test {
namespace {

constexpr std::string_view message("every byte\0 of this line\n", 25); // NUL is a byte like others
constexpr std::string_view after = "the next line\n";

enum class cut_by { timeout, cancelling };
enum class kind { some, exactly, line, to_the_end };

uasyncio::reading start(stream& s, kind what) {
    switch (what) {
    case kind::some:
        return s.read(100);
    case kind::exactly:
        return s.readexactly(message.size());
    case kind::line:
        return s.readline();
    case kind::to_the_end:
        break;
    }
    return s.read();
}

/// Runs a read that cannot complete, and cuts it.
task<> cut_short(world& w, stream& s, kind what, cut_by how) {
    if (how == cut_by::timeout) {
        auto got = co_await weft::timeout(start(s, what), moment(w));
        CHECK(error_of(got) == errc::timed_out);
    } else {
        auto won = co_await weft::when_any(start(s, what), weft::sleep_for(moment(w)));
        CHECK(error_of(std::get<0>(won.results)) == errc::canceled);
    }
}

/// What is left of `message` (and with to_the_end what is behind it), by the same kind of read.
task<> read_the_rest(stream& s, kind what, std::string_view expected) {
    std::string heard;
    while (heard.size() < expected.size()) {
        auto got = co_await start(s, what);
        REQUIRE(error_of(got) == errc::ok);
        REQUIRE(!got->empty());
        heard += got->view();
    }
    CHECK(heard == expected);
}

task<> cut_once(world& w, half& pair, kind what, cut_by how, std::size_t position) {
    auto first = co_await pair.peer.send_all(message.substr(0, position));
    REQUIRE(first.error() == errc::ok);
    std::string_view expected = message;
    if (what == kind::some) { // what is there is given at once, and what comes then is the rest
        auto there = co_await read_the_rest(pair.here, what, message.substr(0, position));
        REQUIRE(error_of(there) == errc::ok);
        expected = message.substr(position);
    }
    for (int times = 0; times < 2; ++times) {
        auto cut = co_await cut_short(w, pair.here, what, how);
        REQUIRE(error_of(cut) == errc::ok);
    }
    auto second = co_await pair.peer.send_all(message.substr(position));
    REQUIRE(second.error() == errc::ok);
    auto third = co_await pair.peer.send_all(after);
    REQUIRE(third.error() == errc::ok);
    if (what == kind::to_the_end) {
        REQUIRE(error_of(pair.peer.shutdown_send()) == errc::ok);
    }
    if (what == kind::line || what == kind::exactly) {
        auto rest = co_await read_the_rest(pair.here, what, expected);
        REQUIRE(error_of(rest) == errc::ok);
        auto next = co_await pair.here.readline();
        REQUIRE(error_of(next) == errc::ok);
        CHECK(next->view() == after);
    } else {
        std::string both(expected);
        both += after;
        auto rest = co_await read_the_rest(pair.here, what, both);
        REQUIRE(error_of(rest) == errc::ok);
    }
}

task<> cut_everywhere(world& w, kind what, cut_by how) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    for (std::size_t position = 0; position < message.size(); ++position) {
        INFO("cut at byte ", position);
        if (what == kind::to_the_end && position != 0) {
            auto fresh = co_await open_half(w);
            REQUIRE(error_of(fresh) == errc::ok);
            *pair = std::move(*fresh);
        }
        auto done = co_await cut_once(w, *pair, what, how, position);
        REQUIRE(error_of(done) == errc::ok);
    }
}
void cut_everywhere_by_both(kind what) {
    run([what](world& w) { return cut_everywhere(w, what, cut_by::timeout); }, "timeout");
    run([what](world& w) { return cut_everywhere(w, what, cut_by::cancelling); }, "cancelling");
}
TEST_CASE("read(n) cut at every byte of a message and called again: each byte once, in place") {
    cut_everywhere_by_both(kind::some);
}
TEST_CASE("readexactly cut at every byte of a message and called again: the message, then more") {
    cut_everywhere_by_both(kind::exactly);
}
TEST_CASE("readline cut at every byte of a line and called again: the line, then the next") {
    cut_everywhere_by_both(kind::line);
}
TEST_CASE("read() cut at every byte and called again: everything up to the end") {
    cut_everywhere_by_both(kind::to_the_end);
}

task<> another_kind_goes_on(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto first = co_await pair->peer.send_all("half");
    REQUIRE(first.error() == errc::ok);
    auto line = co_await weft::timeout(pair->here.readline(), w.silence());
    CHECK(error_of(line) == errc::timed_out);
    CHECK(pair->here.buffered().size() == 4);
    auto some = co_await pair->here.read(3);
    REQUIRE(error_of(some) == errc::ok);
    CHECK(*some == "hal");
    std::array<std::byte, 8> room{};
    auto into = co_await pair->here.readinto(room);
    REQUIRE(error_of(into) == errc::ok);
    CHECK(*into == 1);
    CHECK(room[0] == std::byte('f'));
}
TEST_CASE("what a cut readline has received is first in line for any other read") {
    run(another_kind_goes_on);
}

task<> cancelled_before(world& w) {
    auto pair = co_await open_half(w);
    REQUIRE(error_of(pair) == errc::ok);
    auto sent = co_await pair->peer.send_all("there\n");
    REQUIRE(sent.error() == errc::ok);
    auto ready = co_await weft::sleep_for(w.silence());
    (void)ready;
    weft::scope cancelled(w.home());
    cancelled.cancel();
    auto got = co_await weft::within(cancelled, pair->here.readline());
    CHECK(error_of(got) == errc::canceled);
    auto drained = co_await weft::within(cancelled, pair->here.drain());
    CHECK(error_of(drained) == errc::canceled);
    auto line = co_await pair->here.readline();
    REQUIRE(error_of(line) == errc::ok);
    CHECK(*line == "there\n");
}
TEST_CASE("in a cancelled scope a read takes nothing, though there is something") {
    run(cancelled_before);
}

// --- at random moments ----------------------------------------------------------------------

task<> write_interrupted(world& w, stream& to, std::uint64_t end) {
    parity::bytes buffer;
    std::uint64_t offset = 0;
    while (offset < end) {
        buffer.resize(static_cast<std::size_t>(1 + w.random(30'000)));
        buffer.resize(
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - offset)));
        fill(buffer, offset);
        const auto taken = to.write(buffer);
        REQUIRE(error_of(taken) == errc::ok);
        REQUIRE(*taken == buffer.size());
        offset += buffer.size();
        auto drained = co_await weft::timeout(to.drain(), w.random_moment(200us));
        const errc told = error_of(drained);
        REQUIRE((told == errc::ok || told == errc::timed_out));
    }
    auto closed = co_await to.wait_closed();
    CHECK(error_of(closed) == errc::ok);
}

/// One read of a kind that chance chooses. `heard` is empty where it was cut.
task<> read_something(world& w, stream& from, parity::bytes& heard, bool& ended) {
    const auto size = static_cast<std::size_t>(1 + w.random(3000));
    const std::uint64_t choice = w.random(4);
    heard.clear();
    if (choice == 3) {
        heard.resize(size);
        auto got = co_await weft::timeout(from.readinto(heard), w.random_moment(200us));
        REQUIRE((got || got.error() == errc::timed_out));
        heard.resize(got ? *got : 0);
        ended = got && *got == 0;
        co_return;
    }
    uasyncio::reading operation = choice == 0   ? from.read(static_cast<std::ptrdiff_t>(size))
                                  : choice == 1 ? from.readline()
                                                : from.readexactly(size);
    auto got = co_await weft::timeout(std::move(operation), w.random_moment(200us));
    if (!got) {
        const errc told = got.error();
        REQUIRE((told == errc::timed_out || told == errc::end_of_stream));
        co_return;
    }
    heard.assign(got->begin(), got->end());
    const auto newline = static_cast<std::size_t>(got->view().find('\n'));
    CHECK(got->size() <= (choice == 1 ? newline + (newline != std::string_view::npos) : size));
    CHECK((choice != 2 || got->size() == size));
    ended = got->empty();
}

task<> read_interrupted(world& w, stream& from, std::uint64_t end) {
    std::uint64_t offset = 0;
    parity::bytes heard;
    bool ended = false;
    while (!ended) {
        auto done = co_await read_something(w, from, heard, ended);
        REQUIRE(error_of(done) == errc::ok);
        INFO("at offset ", offset);
        REQUIRE(agreeing(heard, offset) == heard.size());
        offset += heard.size();
    }
    CHECK(offset == end);
}

task<> interrupted_at_random(world& w, family f) {
    auto pair = co_await open_streams(w, f);
    REQUIRE(error_of(pair) == errc::ok);
    const std::uint64_t size = w.known().bulk / 5;
    auto both = co_await weft::when_all(
        write_interrupted(w, pair->client, size), read_interrupted(w, pair->server, size));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
}
TEST_CASE("reads of every kind and drain, cut at random moments: each byte once, in its place") {
    run_both(interrupted_at_random);
}

} // namespace
} // namespace uasyncio_test
