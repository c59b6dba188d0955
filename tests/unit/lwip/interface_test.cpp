// The interface: DHCP, addresses, and links that go and come back (RFC 2131, RFC 4862).
#include "dhcp_server.hpp"
#include "packets.hpp"

#include <weft/network_interface.hpp>

using namespace hosts;
using weft::families;
using weft::network_interface;

namespace {

constexpr weft::hardware_address all_nodes{0x33, 0x33, 0, 0, 0, 1};

/// Alice has nothing but a cable; Bob is 10.0.0.2 and has a DHCP server.
struct office : world {
    office() : cable(weft::wire_options{.seed = default_seed}) {
        auto left = cable.attach(alice);
        auto right = cable.attach(bob);
        REQUIRE(left);
        REQUIRE(right);
        alice_end = std::move(*left);
        bob_end = std::move(*right);
        b = make_host(home, *bob_end, 2, default_seed);
        weft::lwip_options bare;
        bare.link = alice_end.get();
        bare.seed = default_seed;
        auto made = weft::make_lwip_stack(home, bare);
        REQUIRE(made);
        a = std::move(*made);
        REQUIRE(serving.spawn(server.serve(*b)));
    }
    ~office() {
        serving.cancel();
        pass(1s);
    }

    weft::wire cable;
    std::unique_ptr<weft::link> alice_end;
    std::unique_ptr<weft::link> bob_end;
    std::unique_ptr<weft::stack> b;
    std::unique_ptr<weft::stack> a;
    dhcp_server server;
    weft::task_group serving{home};
};

/// A router's announcement (RFC 4861, 4.2) of fd01::/64, from Bob's link-local address.
void announce_prefix(weft::link& by, std::uint32_t valid, std::uint32_t preferred) {
    const address from =
        address::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0xb});
    const address to = address::v6({0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    packets::bytes m(16 + 32);
    m[0] = 134;
    m[4] = 64;
    packets::put16(m, 6, 1800);
    m[16] = 3; // prefix information
    m[17] = 4;
    m[18] = 64;
    m[19] = 0xc0; // on link, for addresses
    packets::put32(m, 20, valid);
    packets::put32(m, 24, preferred);
    m[32] = 0xfd;
    m[33] = 0x01;
    packets::put16(m, 2, packets::checksum(m, packets::pseudo(from, to, 58, m.size())));
    packets::bytes whole = packets::ipv6(from, to, 58, m);
    whole[7] = 255;
    REQUIRE(packets::send(by, all_nodes, whole));
}

std::size_t solicitations(const recording& seen) {
    std::size_t found = 0;
    for (const recording::frame& f : seen.frames) {
        found += f.from == alice && f.protocol() == 58 && f.bytes[54] == 133 ? 1U : 0U;
    }
    return found;
}

/// ARP about one's own address, to everybody.
std::size_t announcements(const recording& seen, const address& of) {
    std::size_t found = 0;
    for (const recording::frame& f : seen.frames) {
        found += f.from == alice && f.type() == 0x0806 &&
                         std::memcmp(&f.bytes[28], of.bytes().data(), 4) == 0 &&
                         std::memcmp(&f.bytes[38], of.bytes().data(), 4) == 0
                     ? 1U
                     : 0U;
    }
    return found;
}

/// How a wait ended.
struct waited {
    errc ended = errc::in_progress;
};

task<> note_up(network_interface& netif, waited& w, families wanted = families::ipv4) {
    auto up = co_await netif.up(wanted);
    outside_lwip();
    w.ended = up ? errc::ok : up.error();
}
task<> note_down(network_interface& netif, waited& w, families wanted = families::ipv4) {
    auto down = co_await netif.down(wanted);
    outside_lwip();
    w.ended = down ? errc::ok : down.error();
}

task<> lease_address(office& w, network_interface& netif) {
    CHECK(!netif.is_up());
    CHECK(!netif.ipv4());
    CHECK(netif.link_up());
    CHECK(netif.link_address() == alice);
    REQUIRE(netif.use_dhcp("sensor-7"));
    auto up = co_await netif.up();
    outside_lwip();
    REQUIRE(up);
    CHECK(netif.is_up());
    REQUIRE(netif.ipv4());
    CHECK(netif.ipv4()->address == w.server.gives);
    CHECK(netif.ipv4()->prefix == 24);
    REQUIRE(netif.gateway());
    CHECK(*netif.gateway() == bob_ip);
    std::array<address, 4> room;
    const std::span<address> servers = netif.name_servers(room);
    REQUIRE(servers.size() == 1);
    CHECK(servers[0] == address::v4(10, 0, 0, 53));
    auto again = co_await netif.up();
    CHECK(again.has_value());
}

task<> release_lease(office& w, network_interface& netif) {
    REQUIRE(netif.use_dhcp());
    auto up = co_await netif.up();
    REQUIRE(up);
    CHECK(w.server.questions[0].name.empty());
    CHECK(netif.use_static({v6(1), 64}).error() == errc::invalid_argument);
    CHECK(netif.use_static({address::any(), 24}).error() == errc::invalid_argument);
    CHECK(netif.use_static({alice_ip, 33}).error() == errc::invalid_argument);
    CHECK(netif.use_static({alice_ip, 24}, v6(2)).error() == errc::invalid_argument);
    CHECK(netif.ipv4()->address == w.server.gives); // what is wrong changes nothing
    REQUIRE(netif.use_static({alice_ip, 16}, bob_ip));
    CHECK(netif.is_up());
    CHECK(netif.ipv4()->address == alice_ip);
    CHECK(netif.ipv4()->prefix == 16);
    CHECK(*netif.gateway() == bob_ip);
    co_await sleep(1s);
    CHECK(w.server.count(dhcp_server::release) == 1);
    CHECK(w.server.questions.back().asked == w.server.gives);
    REQUIRE(netif.use_static({alice_ip, 24}));
    CHECK(!netif.gateway());
}

/// The cable is out for ten seconds in the middle of a transfer.
task<> transfer_through_loss(office& w, network_interface& netif) {
    constexpr std::size_t size = 2'000'000;
    REQUIRE(netif.use_dhcp());
    auto up = co_await netif.up();
    REQUIRE(up);
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    received got;
    transfer done;
    weft::task_group both(w.home);
    REQUIRE(both.spawn(read_all(p.server, got)));
    REQUIRE(both.spawn(write_all(p.client, done, size)));
    while (got.size < size / 4) {
        co_await sleep(1ms);
    }
    REQUIRE(w.cable.unplug(alice));
    auto lost = co_await netif.down();
    outside_lwip();
    REQUIRE(lost);
    CHECK(!netif.link_up());
    CHECK(!netif.is_up());
    CHECK(netif.ipv4()); // kept for the time when the link is back
    auto sender = w.a->bind_udp({address::any(), 0});
    REQUIRE(sender);
    auto sent = co_await sender->send_to({}, {bob_ip, 9});
    CHECK(sent.has_value()); // dropped, as on a cable
    co_await sleep(10s);
    CHECK(netif.frames_dropped() > 0);
    CHECK(got.size < size);
    const std::size_t asked = w.server.count(dhcp_server::request);
    {
        recording seen(w.cable);
        REQUIRE(w.cable.plug(alice));
        auto back = co_await netif.up();
        REQUIRE(back);
        CHECK(announcements(seen, w.server.gives) > 0);
        co_await sleep(20s);
        CHECK(solicitations(seen) > 0);
    }
    CHECK(w.server.count(dhcp_server::request) == asked + 1);
    CHECK(w.server.count(dhcp_server::discover) == 1);
    CHECK(netif.ipv4()->address == w.server.gives);
    while (done.count < size && done.error() == errc::ok) {
        co_await sleep(1s);
    }
    CHECK(done.error() == errc::ok);
    p.client.close();
    while (got.size < size && got.error == errc::ok) {
        co_await sleep(1s);
    }
    CHECK(got.size == size);
    CHECK(got.intact);
    auto all = co_await both.join();
    CHECK(all.has_value());
}

task<> other_network(office& w, network_interface& netif) {
    REQUIRE(netif.use_dhcp());
    auto up = co_await netif.up();
    REQUIRE(up);
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    REQUIRE(w.cable.unplug(alice));
    auto lost = co_await netif.down();
    REQUIRE(lost);
    w.server.gives = address::v4(10, 0, 0, 88); // and knows nothing of 10.0.0.77
    REQUIRE(w.cable.plug(alice));
    auto back = co_await netif.up();
    REQUIRE(back);
    CHECK(netif.ipv4()->address == address::v4(10, 0, 0, 88));
    std::array<std::byte, 1> one;
    auto n = co_await p.client.recv(one);
    outside_lwip();
    CHECK(n.error() == errc::timed_out);
}

task<> unconfirmed(office& w, network_interface& netif) {
    REQUIRE(netif.use_dhcp());
    auto up = co_await netif.up();
    REQUIRE(up);
    REQUIRE(w.cable.unplug(alice));
    auto lost = co_await netif.down();
    REQUIRE(lost);
    w.server.silent = true;
    REQUIRE(w.cable.plug(alice));
    auto back = co_await weft::timeout(netif.up(), 60s);
    CHECK(back.error() == errc::timed_out);
    CHECK(netif.link_up());
    w.server.silent = false;
    auto found = co_await netif.up();
    CHECK(found.has_value());
}

task<> lease_ends(office& w, network_interface& netif) {
    w.server.lease = 600;
    REQUIRE(netif.use_dhcp());
    auto up = co_await netif.up();
    REQUIRE(up);
    co_await sleep(2h);
    CHECK(netif.is_up());
    const std::size_t renewed = w.server.count(dhcp_server::request);
    CHECK(renewed > 2h / 600s);
    CHECK(renewed < 2 * (2h / 600s) + 4);
    CHECK(w.server.count(dhcp_server::discover) == 1);
    w.server.silent = true;
    const weft::time_point quiet = w.home.now();
    auto lost = co_await netif.down();
    outside_lwip();
    REQUIRE(lost);
    CHECK(w.home.now() - quiet > 4min);
    CHECK(w.home.now() - quiet < 12min); // a lease, in lwIP's minutes
    CHECK(!netif.ipv4());
    w.server.silent = false;
    auto again = co_await netif.up();
    CHECK(again.has_value());
}

task<> many_wait(office& w, network_interface& netif) {
    std::array<waited, 5> up;
    std::array<waited, 2> down;
    weft::task_group all(w.home);
    for (waited& each : up) {
        REQUIRE(all.spawn(note_up(netif, each)));
    }
    co_await sleep(1s);
    for (const waited& each : up) {
        CHECK(each.ended == errc::in_progress);
    }
    REQUIRE(netif.use_static({alice_ip, 24}));
    for (const waited& each : up) {
        CHECK(each.ended == errc::in_progress); // nobody runs inside of what changed it
    }
    co_await sleep(0s);
    for (const waited& each : up) {
        CHECK(each.ended == errc::ok);
    }
    REQUIRE(all.spawn(note_down(netif, down[0])));
    {
        network_interface second(*w.a);
        REQUIRE(all.spawn(note_down(second, down[1])));
        co_await sleep(1s);
        CHECK(down[1].ended == errc::in_progress);
    }
    co_await sleep(0s);
    CHECK(down[1].ended == errc::bad_handle);
    CHECK(down[0].ended == errc::in_progress);
    all.cancel();
    auto over = co_await all.join();
    (void)over;
    CHECK(down[0].ended == errc::canceled);
}

task<> routers_prefix(office& w, network_interface& netif) {
    std::array<address, 4> room;
    co_await sleep(5s);
    CHECK(netif.ipv6(room).size() == 1); // the link's own
    CHECK(!netif.is_up(families::ipv6));
    CHECK(!netif.is_up(families::any));
    announce_prefix(*w.bob_end, 100, 50);
    const weft::time_point told = w.home.now();
    auto up = co_await netif.up(families::ipv6);
    outside_lwip();
    REQUIRE(up);
    CHECK(w.home.now() - told >= 1s); // duplicate address detection
    CHECK(netif.is_up(families::any));
    CHECK(!netif.is_up(families::ipv4));
    const std::span<address> all = netif.ipv6(room);
    REQUIRE(all.size() == 2);
    CHECK(all[0].bytes()[0] == 0xfe);
    CHECK(all[1].bytes()[0] == 0xfd);
    CHECK(all[1].bytes()[1] == 0x01);
    CHECK(netif.ipv6(std::span(room).first(1)).size() == 1);
    auto down = co_await netif.down(families::ipv6);
    outside_lwip();
    REQUIRE(down);
    CHECK(w.home.now() - told >= 49s); // it is not preferred any longer
    CHECK(w.home.now() - told <= 52s);
    CHECK(netif.ipv6(room).size() == 2); // and still valid
    co_await sleep(60s);
    CHECK(netif.ipv6(room).size() == 1);
}

} // namespace

TEST_CASE("DHCP gives an address, a gateway and name servers; the host's name is told") {
    office w;
    network_interface netif(*w.a);
    w.run(lease_address(w, netif));
    CHECK(w.server.count(dhcp_server::discover) == 1);
    CHECK(w.server.count(dhcp_server::request) == 1);
    CHECK(w.server.questions[1].name == "sensor-7"); // in the request; lwIP 2.1 not before
    w.a.reset();
    CHECK(!netif.is_up());
    CHECK(netif.use_dhcp().error() == errc::network_down);
}

TEST_CASE("DHCP: what it does not take") {
    office w;
    network_interface netif(*w.a);
    for (const char* wrong :
         {"", "a name", "n\xc3\xa4me", "under_score", "this-name-is-longer-than-32-bytes"}) {
        CHECK(netif.use_dhcp(wrong).error() == errc::invalid_argument);
    }
    CHECK(netif.use_dhcp("this-name-is-no-longer-than-32-b").has_value());
    auto loopback = weft::make_lwip_stack(w.home, {});
    REQUIRE(loopback);
    network_interface own(**loopback);
    CHECK(own.use_dhcp().error() == errc::not_supported);
    CHECK(own.use_static({alice_ip, 24}).error() == errc::not_supported);
    CHECK(own.link_up());
    CHECK(own.is_up());
    CHECK(own.ipv4()->address == address::loopback());
    CHECK(own.link_address() == weft::hardware_address{});
}

TEST_CASE("a static address takes DHCP's place, and the lease is given back") {
    office w;
    network_interface netif(*w.a);
    w.run(release_lease(w, netif));
}

TEST_CASE("a lease is renewed for as long as the server answers, and ends when it is over") {
    office w;
    network_interface netif(*w.a);
    w.run(lease_ends(w, netif));
}

TEST_CASE(
    "link lost in a transfer: down() and up() tell, the lease is confirmed, the bytes arrive") {
    office w;
    w.cable.impair({.delay = 5ms});
    network_interface netif(*w.a);
    w.run(transfer_through_loss(w, netif));
}

TEST_CASE(
    "another network behind the same link: another address, and connections time out at once") {
    office w;
    network_interface netif(*w.a);
    w.run(other_network(w, netif));
}

TEST_CASE("after a loss of the link an address is not up before its server has confirmed it") {
    office w;
    network_interface netif(*w.a);
    w.run(unconfirmed(w, netif));
}

TEST_CASE("a stack that starts without a link asks for its address when there is one") {
    office w;
    REQUIRE(w.cable.unplug(alice));
    w.a.reset();
    weft::lwip_options bare;
    bare.link = w.alice_end.get();
    auto made = weft::make_lwip_stack(w.home, bare);
    REQUIRE(made);
    network_interface netif(**made);
    CHECK(!netif.link_up());
    REQUIRE(netif.use_dhcp());
    w.pass(1min);
    CHECK(w.server.questions.empty());
    CHECK(!netif.is_up());
    REQUIRE(w.cable.plug(alice));
    w.pass(2s);
    CHECK(netif.is_up());
}

TEST_CASE("a link that is lost or found wakes nobody but those who wait for it") {
    two_hosts w;
    network_interface netif(*w.a);
    CHECK(netif.is_up());
    CHECK(netif.is_up(families::ipv6));
    waited lost;
    waited found;
    weft::task_group all(w.home);
    REQUIRE(all.spawn(note_down(netif, lost, families::any)));
    w.pass(10s);
    CHECK(lost.ended == errc::in_progress);
    REQUIRE(w.cable.unplug(alice));
    w.pass(1s); // lwIP's slowest timer
    CHECK(lost.ended == errc::ok);
    REQUIRE(all.spawn(note_up(netif, found, families::ipv6)));
    w.pass(10s);
    CHECK(found.ended == errc::in_progress);
    REQUIRE(w.cable.plug(alice));
    w.pass(1s);
    CHECK(found.ended == errc::ok);
}

TEST_CASE("waits for the network: any number, cancelled, and orphaned") {
    office w;
    network_interface netif(*w.a);
    w.run(many_wait(w, netif));
}

TEST_CASE("waits for the network end with ENETDOWN when the stack goes") {
    office w;
    network_interface netif(*w.a);
    std::array<waited, 3> ends;
    weft::task_group all(w.home);
    REQUIRE(all.spawn(note_up(netif, ends[0])));
    REQUIRE(all.spawn(note_up(netif, ends[1], families::ipv6)));
    w.pass(1s);
    w.a.reset();
    CHECK(ends[0].ended == errc::in_progress);
    REQUIRE(all.spawn(note_down(netif, ends[2])));
    w.pass(1s);
    for (const waited& each : ends) {
        CHECK(each.ended == errc::network_down);
    }
    CHECK(!netif.link_up());
    CHECK(netif.use_static({alice_ip, 24}).error() == errc::network_down);
}

TEST_CASE("SLAAC: up when an announced address is preferred, down when its lifetime is over") {
    office w;
    network_interface netif(*w.a);
    w.run(routers_prefix(w, netif));
}

TEST_CASE("DHCP leaves no memory behind") {
    const no_leak leak;
    {
        office w;
        network_interface netif(*w.a);
        for (int i = 0; i < 3; ++i) {
            REQUIRE(netif.use_dhcp());
            w.pass(5s);
            CHECK(netif.is_up());
        }
        w.a.reset();
    }
    leak.check();
}
