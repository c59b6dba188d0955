// Cancelling, timing out and destroying TCP operations: the wait ends, and no byte is lost.
#include "sequence.hpp"

#include <weft/scope.hpp>
#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <algorithm>
#include <tuple>
#include <vector>

namespace parity {
namespace {

constexpr std::size_t odd = 20'011;

// --- a table of operations, none of which can complete --------------------------------------

/// A connection whose client is full of unsent data and gets none, and a listener with a full
/// backlog.
struct stuck {
    connection pair;
    tcp_listener listener; // nobody comes
    tcp_listener full;     // nobody is let in any more
    std::vector<tcp_stream> queued;
    std::uint64_t sent = 0;
};

task<> fill_backlog(world& w, stuck& s) {
    s.full = listen(w, family::ipv4, 1);
    int refused = 0; // in a row: one alone may be a handshake whose packets were lost
    for (int tries = 0; tries < 16; ++tries) {
        auto next =
            co_await weft::timeout(w.client_net().connect(endpoint_of(s.full)), w.settling() * 4);
        if (next) {
            refused = 0;
            s.queued.push_back(std::move(*next));
            continue;
        }
        CHECK(error_of(next) == errc::timed_out);
        if (++refused == 3) {
            co_return;
        }
    }
    FAIL("a backlog of 1 took 16 connections");
}

task<> get_stuck(world& w, stuck& s) {
    auto pair = co_await connect_pair(w);
    REQUIRE(error_of(pair) == errc::ok);
    s.pair = std::move(*pair);
    s.listener = listen(w);
    auto filled = co_await fill_backlog(w, s);
    REQUIRE(error_of(filled) == errc::ok);
    auto reached = co_await send_until_blocked(w, s.pair.client, 0);
    REQUIRE(error_of(reached) == errc::ok);
    s.sent = *reached;
}

/// After all that was done to them, the operations still do what they are for.
task<> get_unstuck(world& w, stuck& s) {
    auto drained = co_await expect_sequence(w, s.pair.server, 0, s.sent, odd);
    CHECK(error_of(drained) == errc::ok);
    auto sent = co_await send_sequence(w, s.pair.client, s.sent, s.sent + 1000, 100);
    auto got = co_await expect_sequence(w, s.pair.server, s.sent, s.sent + 1000, 100);
    auto back = co_await send_sequence(w, s.pair.server, 0, 1000, 100);
    auto there = co_await expect_sequence(w, s.pair.client, 0, 1000, 100);
    CHECK((sent && got && back && there));
    auto second = co_await connect_pair(w, s.listener);
    CHECK(error_of(second) == errc::ok);
}

using attempt_at = task<> (*)(world&, stuck&, errc& told);

task<> try_connect(world& w, stuck& s, errc& told) {
    auto r = co_await w.client_net().connect(endpoint_of(s.full));
    told = error_of(r);
}
task<> try_accept(world&, stuck& s, errc& told) {
    auto r = co_await s.listener.accept();
    told = error_of(r);
}
task<> try_recv(world&, stuck& s, errc& told) {
    std::byte room[16];
    auto r = co_await s.pair.client.recv(room);
    told = error_of(r);
}
task<> try_read_exactly(world&, stuck& s, errc& told) {
    std::byte room[16];
    auto r = co_await s.pair.client.read_exactly(room);
    told = error_of(r);
    CHECK(r.count == 0);
}
task<> try_readable(world&, stuck& s, errc& told) {
    auto r = co_await s.pair.client.readable();
    told = error_of(r);
}
task<> try_send(world&, stuck& s, errc& told) {
    auto r = co_await s.pair.client.send("never");
    told = error_of(r);
}
task<> try_send_all(world&, stuck& s, errc& told) {
    auto r = co_await s.pair.client.send_all("never");
    told = error_of(r);
    CHECK(r.count == 0);
}
task<> try_writable(world&, stuck& s, errc& told) {
    auto r = co_await s.pair.client.writable();
    told = error_of(r);
}

struct operation {
    const char* name;
    attempt_at go;
};
constexpr operation operations[] = {
    {"connect", try_connect},           {"accept", try_accept},     {"recv", try_recv},
    {"read_exactly", try_read_exactly}, {"readable", try_readable}, {"send", try_send},
    {"send_all", try_send_all},         {"writable", try_writable},
};

task<> times_out(world& w) {
    stuck s;
    auto ready = co_await get_stuck(w, s);
    REQUIRE(error_of(ready) == errc::ok);
    for (const operation& each : operations) {
        errc told = errc::ok;
        auto ended = co_await weft::timeout(each.go(w, s, told), w.settling());
        INFO(std::string(each.name));
        CHECK(error_of(ended) == errc::timed_out);
        CHECK(told == errc::canceled);
    }
    auto fine = co_await get_unstuck(w, s);
    CHECK(error_of(fine) == errc::ok);
}
TEST_CASE("every operation ends at its timeout, and nothing was lost or sent") {
    run(times_out);
}

task<> canceled_before(world& w) {
    stuck s;
    auto ready = co_await get_stuck(w, s);
    REQUIRE(error_of(ready) == errc::ok);
    for (const operation& each : operations) {
        errc told = errc::ok;
        weft::scope chain(w.home());
        chain.cancel();
        auto ended = co_await weft::within(chain, each.go(w, s, told));
        INFO(std::string(each.name));
        CHECK(error_of(ended) == errc::ok);
        CHECK(told == errc::canceled);
    }
    auto fine = co_await get_unstuck(w, s);
    CHECK(error_of(fine) == errc::ok);
}
TEST_CASE("every operation in a scope that is cancelled already: canceled, and not tried") {
    run(canceled_before);
}

task<> cancel_after_yields(weft::scope& chain, std::uint64_t turns) {
    for (; turns != 0; --turns) {
        auto turned = co_await weft::yield();
        (void)turned;
    }
    chain.cancel();
}

task<> canceled_during(world& w) {
    stuck s;
    auto ready = co_await get_stuck(w, s);
    REQUIRE(error_of(ready) == errc::ok);
    for (const operation& each : operations) {
        for (std::uint64_t turns = 0; turns < 4; ++turns) {
            errc told = errc::ok;
            weft::scope chain(w.home());
            auto both = co_await weft::when_all(
                weft::within(chain, each.go(w, s, told)), cancel_after_yields(chain, turns));
            INFO(std::string(each.name));
            CHECK(error_of(std::get<0>(both)) == errc::ok);
            CHECK(told == errc::canceled);
        }
    }
    auto fine = co_await get_unstuck(w, s);
    CHECK(error_of(fine) == errc::ok);
}
TEST_CASE("every operation is cancelled in its wait: canceled, and nothing was lost or sent") {
    run(canceled_during);
}

void finished(void*) {
    FAIL("a destroyed task went on");
}

task<> destroyed_while_suspended(world& w) {
    stuck s;
    auto ready = co_await get_stuck(w, s);
    REQUIRE(error_of(ready) == errc::ok);
    errc told = errc::ok;
    for (const operation& each : operations) {
        for (std::uint64_t turns = 0; turns < 3; ++turns) {
            weft::scope chain(w.home());
            task<> doomed = each.go(w, s, told);
            const bool ended = doomed.start(chain, &finished, nullptr);
            for (std::uint64_t turn = 0; turn < turns; ++turn) {
                auto turned = co_await weft::yield();
                CHECK(error_of(turned) == errc::ok);
            }
            INFO(std::string(each.name));
            CHECK(!ended);
            doomed = task<>();
        }
    }
    {
        weft::task_group doomed(w.home());
        for (const operation& each : operations) {
            CHECK(error_of(doomed.spawn(each.go(w, s, told))) == errc::ok);
        }
    }
    auto fine = co_await get_unstuck(w, s);
    CHECK(error_of(fine) == errc::ok);
}
TEST_CASE("every operation can be destroyed in its wait: nothing leaks, the next one works") {
    run(destroyed_while_suspended);
}

} // namespace
} // namespace parity
