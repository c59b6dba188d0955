// Between the two ends somebody sits who knows records: cuts the connection between two of them,
// holds one back for ever, or changes a byte.
#include "contexts.hpp"

#include <weft/timeout.hpp>

#include <array>
#include <string>

namespace tls_test {
namespace {

enum class deed : std::uint8_t { cut, stall, change };

/// What the one in the middle does when `records` have passed.
struct plan {
    deed what;
    int records;
    std::uint64_t where; // change: of this byte of the next record
    int passed = 0;
    bool done = false;
};

constexpr std::size_t header_size = 5;

/// One direction of it, to the end of the stream.
task<> pass(tcp_stream& from, tcp_stream& to, tcp_stream& back, plan& what) {
    std::array<std::byte, header_size + 0x4800> record{};
    while (true) {
        auto begun = co_await from.read_exactly(std::span(record).first(header_size));
        if (begun.error() != errc::ok) {
            break;
        }
        const std::size_t size =
            std::to_integer<std::size_t>(record[3]) << 8 | std::to_integer<std::size_t>(record[4]);
        REQUIRE(size <= record.size() - header_size);
        REQUIRE(size > 0);
        auto body = co_await from.read_exactly(std::span(record).subspan(header_size, size));
        REQUIRE(body.error() == errc::ok);
        if (what.passed == what.records && what.what == deed::change && !what.done) {
            record[header_size + what.where % size] ^= std::byte{0x10};
            what.done = true;
        } else if (what.passed == what.records && what.what != deed::change) {
            if (!what.done && what.what == deed::cut) {
                (void)to.shutdown_send();
                (void)back.shutdown_send();
            }
            what.done = true;
            continue; // it is read, and goes nowhere
        }
        ++what.passed;
        auto sent = co_await to.send_all(std::span(record).first(header_size + size));
        if (sent.error() != errc::ok) {
            break;
        }
    }
    if (!what.done || what.what == deed::change) {
        (void)to.shutdown_send();
    }
}

/// What one end saw: by what its handshake or its stream ended, and how much came before.
struct view {
    errc end = errc::ok;
    std::uint64_t got = 0;
};

constexpr std::uint64_t size_each_way = 6'000; // one record

task<> talk(weft::duration patience, tls_handshake shaking, view& seen) {
    auto met = co_await weft::timeout(std::move(shaking), patience);
    if (!met) {
        seen.end = met.error();
        co_return;
    }
    const bytes sent = known_bytes(0, size_each_way);
    auto gone = co_await met->send_all(sent);
    (void)gone; // what became of it, the end tells
    (void)met->shutdown_send();
    bytes buffer(size_each_way + 1);
    while (true) {
        auto got = co_await weft::timeout(met->recv(buffer), patience);
        if (!got || *got == 0) {
            seen.end = error_of(got);
            co_return;
        }
        CHECK(agreeing(std::span(buffer).first(*got), seen.got) == *got);
        seen.got += *got;
    }
}

struct outcome {
    view server;
    view client;
};

task<outcome> through(world& w, const tls_context& server, const tls_context& client, plan& what) {
    auto near = co_await connect_pair(w);
    auto far = co_await connect_pair(w);
    REQUIRE((near.has_value() && far.has_value()));
    for (tcp_stream* each : {&near->server, &far->client}) {
        (void)each->socket()->set_no_delay(true);
    }
    const weft::duration patience = what.what == deed::stall ? w.silence() : w.patience();
    outcome seen;
    auto all = co_await weft::when_all(
        talk(patience, tls_stream::client(client, std::move(near->client), name), seen.client),
        talk(patience, tls_stream::server(server, std::move(far->server)), seen.server),
        pass(near->server, far->client, near->server, what),
        pass(far->client, near->server, far->client, what));
    const bool all_well =
        std::get<0>(all) && std::get<1>(all) && std::get<2>(all) && std::get<3>(all);
    REQUIRE(all_well);
    co_return seen;
}

/// With client certificates, so that every message there is goes by.
struct both_contexts {
    tls_context server = server_of(made().server, {.authorities = made().authority});
    tls_context client = client_of(
        made().authority, {.certificate = made().client.certificate, .key = made().client.key});
};

void expect_all_well(const outcome& seen) {
    for (const view& each : {seen.server, seen.client}) {
        CHECK(each.end == errc::ok);
        CHECK(each.got == size_each_way);
    }
}

/// ClientHello to Finished, with a ticket and a client's certificate, data and close_notify.
constexpr int fewest_records = 16;

task<> interrupted(world& w, deed how, errc told) {
    const both_contexts ends;
    for (int passed = 0;; ++passed) {
        INFO("after records: ", passed);
        plan then{how, passed, 0};
        auto seen = co_await through(w, ends.server, ends.client, then);
        REQUIRE(seen.has_value());
        if (!then.done) { // there were no more
            expect_all_well(*seen);
            CHECK(passed >= fewest_records);
            break;
        }
        CHECK((seen->server.end == told || seen->client.end == told));
        for (const view& each : {seen->server, seen->client}) {
            // whoever was told that all is well has everything
            CHECK((each.end == told || (each.end == errc::ok && each.got == size_each_way)));
            CHECK((each.got == 0 || each.got == size_each_way));
        }
    }
}
TEST_CASE("cut at every record: truncated, for the ends that had not been told of the end") {
    run([](world& w) { return interrupted(w, deed::cut, errc::tls_truncated); });
}
TEST_CASE("stalled at every record: a deadline ends it, in the handshake and behind") {
    if (here().known().virtual_time && !here().known().lossy) {
        run([](world& w) { return interrupted(w, deed::stall, errc::timed_out); });
    }
}

task<> changed(world& w) {
    const both_contexts ends;
    for (int passed = 0;; ++passed) {
        plan then{deed::change, passed, w.random(10'000)};
        INFO("after records: ", passed, ", at byte: ", then.where);
        auto seen = co_await through(w, ends.server, ends.client, then);
        REQUIRE(seen.has_value());
        if (!then.done) {
            expect_all_well(*seen);
            CHECK(passed >= fewest_records);
            break;
        }
        CHECK_FALSE((seen->server.end == errc::ok && seen->client.end == errc::ok));
        for (const view& each : {seen->server, seen->client}) {
            CHECK(each.end != errc::timed_out); // it is noticed, not waited for
            CHECK((each.end != errc::ok || each.got == size_each_way));
        }
    }
}
TEST_CASE("a byte changed in any record: an error, and never a byte that was not sent") {
    run(changed);
}

} // namespace
} // namespace tls_test
