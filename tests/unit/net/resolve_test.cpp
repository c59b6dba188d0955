// resolve() above a stack: what needs no server, what is no name, and how the wait ends.
#include <weft/sleep.hpp>
#include <weft/stack.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using weft::address;
using weft::address_list;
using weft::errc;
using weft::families;
using weft::family;
using weft::result;
using weft::task;

namespace weft {
inline doctest::String toString(errc e) {
    return name(e);
}
} // namespace weft

namespace {

const address one = address::v4(192, 0, 2, 1);
const address two = address::v4(192, 0, 2, 2);
const address six = *address::parse("2001:db8::6");

/// Keeps what it is asked until the test answers it.
class quiet_stack final : public weft::stack {
  public:
    explicit quiet_stack(weft::loop& home) noexcept : stack(home) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "quiet"; }
    result<weft::tcp_socket*> open_tcp(family) noexcept override {
        return weft::fail(errc::not_supported);
    }
    result<weft::datagram_socket*> open_udp(family) noexcept override {
        return weft::fail(errc::not_supported);
    }
    void start_query(weft::name_query& query) noexcept override {
        ++asked;
        if (at_hand) {
            query.add(one);
            query.complete(errc::ok);
        } else {
            under_way.push_back(&query);
        }
    }
    void forget_query(weft::name_query& query) noexcept override {
        ++forgotten;
        std::erase(under_way, &query);
    }
    void answer(const std::vector<address>& found, errc outcome = errc::ok) {
        for (weft::name_query* each : std::exchange(under_way, {})) {
            for (const address& a : found) {
                each->add(a);
            }
            each->complete(outcome);
        }
    }

    int asked = 0;
    int forgotten = 0;
    bool at_hand = false; // answers at once
    std::vector<weft::name_query*> under_way;
};

struct stage {
    weft::virtual_driver clock;
    weft::loop home{clock};
    quiet_stack net{home};

    template <class T>
    result<T> run(task<T> work) {
        return weft::sync_wait(home, std::move(work));
    }
    void turn() {
        const result<> done = home.poll();
        (void)done; // nothing may be left to happen
    }
};

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

task<> ask(weft::stack& net, std::string name, families wanted, std::string& told) {
    auto found = co_await net.resolve(name, wanted);
    told = text(found);
}

/// The answer of one that completes at once.
std::string at_once(stage& s, const std::string& name, families wanted = families::any) {
    std::string told = "waits";
    weft::task_group group(s.home);
    const result<> spawned = group.spawn(ask(s.net, name, wanted, told));
    REQUIRE(spawned);
    return told;
}

} // namespace

// --- the value ------------------------------------------------------------------------------

TEST_CASE("an address_list is in order, without duplicates, and a regular value") {
    address_list list;
    CHECK(list.empty());
    list.add(six);
    list.add(two);
    list.add(one);
    list.add(two);
    list.add(six);
    CHECK(text(list) == "192.0.2.2 192.0.2.1 2001:db8::6");
    CHECK(list.size() == 3);
    CHECK(list.front() == two);
    CHECK(list[2] == six);
    CHECK(list.addresses().size() == 3);
    const std::span<const address> seen = list;
    CHECK(seen.back() == six);

    address_list same;
    CHECK(!(same == list));
    same.add(two);
    same.add(six);
    same.add(one);
    CHECK(same == list);
    const address_list copy = same;
    CHECK(copy == list);
}

TEST_CASE("a full address_list takes IPv4 for its last IPv6, and nothing else") {
    address_list list;
    for (std::uint8_t i = 0; i < 20; ++i) {
        list.add(address::v6({0x20, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, i}));
    }
    CHECK(list.size() == address_list::capacity);
    CHECK(list[15] == *address::parse("2001::f"));
    list.add(one);
    CHECK(list.size() == address_list::capacity);
    CHECK(list[0] == one);
    CHECK(list[15] == *address::parse("2001::e"));
    for (std::uint8_t i = 0; i < 20; ++i) {
        list.add(address::v4(10, 0, 0, i));
    }
    CHECK(list[15] == address::v4(10, 0, 0, 14));

    address_list other; // of the same addresses, one after the other
    other.add(one);
    for (std::uint8_t i = 0; i < 15; ++i) {
        other.add(address::v4(10, 0, 0, i));
    }
    CHECK(other == list);
}

// --- what needs no server -------------------------------------------------------------------

TEST_CASE("numbers are their own answer, at once, and no server is asked") {
    stage s;
    CHECK(at_once(s, "192.0.2.1") == "192.0.2.1");
    CHECK(at_once(s, "192.0.2.1", families::ipv4) == "192.0.2.1");
    CHECK(at_once(s, "192.0.2.1", families::ipv6) == "EAI_NODATA");
    CHECK(at_once(s, "0.0.0.0") == "0.0.0.0");
    CHECK(at_once(s, "::") == "::");
    CHECK(at_once(s, "2001:DB8::0006") == "2001:db8::6");
    CHECK(at_once(s, "fe80::1%2") == "fe80::1%2");
    CHECK(at_once(s, "::ffff:192.0.2.1", families::ipv6) == "::ffff:192.0.2.1");
    CHECK(at_once(s, "::1", families::ipv4) == "EAI_NODATA");
    CHECK(s.net.asked == 0);
}

TEST_CASE("localhost and what is below it are the loopback, whatever a server says (RFC 6761)") {
    stage s;
    for (const char* name :
         {"localhost", "LocalHost", "localhost.", "db.localhost", "a.b.localhost."}) {
        CHECK(at_once(s, name) == "127.0.0.1 ::1");
    }
    CHECK(at_once(s, "localhost", families::ipv4) == "127.0.0.1");
    CHECK(at_once(s, "localhost", families::ipv6) == "::1");
    CHECK(s.net.asked == 0);
    for (const char* name : {"notlocalhost", "localhost.example", "localhos", "t"}) {
        CHECK(at_once(s, name) == "waits");
    }
    CHECK(s.net.asked == 4);
}

TEST_CASE("what cannot be a name is EAI_NONAME, at once") {
    stage s;
    const std::string label(63, 'a');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
    REQUIRE(longest.size() == 253);
    for (const std::string& name :
         {std::string(), std::string("."), std::string(".."), std::string("a..b"),
          std::string(".example"), std::string("example.."), longest + "c",
          std::string(64, 'a') + ".example", std::string(10'000, 'a'), std::string("exa\0mple", 8),
          std::string("example\0", 8), std::string("two words"), std::string("tab\t"),
          std::string("line\n"), std::string("back\\032slash"), std::string("delete\x7f"),
          std::string("a:b"), std::string("::1::"), std::string("1.2.3.4:80"), std::string("[::1]"),
          std::string("fe80::1%eth0"),
          // numbers that are no address
          std::string("256.1.1.1"), std::string("1.2.3"), std::string("127.1"),
          std::string("2130706433"), std::string("1.2.3.4."), std::string("0x7f000001"),
          std::string("0x7f.1"), std::string("host.0x"), std::string("example.123"),
          std::string("01.02.03.04")}) {
        CAPTURE(name);
        CHECK(at_once(s, name) == "EAI_NONAME");
    }
    CHECK(s.net.asked == 0);
    for (const std::string& name :
         {longest, longest + ".", label, std::string("_service._tcp.example"), std::string("1.a"),
          std::string("3com"), std::string("0x"), std::string("xn--bcher-kva.example"),
          std::string("b\xc3\xbc"
                      "cher.example")}) {
        CAPTURE(name);
        CHECK(at_once(s, name) == (name == "0x" ? "EAI_NONAME" : "waits"));
    }
    CHECK(s.net.asked == 8);
}

TEST_CASE("after 32 answers at once the others have their turn") {
    stage s;
    struct runs {
        static task<> numbers(weft::stack& net, int& count) {
            for (int i = 0; i < 100; ++i) {
                auto found = co_await net.resolve("192.0.2.1");
                REQUIRE(text(found) == "192.0.2.1");
                ++count;
            }
        }
    };
    int count = 0;
    weft::task_group group(s.home);
    REQUIRE(group.spawn(runs::numbers(s.net, count)));
    CHECK(count == weft::scope::immediate_completions);
    s.turn();
    CHECK(count == 100);
}

// --- how it ends ----------------------------------------------------------------------------

TEST_CASE("the answer: addresses first, then the reason why there are none") {
    struct row {
        std::vector<address> found;
        errc outcome;
        families wanted;
        const char* told;
    };
    const row table[] = {
        {{six, one, one}, errc::ok, families::any, "192.0.2.1 2001:db8::6"},
        {{six, one}, errc::ok, families::ipv6, "2001:db8::6"},
        {{six, one}, errc::ok, families::ipv4, "192.0.2.1"},
        {{six}, errc::ok, families::ipv4, "EAI_NODATA"},
        {{}, errc::ok, families::any, "EAI_NODATA"},
        {{}, errc::name_not_found, families::any, "EAI_NONAME"},
        {{one}, errc::name_try_again, families::any, "192.0.2.1"},
    };
    for (const row& each : table) {
        CAPTURE(std::string(each.told));
        stage s;
        std::string told = "waits";
        weft::task_group group(s.home);
        REQUIRE(group.spawn(ask(s.net, "example.org", each.wanted, told)));
        REQUIRE(s.net.under_way.size() == 1);
        CHECK(s.net.under_way[0]->name() == "example.org");
        CHECK(s.net.under_way[0]->wanted() == each.wanted);
        CHECK(&s.net.under_way[0]->asked() == &s.net);
        s.net.answer(each.found, each.outcome);
        CHECK(told == "waits"); // nothing runs inside complete()
        s.turn();
        CHECK(told == each.told);
        CHECK(s.net.forgotten == 0);
    }
}

TEST_CASE("an answer that the stack has at hand comes through the ready queue") {
    stage s;
    s.net.at_hand = true;
    std::string told = "waits";
    weft::task_group group(s.home);
    REQUIRE(group.spawn(ask(s.net, "example.org", families::any, told)));
    CHECK(told == "waits");
    s.turn();
    CHECK(told == "192.0.2.1");
}

TEST_CASE("cancelling ends the wait, and the stack forgets the query") {
    stage s;
    std::string told = "waits";
    weft::task_group group(s.home);
    REQUIRE(group.spawn(ask(s.net, "example.org", families::any, told)));
    group.cancel();
    s.turn();
    CHECK(told == "ECANCELED");
    CHECK(s.net.forgotten == 1);
    CHECK(s.net.under_way.empty());
}

TEST_CASE("cancelling does not take an answer away that is there") {
    stage s;
    std::string told = "waits";
    weft::task_group group(s.home);
    REQUIRE(group.spawn(ask(s.net, "example.org", families::any, told)));
    s.net.answer({one});
    group.cancel();
    s.turn();
    CHECK(told == "192.0.2.1");
    CHECK(s.net.forgotten == 0);
}

TEST_CASE("a cancelled scope stays cancelled: nobody is asked, not even for a number") {
    stage s;
    struct runs {
        static task<> both(weft::stack& net, std::string& name, std::string& number) {
            auto slept = co_await weft::sleep_for(1h);
            CHECK(!slept);
            auto first = co_await net.resolve("example.org");
            name = text(first);
            auto second = co_await net.resolve("192.0.2.1");
            number = text(second);
        }
    };
    std::string name;
    std::string number;
    weft::task_group group(s.home);
    REQUIRE(group.spawn(runs::both(s.net, name, number)));
    group.cancel();
    s.turn();
    CHECK(name == "ECANCELED");
    CHECK(number == "ECANCELED");
    CHECK(s.net.asked == 0);
}

TEST_CASE("cancelled while it waits for its turn to ask, it does not ask") {
    stage s;
    struct runs {
        static task<> numbers_then_name(weft::stack& net, std::string& told) {
            for (int i = 0; i < weft::scope::immediate_completions; ++i) {
                auto found = co_await net.resolve("192.0.2.1");
                REQUIRE(found);
            }
            auto found = co_await net.resolve("example.org");
            told = text(found);
        }
    };
    for (const bool cancelled : {false, true}) {
        std::string told = "waits";
        weft::task_group group(s.home);
        REQUIRE(group.spawn(runs::numbers_then_name(s.net, told)));
        CHECK(s.net.asked == (cancelled ? 1 : 0));
        if (cancelled) {
            group.cancel();
        }
        s.turn();
        CHECK(s.net.asked == 1);
        CHECK(told == (cancelled ? "ECANCELED" : "waits"));
    }
}

TEST_CASE(
    "destroyed while it waits it is forgotten; afterwards, and ready, there is nothing to do") {
    stage s;
    std::string told = "waits";
    {
        weft::task_group group(s.home);
        REQUIRE(group.spawn(ask(s.net, "example.org", families::any, told)));
    }
    CHECK(s.net.forgotten == 1);
    {
        weft::task_group group(s.home);
        REQUIRE(group.spawn(ask(s.net, "example.org", families::any, told)));
        s.net.answer({one});
    }
    CHECK(s.net.forgotten == 1);
    s.turn();
    CHECK(told == "waits");
}

TEST_CASE("timeout: the deadline is errc::timed_out, and the query is forgotten") {
    stage s;
    const weft::time_point begun = s.clock.now();
    const auto found = s.run(weft::as_task(weft::timeout(s.net.resolve("example.org"), 5s)));
    CHECK(text(found) == "ETIMEDOUT");
    CHECK(s.net.forgotten == 1);
    CHECK(s.clock.now() - begun == 5s);
}

TEST_CASE("any number of questions run beside each other") {
    stage s;
    std::vector<std::string> told(1000);
    weft::task_group group(s.home);
    for (std::string& each : told) {
        REQUIRE(group.spawn(ask(s.net, "example.org", families::any, each)));
    }
    CHECK(s.net.under_way.size() == 1000);
    s.net.answer({one, six});
    for (int turns = 0; turns < 1000 / weft::loop::ready_per_turn + 1; ++turns) {
        s.turn();
    }
    for (const std::string& each : told) {
        REQUIRE(each == "192.0.2.1 2001:db8::6");
    }
}
