// What resolve() answers, on any stack.
#include "world.hpp"

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/when_all.hpp>

#include <string>
#include <vector>

namespace names_test {
namespace {

/// A name_server that runs as long as this is there, and a stack that asks it.
struct stage {
    explicit stage(world& w) : tasks(w.home()), net(w.asking(w.server_at())) {
        auto at = w.kernel().bind_udp(w.server_at());
        REQUIRE(error_of(at) == errc::ok);
        server.emplace(std::move(*at));
        REQUIRE(error_of(tasks.spawn(server->run())) == errc::ok);
    }
    std::optional<name_server::server> server;
    weft::task_group tasks; // ends before the server
    std::unique_ptr<weft::stack> net;
};

struct expectation {
    const char* name;
    families wanted;
    const char* answer;
};

task<> check(weft::stack& net, const std::vector<expectation>& table) {
    for (const expectation& each : table) {
        auto found = co_await net.resolve(each.name, each.wanted);
        CAPTURE(std::string(each.name));
        CHECK(text(found) == each.answer);
    }
}

// --- a real server --------------------------------------------------------------------------

task<> answers(world& w) {
    const auto net = w.asking(w.dnsmasq_at());
    const std::vector<expectation> table{
        {"v4.test", families::ipv4, "192.0.2.1"},
        {"v6.test", families::ipv6, "2001:db8::1"},
        {"both.test", families::any, "192.0.2.2 2001:db8::2"},
        {"both.test", families::ipv4, "192.0.2.2"},
        {"both.test", families::ipv6, "2001:db8::2"},
        {"both.test.", families::any, "192.0.2.2 2001:db8::2"},
        {"BoTh.TeSt", families::any, "192.0.2.2 2001:db8::2"},
        {"v4.test", families::any, "192.0.2.1"},
        {"v6.test", families::any, "2001:db8::1"},
        {"v4.test", families::ipv6, "EAI_NODATA"},
        {"v6.test", families::ipv4, "EAI_NODATA"},
        {"nobody.test", families::any, "EAI_NONAME"},
        {"nobody.test", families::ipv4, "EAI_NONAME"},
        {"nobody.test", families::ipv6, "EAI_NONAME"},
        {"elsewhere.example", families::any, "EAI_AGAIN"}, // refused
    };
    auto checked = co_await check(*net, table);
    CHECK(error_of(checked) == errc::ok);
}
TEST_CASE("dnsmasq: A, AAAA, both, of no such family, no such name, refused") {
    run(answers);
}

task<> one_of_many(weft::stack& net, int i, std::size_t& right) {
    const std::string n = std::to_string(i);
    const std::string name = "n" + n + ".test";
    auto found = co_await net.resolve(name);
    CHECK(text(found) == "203.0.113." + n + " 2001:db8::1:" + n);
    ++right;
}
task<> hundred(world& w) {
    const auto net = w.asking(w.dnsmasq_at());
    weft::task_group group(w.home());
    std::size_t done = 0;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(error_of(group.spawn(one_of_many(*net, i, done))) == errc::ok);
    }
    CHECK(done == 0); // all are under way
    auto joined = co_await group.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(done == 100);
}
TEST_CASE("dnsmasq: a hundred names at once, each with its own addresses") {
    run(hundred);
}

task<> too_large(world& w) {
    const auto net = w.asking(w.dnsmasq_at());
    auto found = co_await net->resolve("many.test", families::ipv4);
    if (w.on_lwip()) { // what the datagram held, which is up to the server, or an error
        MESSAGE("of an answer that is too large: ", text(found));
        CHECK((text(found) == "EAI_FAIL" || (found && found->size() == 1)));
        co_return;
    }
    REQUIRE(error_of(found) == errc::ok); // over TCP
    CHECK(found->size() == address_list::capacity);
    for (const address& each : *found) {
        CHECK(each.is_v4());
        CHECK(each.bytes()[0] == 198);
    }
}
TEST_CASE("dnsmasq: an answer too large for a datagram") {
    run(too_large);
}

// --- servers that misbehave -----------------------------------------------------------------

task<> misbehaviour(world& w) {
    const stage s(w);
    const std::vector<expectation> table{
        {"plain.test", families::any, "192.0.2.7 2001:db8::7"},
        {"nxdomain.test", families::any, "EAI_NONAME"},
        {"nodata.test", families::any, "EAI_NODATA"},
        {"servfail.test", families::any, "EAI_AGAIN"},
        {"refused.test", families::any, "EAI_AGAIN"},
        {"formerr.test", families::any, "EAI_FAIL"},
        {"wrongid.test", families::any, "192.0.2.7 2001:db8::7"},
        {"onlyv4.test", families::any, "192.0.2.7"},
    };
    auto checked = co_await check(*s.net, table);
    CHECK(error_of(checked) == errc::ok);
}
TEST_CASE("a server's failures, and answers that somebody else made up") {
    run(misbehaviour);
}

task<> numbers(world& w) {
    const stage s(w);
    const std::vector<expectation> table{
        {"192.0.2.1", families::any, "192.0.2.1"},
        {"192.0.2.1", families::ipv6, "EAI_NODATA"},
        {"fe80::1%2", families::any, "fe80::1%2"},
        {"localhost", families::any, "127.0.0.1 ::1"},
        {"printer.localhost", families::any, "127.0.0.1 ::1"},
        {"", families::any, "EAI_NONAME"},
        {"127.1", families::any, "EAI_NONAME"},
        {"a..b", families::any, "EAI_NONAME"},
    };
    auto checked = co_await check(*s.net, table);
    CHECK(error_of(checked) == errc::ok);
    CHECK(s.server->asked == 0);
}
TEST_CASE("numbers, localhost, and what is no name: no server is asked") {
    run(numbers);
}

task<> garbage(world& w) {
    const stage s(w);
    auto found = co_await s.net->resolve("garbage.test");
    // c-ares takes the answer that is cut short for one, lwIP waits for a better one
    CHECK(text(found) == (w.on_lwip() ? "192.0.2.7 2001:db8::7" : "EAI_FAIL"));
}
TEST_CASE("noise, and an answer cut short") {
    run(garbage);
}

task<> silence(world& w) {
    const stage s(w);
    auto all = co_await weft::when_all(
        s.net->resolve("silent.test"), s.net->resolve("silent.test", families::ipv6),
        s.net->resolve("otherquestion.test"), s.net->resolve("alwayswrong.test"),
        s.net->resolve("halfdead.test"), s.net->resolve("halfdead.test", families::ipv6));
    CHECK(text(std::get<0>(all)) == "EAI_AGAIN");
    CHECK(text(std::get<1>(all)) == "EAI_AGAIN");
    CHECK(text(std::get<2>(all)) == "EAI_AGAIN");
    CHECK(text(std::get<3>(all)) == "EAI_AGAIN");
    CHECK(text(std::get<4>(all)) == "192.0.2.7"); // what came, when the rest has given up
    CHECK(text(std::get<5>(all)) == "EAI_AGAIN");
}
TEST_CASE("no answer, or none that is one: it gives up by itself") {
    run(silence);
}

task<> late_answers(const name_server::server& server, std::size_t count) {
    while (server.late < count) {
        auto slept = co_await weft::sleep_for(10ms);
        REQUIRE(error_of(slept) == errc::ok);
    }
}

task<> slow(world& w) {
    stage s(w);
    auto found = co_await s.net->resolve("slow.test", families::ipv4);
    CHECK(text(found) == "192.0.2.7");
    CHECK(s.server->late >= 1);

    const std::size_t before = s.server->late;
    auto given_up = co_await weft::timeout(s.net->resolve("slow2.test"), 50ms);
    CHECK(text(given_up) == "ETIMEDOUT");
    auto later = co_await late_answers(*s.server, before + 2); // they come, for nobody
    CHECK(error_of(later) == errc::ok);
    auto again = co_await s.net->resolve("plain.test");
    CHECK(text(again) == "192.0.2.7 2001:db8::7");
}
TEST_CASE("slow: the answer counts if somebody still waits; cancelled halfway it reaches nobody") {
    run(slow);
}

task<> ask(weft::stack& net, const char* name, std::string& told) {
    auto found = co_await net.resolve(name);
    told = text(found);
}

task<> stack_goes(world& w) {
    stage s(w);
    std::string first;
    std::string second;
    weft::task_group group(w.home());
    REQUIRE(error_of(group.spawn(ask(*s.net, "silent.test", first))) == errc::ok);
    REQUIRE(error_of(group.spawn(ask(*s.net, "slow.test", second))) == errc::ok);
    auto gone = co_await weft::timeout(s.net->resolve("silent2.test"), 5ms);
    CHECK(text(gone) == "ETIMEDOUT");
    s.net.reset();
    auto joined = co_await group.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(first == "ENETDOWN");
    CHECK(second == "ENETDOWN");
}
TEST_CASE("the stack goes with queries under way: who waits is told ENETDOWN") {
    run(stack_goes);
}

task<> waiter_goes(world& w) {
    stage s(w);
    std::string told = "nothing";
    {
        weft::task_group group(w.home());
        REQUIRE(error_of(group.spawn(ask(*s.net, "slow.test", told))) == errc::ok);
        auto slept = co_await weft::sleep_for(20ms);
        CHECK(error_of(slept) == errc::ok);
    } // destroyed where it waits
    auto later = co_await late_answers(*s.server, 1);
    CHECK(error_of(later) == errc::ok);
    CHECK(told == "nothing");
}
TEST_CASE("a coroutine destroyed while it waits: the answer that comes later harms nobody") {
    run(waiter_goes);
}

} // namespace
} // namespace names_test
