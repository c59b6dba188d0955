// ping: ICMP's echo and ICMPv6's, and what comes back instead of a reply.
#include "hosts.hpp"
#include "packets.hpp"

#include <weft/ping.hpp>
#include <weft/when_all.hpp>

using namespace hosts;

namespace {

constexpr weft::duration one_way = 5ms;
const weft::impairments slow{.delay = one_way};

struct pinged {
    errc ended = errc::in_progress;
    weft::duration taken{};
};

task<> note(weft::stack& by, address whom, pinged& p, weft::ping_options o = {}) {
    auto rtt = co_await weft::ping(by, whom, o);
    outside_lwip();
    p.ended = rtt ? errc::ok : rtt.error();
    p.taken = rtt ? *rtt : weft::duration{};
}

/// The last packet that Alice sent, and that was an echo request: without its Ethernet header.
packets::bytes last_request(const recording& seen) {
    for (std::size_t i = seen.frames.size(); i-- > 0;) {
        const recording::frame& f = seen.frames[i];
        const bool echo = (f.protocol() == 1 && f.bytes[f.payload_at()] == 8) ||
                          (f.protocol() == 58 && f.bytes[f.payload_at()] == 128);
        if (f.from == alice && echo) {
            const std::size_t end =
                14 + (f.is_ipv4() ? 0U : 40U) +
                (std::size_t{f.bytes[f.is_ipv4() ? 16 : 18]} << 8 | f.bytes[f.is_ipv4() ? 17 : 19]);
            return {f.bytes.begin() + 14, f.bytes.begin() + static_cast<std::ptrdiff_t>(end)};
        }
    }
    return {};
}

/// The reply to an IPv4 request, with what `change` does to it before its checksum is made.
template <class Change>
packets::bytes reply_to(const packets::bytes& request, const address& from, Change change) {
    packets::bytes icmp(request.begin() + 20, request.end());
    icmp[0] = 0;
    packets::put16(icmp, 2, 0);
    change(icmp);
    packets::put16(icmp, 2, packets::checksum(icmp));
    return packets::ipv4(from, alice_ip, 1, icmp);
}

task<> twice(two_hosts& w, address whom) {
    auto first = co_await weft::ping(*w.a, whom);
    outside_lwip();
    REQUIRE(first);
    CHECK(*first == 4 * one_way); // one round trip to find the neighbour
    auto second = co_await weft::ping(*w.a, whom);
    REQUIRE(second);
    CHECK(*second == 2 * one_way);
}

task<> sizes(two_hosts& w, address whom, std::uint16_t largest) {
    for (const std::uint16_t size : {std::uint16_t{0}, std::uint16_t{1}, largest}) {
        auto rtt = co_await weft::ping(*w.a, whom, {.size = size});
        CHECK(rtt.has_value());
    }
    const auto more = static_cast<std::uint16_t>(largest + 1);
    auto rtt = co_await weft::ping(*w.a, whom, {.size = more});
    CHECK(rtt.error() == errc::message_too_long);
}

task<> refused(weft::stack& by, address whom, errc why) {
    auto rtt = co_await weft::ping(by, whom);
    CHECK(rtt.error() == why);
}

/// Who passes packets on, or does not, is Bob's link.
struct lonely : two_hosts {
    lonely() : seen(cable) {
        run(as_warm());
        REQUIRE(cable.cut(alice, bob)); // requests are seen on their way, and get nowhere
    }
    task<> as_warm() {
        auto v4 = co_await weft::ping(*a, bob_ip);
        CHECK(v4.has_value());
        auto v6_ = co_await weft::ping(*a, v6(2));
        CHECK(v6_.has_value());
    }
    recording seen;
};

task<> by_router(lonely& w, address whom, unsigned type, unsigned code, errc expected) {
    pinged p;
    weft::task_group one(w.home);
    REQUIRE(one.spawn(note(*w.a, whom, p)));
    co_await sleep(1ms);
    const packets::bytes request = last_request(w.seen);
    REQUIRE(!request.empty());
    packets::bytes packet;
    if (whom.is_v4()) {
        packets::bytes m = packets::unreachable4(code, request);
        m[0] = static_cast<std::uint8_t>(type);
        packets::put16(m, 2, 0);
        packets::put16(m, 2, packets::checksum(m));
        packet = packets::ipv4(bob_ip, alice_ip, 1, m);
    } else {
        packets::bytes m = packets::unreachable6(v6(2), v6(1), code, request);
        m[0] = static_cast<std::uint8_t>(type);
        packets::put16(m, 2, 0);
        packets::put16(m, 2, packets::checksum(m, packets::pseudo(v6(2), v6(1), 58, m.size())));
        packet = packets::ipv6(v6(2), v6(1), 58, m);
    }
    REQUIRE(packets::send(*w.bob_end, alice, packet));
    co_await sleep(1ms);
    CHECK(p.ended == expected);
    one.cancel();
    auto over = co_await one.join();
    (void)over;
}

task<> forged(lonely& w) {
    pinged p;
    weft::task_group one(w.home);
    REQUIRE(one.spawn(note(*w.a, bob_ip, p)));
    co_await sleep(1ms);
    const packets::bytes request = last_request(w.seen);
    REQUIRE(request.size() == 20 + 8 + 56);
    const auto as_it_is = [](packets::bytes&) {
    };
    const auto number = [](packets::bytes& m) {
        m[7] ^= 1;
    };
    const auto identifier = [](packets::bytes& m) {
        m[4] ^= 1;
    };
    const auto code = [](packets::bytes& m) {
        m[1] = 1;
    };
    packets::bytes damaged = reply_to(request, bob_ip, as_it_is);
    damaged[40] ^= 1;
    const packets::bytes whole = reply_to(request, bob_ip, as_it_is);
    const packets::bytes part =
        packets::ipv4(bob_ip, alice_ip, 1, std::span(whole).subspan(20), 0, true);
    packets::bytes cut = whole;
    cut.resize(cut.size() - 20);
    for (const packets::bytes& wrong :
         {reply_to(request, nobody_ip, as_it_is), reply_to(request, bob_ip, number),
          reply_to(request, bob_ip, identifier), reply_to(request, bob_ip, code), damaged, part,
          cut}) {
        REQUIRE(packets::send(*w.bob_end, alice, wrong));
        co_await sleep(1ms);
        CHECK(p.ended == errc::in_progress);
    }
    REQUIRE(packets::send(*w.bob_end, alice, whole));
    co_await sleep(1ms);
    CHECK(p.ended == errc::ok);
}

} // namespace

TEST_CASE("ping: the time from request to reply, IPv4 and IPv6") {
    {
        two_hosts w(default_seed, slow);
        w.pass(5s); // duplicate address detection
        w.run(twice(w, bob_ip));
    }
    two_hosts w(default_seed, slow);
    w.pass(5s);
    w.run(twice(w, v6(2)));
}

TEST_CASE("ping: one's own addresses, and lwIP's loopback") {
    {
        one_host w;
        std::array<pinged, 2> p;
        w.run(note(*w.net, address::loopback(), p[0]));
        w.run(note(*w.net, address::loopback(family::ipv6), p[1]));
        CHECK(p[0].ended == errc::ok);
        CHECK(p[1].ended == errc::ok);
        CHECK(p[0].taken == 0ms);
    }
    two_hosts w;
    std::array<pinged, 2> p;
    w.run(note(*w.a, alice_ip, p[0]));
    w.run(note(*w.a, v6(1), p[1]));
    CHECK(p[0].ended == errc::ok);
    CHECK(p[1].ended == errc::ok);
}

TEST_CASE("ping: any size up to the MTU") {
    two_hosts w;
    w.run(sizes(w, bob_ip, 1500 - 28));
    w.run(sizes(w, v6(2), 1500 - 48));
}

TEST_CASE("ping: many at a time, each has its own reply, in whatever order they come") {
    two_hosts w(default_seed, {.reorder = 0.5, .reorder_delay = 50ms, .delay = 5ms});
    std::array<pinged, 40> all;
    w.run(note(*w.a, bob_ip, all[0])); // the neighbour is known from now on
    w.run(note(*w.a, v6(2), all[1]));
    weft::task_group many(w.home);
    for (std::size_t i = 0; i < all.size(); ++i) {
        REQUIRE(many.spawn(note(*w.a, i % 2 == 0 ? bob_ip : v6(2), all[i])));
    }
    w.pass(10s);
    std::size_t late = 0;
    for (const pinged& each : all) {
        CHECK(each.ended == errc::ok);
        CHECK(each.taken >= 10ms);
        late += each.taken >= 60ms ? 1U : 0U;
    }
    CHECK(late > 0);
    CHECK(late < all.size());
}

TEST_CASE("ping: without an answer it waits for its timeout, and nothing is left of it") {
    two_hosts w;
    const auto none = [](two_hosts& at) -> task<> {
        auto rtt = co_await weft::timeout(weft::ping(*at.a, nobody_ip), 3s);
        CHECK(rtt.error() == errc::timed_out);
    };
    w.run(none(w));
    w.pass(10s); // its ARP entry
    const no_leak leak;
    w.run(none(w));
    w.pass(10s);
    leak.check();
}

TEST_CASE("ping: what a router says instead") {
    lonely w;
    w.run(by_router(w, bob_ip, 3, 0, errc::network_unreachable));
    w.run(by_router(w, bob_ip, 3, 1, errc::host_unreachable));
    w.run(by_router(w, bob_ip, 3, 2, errc::connection_refused));
    w.run(by_router(w, bob_ip, 11, 0, errc::host_unreachable)); // time exceeded
    w.run(by_router(w, bob_ip, 3, 4, errc::in_progress));       // the path's MTU
    w.run(by_router(w, v6(2), 1, 0, errc::network_unreachable));
    w.run(by_router(w, v6(2), 1, 3, errc::host_unreachable));
    w.run(by_router(w, v6(2), 3, 0, errc::host_unreachable));
}

TEST_CASE("ping: replies from others, to others, damaged or in part are none") {
    lonely w;
    w.run(forged(w));
}

TEST_CASE("ping: addresses that cannot be pinged") {
    two_hosts w;
    w.run(refused(*w.a, address::any(), errc::invalid_argument));
    w.run(refused(*w.a, address::any(family::ipv6), errc::invalid_argument));
    w.run(refused(*w.a, address::v4(255, 255, 255, 255), errc::invalid_argument));
    w.run(refused(*w.a, address::v4(224, 0, 0, 1), errc::invalid_argument));
    w.run(refused(*w.a, *address::parse("ff02::1"), errc::invalid_argument));
    w.run(refused(*w.a, address::v4(192, 0, 2, 1), errc::network_unreachable));
    w.run(refused(*w.a, *address::parse("2001:db8::1"), errc::network_unreachable));
}

TEST_CASE("ping: out of memory is an error, and nothing is lost") {
    two_hosts w;
    const no_leak leak;
    memory::fail_after(memory::of_pbufs | memory::of_heap, 0);
    pinged p;
    weft::task_group one(w.home);
    REQUIRE(one.spawn(note(*w.a, bob_ip, p)));
    const weft::result<> turned = w.home.poll();
    memory::recover();
    CHECK(turned.has_value());
    CHECK(p.ended == errc::no_memory);
    leak.check();
}

TEST_CASE("ping: cancelled, and orphaned by its stack") {
    two_hosts w;
    std::array<pinged, 3> p;
    weft::task_group first(w.home);
    weft::task_group second(w.home);
    REQUIRE(first.spawn(note(*w.a, nobody_ip, p[0])));
    REQUIRE(second.spawn(note(*w.a, nobody_ip, p[1])));
    REQUIRE(second.spawn(note(*w.b, nobody_ip, p[2])));
    w.pass(1s);
    first.cancel();
    CHECK(p[0].ended == errc::in_progress);
    w.pass(0s);
    const weft::result<> turned = w.home.poll();
    CHECK(turned.has_value());
    CHECK(p[0].ended == errc::canceled);
    w.a.reset();
    w.pass(1s);
    CHECK(p[1].ended == errc::network_down);
    CHECK(p[2].ended == errc::in_progress);
    second.cancel();
    w.pass(1s);
    CHECK(p[2].ended == errc::canceled);
}
