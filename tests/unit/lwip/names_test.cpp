// Names through lwIP's DNS client, in virtual time: what the server does is up to the name
// (tests/names/name_server.hpp).
#include "hosts.hpp"

#include "name_server.hpp"
#include "stack/lwip/api.hpp"

#include <weft/task_group.hpp>
#include <weft/when_all.hpp>

#include <optional>

using namespace hosts;
using weft::address_list;
using weft::families;

namespace {

const std::array<address, 1> ask_alice{alice_ip};
const std::array<address, 1> ask_bob{bob_ip};
constexpr const char* usual = "192.0.2.7 2001:db8::7";

std::string text(const result<address_list>& found) {
    if (!found) {
        return weft::name(found.error());
    }
    std::string all;
    for (const address& each : *found) {
        std::array<char, weft::endpoint_text_size> room{};
        all += (all.empty() ? "" : " ") + std::string(weft::to_text(each, room));
    }
    return all;
}

/// Alice asks Bob, and Bob asks Alice.
struct named_hosts : world {
    explicit named_hosts(std::span<const address> alice_asks = ask_bob) {
        auto left = cable.attach(alice);
        auto right = cable.attach(bob);
        REQUIRE(left);
        REQUIRE(right);
        alice_end = std::move(*left);
        bob_end = std::move(*right);
        a = make_host(home, *alice_end, 1, default_seed, alice_asks);
        b = make_host(home, *bob_end, 2, default_seed, ask_alice);
        at_alice.emplace(bind(*a, alice_ip));
        at_bob.emplace(bind(*b, bob_ip));
        tasks.emplace(home);
        REQUIRE(tasks->spawn(at_alice->run()));
        REQUIRE(tasks->spawn(at_bob->run()));
        idle = weft::count_lwip_usage().udp;
    }
    static udp_socket bind(weft::stack& on, const address& at) {
        auto made = on.bind_udp({at, 53});
        REQUIRE(made);
        return std::move(*made);
    }
    [[nodiscard]] double seconds() {
        return std::chrono::duration<double>(home.now().time_since_epoch()).count();
    }
    /// lwIP's own pcbs, one for each question that it is asking.
    [[nodiscard]] std::size_t questions() const { return weft::count_lwip_usage().udp - idle; }

    weft::wire cable{weft::wire_options{.seed = default_seed}};
    std::unique_ptr<weft::link> alice_end;
    std::unique_ptr<weft::link> bob_end;
    std::unique_ptr<weft::stack> a;
    std::unique_ptr<weft::stack> b;
    std::optional<name_server::server> at_alice;
    std::optional<name_server::server> at_bob;
    std::optional<weft::task_group> tasks;
    std::size_t idle = 0;
};

task<> ask(weft::stack& net, const char* name, std::string& told, families wanted = families::any) {
    auto found = co_await net.resolve(name, wanted);
    outside_lwip();
    told = text(found);
}

task<> check(weft::stack& net, const char* name, const char* answer) {
    auto found = co_await net.resolve(name);
    outside_lwip();
    CAPTURE(std::string(name));
    CHECK(text(found) == answer);
}

task<> all_kinds(weft::stack& net) {
    struct row {
        const char* name;
        const char* answer;
    };
    const std::array<row, 14> table{
        row{"plain.example", usual},
        {"onlyv4.example", "192.0.2.7"},
        {"nxdomain.example", "EAI_NONAME"},
        {"nodata.example", "EAI_NODATA"},
        {"servfail.example", "EAI_AGAIN"},
        {"refused.example", "EAI_AGAIN"},
        {"formerr.example", "EAI_FAIL"},
        {"tcempty.example", "EAI_FAIL"}, // truncated to nothing, and lwIP has no TCP to ask by
        {"tcheld.example", usual},       // truncated, with addresses in it
        {"garbage.example", usual},      // after noise and an answer cut short
        {"wrongid.example", usual},      // after somebody's who guessed
        {"plain.example.", usual},
        {"PLAIN.example", usual},
        {"silent.example", "EAI_AGAIN"}};
    for (const row& each : table) {
        auto checked = co_await check(net, each.name, each.answer);
        CHECK(checked.has_value());
    }
}

} // namespace

TEST_CASE("names: what a server may answer, and what comes of it") {
    const no_leak leak;
    {
        named_hosts w;
        w.run(all_kinds(*w.a));
        CHECK(w.questions() == 0);
        CHECK(w.at_alice->asked == 0);
        for (const endpoint& each : w.at_bob->askers) {
            CHECK(each.address == alice_ip);
        }
    }
    leak.check();
}

TEST_CASE("names: a server with an IPv6 address") {
    const std::array<address, 1> servers{v6(2)};
    named_hosts w(servers);
    auto six = w.b->bind_udp({v6(2), 53});
    REQUIRE(six);
    name_server::server server(std::move(*six));
    weft::task_group group(w.home);
    REQUIRE(group.spawn(server.run()));
    w.run(check(*w.a, "six.example", usual));
    CHECK(server.asked == 2);
    CHECK(server.askers.at(0).address == v6(1));
    CHECK(w.at_bob->asked == 0);
}

TEST_CASE("names: the second server is asked when the first is silent, or fails") {
    {
        const std::array<address, 2> servers{nobody_ip, bob_ip};
        named_hosts w(servers);
        w.run(check(*w.a, "second.example", usual));
        CHECK(w.at_bob->asked == 2);
    }
    const std::array<address, 2> failing{bob_ip, alice_ip};
    named_hosts w(failing);
    std::string told;
    w.run(ask(*w.a, "servfail.example", told, families::ipv4));
    CHECK(told == "EAI_AGAIN");
    CHECK(w.at_bob->asked == 1);
    CHECK(w.at_alice->asked == 1); // itself
}

TEST_CASE("names: over the loopback, with a server on it") {
    world w;
    const std::array<address, 1> itself{address::loopback()};
    weft::lwip_options options;
    options.seed = default_seed;
    options.name_servers = itself;
    auto net = weft::make_lwip_stack(w.home, options);
    REQUIRE(net);
    name_server::server server(named_hosts::bind(**net, address::loopback()));
    weft::task_group group(w.home);
    REQUIRE(group.spawn(server.run()));
    w.run(check(**net, "loopback.example", usual));
    CHECK(server.asked == 2);
}

TEST_CASE(
    "names: without a server nobody is asked; too many, and addresses that are none, refused") {
    named_hosts w(std::span<const address>{});
    w.run(check(*w.a, "noserver.example", "EAI_AGAIN"));
    w.run(check(*w.a, "10.9.8.7", "10.9.8.7"));
    w.run(check(*w.a, "localhost", "127.0.0.1 ::1"));
    CHECK(w.questions() == 0);
    const std::array<address, 5> too_many{bob_ip, bob_ip, bob_ip, bob_ip, bob_ip};
    const std::array<address, 1> nobody{address::any()};
    weft::lwip_options options;
    options.name_servers = too_many;
    CHECK(weft::make_lwip_stack(w.home, options).error() == errc::invalid_argument);
    options.name_servers = nobody;
    CHECK(weft::make_lwip_stack(w.home, options).error() == errc::invalid_argument);
}

namespace {

/// As lwIP's DHCP client and its router discovery do it.
void announce(const address& server) {
    ip_addr_t at = {};
    const auto b = server.bytes();
    IP_ADDR4(&at, b[0], b[1], b[2], b[3]);
    dns_setserver(0, &at);
}

} // namespace

TEST_CASE("names: a stack without servers of its own asks those that the network announced") {
    named_hosts w(std::span<const address>{});
    announce(bob_ip);
    w.run(check(*w.a, "announced.example", usual));
    CHECK(w.at_bob->asked == 2);
    w.run(check(*w.b, "own.example", usual)); // Bob has one of his own
    CHECK(w.at_alice->asked == 2);
    w.run(check(*w.a, "still.example", usual));
    CHECK(w.at_bob->asked == 4);
    announce(address::any()); // no more
    w.run(check(*w.a, "nomore.example", "EAI_AGAIN"));
    CHECK(w.at_bob->asked == 4);
}

namespace {

task<> cached_by_ttl(named_hosts& w) {
    std::string told;
    co_await ask(*w.a, "cached.example", told, families::ipv4);
    CHECK(told == "192.0.2.7");
    CHECK(w.at_bob->asked == 1);
    co_await ask(*w.a, "CACHED.example.", told, families::ipv4);
    CHECK(told == "192.0.2.7");
    CHECK(w.at_bob->asked == 1);
    co_await sleep(61s); // its time is up
    co_await ask(*w.a, "cached.example", told, families::ipv4);
    CHECK(told == "192.0.2.7");
    CHECK(w.at_bob->asked == 2);
}

task<> silent_then_slow(named_hosts& w) {
    const double begun = w.seconds();
    std::string told;
    co_await ask(*w.a, "silent.example", told);
    CHECK(told == "EAI_AGAIN");
    CHECK(w.seconds() - begun <= 7.0); // four questions, 1, 1, 2 and 3 s after each other
    CHECK(w.seconds() - begun > 6.0);
    CHECK(w.at_bob->asked == 2 * 4);
    CHECK(w.questions() == 0);
    co_await ask(*w.a, "slow.example", told);
    CHECK(told == usual);
}

} // namespace

TEST_CASE("names: an answer is kept for as long as it says") {
    named_hosts w;
    w.run(cached_by_ttl(w));
}

TEST_CASE("names: silence is EAI_AGAIN within seven seconds, and a slow server is waited for") {
    named_hosts w;
    w.run(silent_then_slow(w));
}

// --- pitfall 13 -----------------------------------------------------------------------------

namespace {

task<> cancelled_halfway(named_hosts& w) {
    auto given_up = co_await weft::timeout(w.a->resolve("slow.example"), 100ms);
    outside_lwip();
    CHECK(text(given_up) == "ETIMEDOUT");
    CHECK(w.questions() == 2); // lwIP goes on
    {
        std::string told = "nothing";
        weft::task_group group(w.home);
        REQUIRE(group.spawn(ask(*w.a, "slow2.example", told)));
        co_await sleep(10ms);
        CHECK(w.questions() == 4);
        CHECK(told == "nothing");
    } // the coroutine, its frame and what it waits with are gone
    // as soon as the requests are free they are used again, before and after the late answers
    std::string told;
    co_await ask(*w.a, "plain.example", told);
    CHECK(told == usual);
    co_await sleep(1s);
    CHECK(w.at_bob->late == 4);
    CHECK(w.questions() == 0);
    co_await ask(*w.a, "plain2.example", told);
    CHECK(told == usual);
}

task<> waits_and_goes_on(named_hosts& w, std::string& first, std::string& second) {
    auto given_up = co_await weft::timeout(w.a->resolve("slow3.example"), 1ms);
    first = text(given_up);
    auto again = co_await w.a->resolve("slow3.example"); // joins lwIP's query of the first
    second = text(again);
}

} // namespace

TEST_CASE(
    "pitfall 13: a DNS query cannot be cancelled; its answer finds a request, never a frame") {
    const no_leak leak;
    {
        named_hosts w;
        w.run(cancelled_halfway(w));
    }
    leak.check();
}

TEST_CASE("names: given up and asked for again, the answer to the first question will do") {
    named_hosts w;
    std::string first;
    std::string second;
    w.run(waits_and_goes_on(w, first, second));
    CHECK(first == "ETIMEDOUT");
    CHECK(second == usual);
    CHECK(w.at_bob->asked == 2);
}

TEST_CASE("names: a stack goes with questions under way: its pcbs go too, and who waits is told") {
    const no_leak leak;
    {
        named_hosts w;
        std::array<std::string, 3> told;
        weft::task_group group(w.home);
        REQUIRE(group.spawn(ask(*w.a, "silent1.example", told[0])));
        REQUIRE(group.spawn(ask(*w.a, "silent2.example", told[1], families::ipv6)));
        REQUIRE(group.spawn(ask(*w.b, "plain.example", told[2]))); // Bob's turn comes
        w.pass(2s);
        CHECK(w.questions() == 3);
        CHECK(told[2].empty());
        w.tasks.reset();
        w.at_alice.reset();
        w.pass(10ms);
        w.a.reset();
        CHECK(weft::count_lwip_usage().udp == 1); // Bob's server, and no question yet
        w.pass(10ms);
        CHECK(told[0] == "ENETDOWN");
        CHECK(told[1] == "ENETDOWN");
        w.pass(10s);
        CHECK(told[2] == "EAI_AGAIN"); // Alice does not answer any more
        CHECK(weft::count_lwip_usage().udp == 1);
    }
    leak.check();
}

// --- several hosts in one lwIP --------------------------------------------------------------

namespace {

task<> both_ask(named_hosts& w) {
    std::array<std::string, 4> told;
    weft::task_group group(w.home);
    REQUIRE(group.spawn(ask(*w.a, "one.example", told[0])));
    REQUIRE(group.spawn(ask(*w.b, "two.example", told[1])));
    REQUIRE(group.spawn(ask(*w.b, "three.example", told[2])));
    REQUIRE(group.spawn(ask(*w.a, "four.example", told[3])));
    CHECK(w.questions() == 2); // Alice's first
    auto joined = co_await group.join();
    CHECK(joined.has_value());
    for (const std::string& each : told) {
        CHECK(each == usual);
    }
    REQUIRE(w.at_bob->askers.size() == 4);
    REQUIRE(w.at_alice->askers.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(w.at_bob->askers[i].address == alice_ip);
        CHECK(w.at_alice->askers[i].address == bob_ip);
    }
}

task<> takes_turns(named_hosts& w) {
    std::string silent;
    std::string told;
    weft::task_group group(w.home);
    REQUIRE(group.spawn(ask(*w.a, "silent.example", silent)));
    co_await ask(*w.b, "after.example", told);
    CHECK(silent == "EAI_AGAIN"); // Alice had given up before
    CHECK(told == usual);

    REQUIRE(group.spawn(ask(*w.a, "silent2.example", silent)));
    auto no_turn = co_await weft::timeout(w.b->resolve("never.example"), 1s);
    CHECK(text(no_turn) == "ETIMEDOUT");
    CHECK(w.at_alice->asked == 2); // for "after" alone
    auto joined = co_await group.join();
    CHECK(joined.has_value());

    // what nobody waits for any more holds nobody up
    auto given_up = co_await weft::timeout(w.a->resolve("silent3.example"), 10ms);
    CHECK(text(given_up) == "ETIMEDOUT");
    CHECK(w.questions() == 2);
    const double begun = w.seconds();
    co_await ask(*w.b, "soon.example", told);
    CHECK(told == usual);
    CHECK(w.seconds() - begun < 1.0);
    CHECK(w.questions() == 0);

    weft::scope first(w.home);
    REQUIRE(group.spawn(weft::as_task(weft::within(first, ask(*w.a, "silent4.example", silent)))));
    REQUIRE(group.spawn(ask(*w.b, "sooner.example", told)));
    co_await sleep(10ms);
    first.cancel();
    const double since = w.seconds();
    auto last = co_await group.join();
    CHECK(last.has_value());
    CHECK(silent == "ECANCELED");
    CHECK(told == usual);
    CHECK(w.seconds() - since < 1.0);
}

} // namespace

TEST_CASE("names: each host's question leaves by its own interface, to its own server") {
    named_hosts w;
    recording seen(w.cable);
    w.run(both_ask(w));
    for (const recording::frame& each : seen.frames) {
        if (each.is_ipv4() && each.protocol() == 17) {
            CHECK(each.from == (each.bytes[29] == 1 ? alice : bob)); // the source's last byte
        }
    }
}

TEST_CASE("names: hosts take turns, and do not wait for what nobody waits for") {
    named_hosts w;
    w.run(takes_turns(w));
}

// --- limits ---------------------------------------------------------------------------------

namespace {

task<> count_outcomes(weft::stack& net, std::string name, std::size_t& ended, std::size_t& again) {
    auto found = co_await net.resolve(name);
    ++ended;
    again += text(found) == "EAI_AGAIN" ? 1 : 0;
}

task<> more_than_fit(named_hosts& w) {
    weft::task_group group(w.home);
    std::size_t ended = 0;
    std::size_t again = 0;
    for (int i = 0; i < 200; ++i) {
        REQUIRE(group.spawn(
            count_outcomes(*w.a, "silent" + std::to_string(i) + ".example", ended, again)));
    }
    co_await sleep(10ms);
    CHECK(w.questions() == 255); // of 128 names, one with one of its two
    CHECK(ended == 200 - 128);
    CHECK(again == ended);
    auto joined = co_await group.join();
    CHECK(joined.has_value());
    CHECK(again == 200);
    CHECK(w.questions() == 0);
    std::string told;
    co_await ask(*w.a, "room.example", told);
    CHECK(told == usual);
}

task<> without_memory(named_hosts& w) {
    std::string told;
    memory::fail_after(memory::of_pcbs, 0);
    co_await ask(*w.a, "poor1.example", told);
    CHECK(told == "EAI_AGAIN");
    memory::fail_after(memory::of_pcbs, 1); // A has a pcb, and AAAA shares it
    co_await ask(*w.a, "poor2.example", told);
    CHECK(told == usual);
    memory::recover();
    memory::fail_after(memory::of_heap, 0); // neither question leaves
    weft::task_group group(w.home);
    REQUIRE(group.spawn(ask(*w.a, "poor3.example", told)));
    memory::recover();
    auto joined = co_await group.join(); // they do when they are tried again
    CHECK(joined.has_value());
    CHECK(told == usual);
    CHECK(w.questions() == 0);
}

} // namespace

TEST_CASE("names: a table that is full is EAI_AGAIN at once, and is empty again afterwards") {
    named_hosts w;
    w.run(more_than_fit(w));
}

TEST_CASE("names: without memory it is EAI_AGAIN, or tried again; nothing leaks") {
    const no_leak leak;
    {
        named_hosts w;
        w.run(without_memory(w));
    }
    leak.check();
}
