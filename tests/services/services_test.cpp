// The interface of an lwIP stack against the kernel and dnsmasq, in real time.
#include <doctest/doctest.h>

#include "../parity/network_namespace.hpp"
#include "world.hpp"

#include <weft/network_interface.hpp>
#include <weft/ping.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

using namespace services_test;
using namespace std::chrono_literals;
using weft::address;
using weft::errc;
using weft::families;
using weft::network_interface;
using weft::task;

namespace {

void run(task<> work) {
    const auto done =
        weft::sync_wait(here().home(), weft::as_task(weft::timeout(std::move(work), 60s)));
    const errc error = done ? errc::ok : done.error();
    CHECK(error == errc::ok); // ETIMEDOUT: a hang
}

task<> get_everything(weft::stack& net) {
    network_interface netif(net);
    CHECK(!netif.is_up());
    REQUIRE(netif.use_dhcp("sensor-7"));
    auto up = co_await netif.up();
    REQUIRE(up);
    const auto own = netif.ipv4();
    REQUIRE(own);
    const std::span<const std::uint8_t> bytes = own->address.bytes();
    CHECK(bytes[0] == 10);
    CHECK(bytes[1] == 79);
    CHECK(bytes[2] == 0);
    CHECK(bytes[3] >= 50);
    CHECK(bytes[3] <= 99);
    CHECK(own->prefix == 24);
    REQUIRE(netif.gateway());
    CHECK(*netif.gateway() == kernels_ipv4);
    std::array<address, 4> room;
    const std::span<address> servers = netif.name_servers(room);
    REQUIRE(!servers.empty());
    CHECK(servers[0] == kernels_ipv4);

    auto service = co_await net.resolve("service.test", families::ipv4);
    REQUIRE(service);
    CHECK(service->front() == address::v4(192, 0, 2, 7));
    auto itself = co_await net.resolve("sensor-7.test", families::ipv4); // by option 12
    REQUIRE(itself);
    CHECK(itself->front() == own->address);
}

task<> configure_itself(weft::stack& net) {
    network_interface netif(net);
    auto up = co_await netif.up(families::ipv6);
    REQUIRE(up);
    std::array<address, 4> room;
    const std::span<address> all = netif.ipv6(room);
    REQUIRE(all.size() == 2);
    CHECK(all[0].bytes()[0] == 0xfe);
    CHECK(all[1].bytes()[0] == 0xfd);
    CHECK(all[1].bytes()[1] == 0x79);
    // RFC 4862: the interface's identifier is the same behind both prefixes
    const std::span<const std::uint8_t> a = all[0].bytes().subspan(8);
    const std::span<const std::uint8_t> b = all[1].bytes().subspan(8);
    CHECK(std::equal(a.begin(), a.end(), b.begin()));
    CHECK(!netif.is_up(families::ipv4));
    auto rtt = co_await weft::timeout(weft::ping(net, kernels_ipv6), 10s);
    CHECK(rtt.has_value());
    auto listener = here().kernel().listen({kernels_ipv6, 0});
    REQUIRE(listener);
    auto there = co_await net.connect({kernels_ipv6, listener->local()->port});
    CHECK(there.has_value());
}

task<> ping_the_kernel(weft::stack& net) {
    network_interface netif(net);
    REQUIRE(netif.use_static({address::v4(10, 79, 0, 2), 24}, kernels_ipv4));
    CHECK(netif.is_up());
    for (const std::uint16_t size : {std::uint16_t{0}, std::uint16_t{56}, std::uint16_t{1472}}) {
        auto rtt = co_await weft::timeout(weft::ping(net, kernels_ipv4, {.size = size}), 10s);
        REQUIRE(rtt);
        CHECK(*rtt > 0ns);
    }
    const address absent = address::v4(10, 79, 0, 3);
    auto nobody = co_await weft::timeout(weft::ping(net, absent), 100ms);
    CHECK(nobody.error() == errc::timed_out);
}

task<> answer(weft::tcp_listener& listener, std::size_t& count) {
    auto peer = co_await listener.accept();
    REQUIRE(peer);
    std::array<std::byte, 64> buffer;
    for (;;) {
        auto n = co_await peer->recv(buffer);
        REQUIRE(n);
        if (*n == 0) {
            co_return;
        }
        count += *n;
    }
}

/// A byte every 20 ms, for as long as somebody listens.
task<> talk(weft::tcp_stream& to, std::size_t& sent) {
    const std::array<std::byte, 1> one{};
    for (;;) {
        auto done = co_await to.send_all(one);
        if (done.error() != errc::ok) {
            CHECK(done.error() == errc::canceled);
            co_return;
        }
        ++sent;
        auto slept = co_await weft::sleep_for(20ms);
        if (!slept) {
            co_return;
        }
    }
}

task<> lose_the_link(weft::stack& net) {
    network_interface netif(net);
    REQUIRE(netif.use_dhcp());
    auto up = co_await netif.up();
    REQUIRE(up);
    const auto own = netif.ipv4();
    auto listener = here().kernel().listen({kernels_ipv4, 0});
    REQUIRE(listener);
    std::size_t sent = 0;
    std::size_t received = 0;
    weft::task_group both(here().home());
    REQUIRE(both.spawn(answer(*listener, received)));
    auto stream = co_await net.connect({kernels_ipv4, listener->local()->port});
    REQUIRE(stream);
    weft::task_group talking(here().home());
    REQUIRE(talking.spawn(talk(*stream, sent)));
    while (received < 5) {
        auto slept = co_await weft::sleep_for(5ms);
        (void)slept;
    }
    REQUIRE(parity::switch_interface(interface_name, false) == "");
    auto lost = co_await netif.down();
    REQUIRE(lost);
    CHECK(!netif.link_up());
    CHECK(netif.frames_dropped() > 0);
    REQUIRE(parity::switch_interface(interface_name, true) == "");
    auto back = co_await netif.up();
    REQUIRE(back);
    CHECK(netif.ipv4()->address == own->address);
    talking.cancel();
    auto quiet = co_await talking.join();
    (void)quiet;
    stream->close();
    auto all = co_await both.join(); // through TCP's own retransmission
    CHECK(all.has_value());
    CHECK(received == sent);
}

} // namespace

TEST_CASE("DHCP: address, gateway and name server from dnsmasq, which learns the host's name") {
    const auto net = here().device();
    run(get_everything(*net));
}

TEST_CASE("SLAAC: an address from dnsmasq's announcement, which the kernel talks to") {
    const auto net = here().device();
    run(configure_itself(*net));
}

TEST_CASE("ping: the kernel answers, and nobody does not") {
    const auto net = here().device();
    run(ping_the_kernel(*net));
}

TEST_CASE("TAP set down and up: the lease is confirmed, and a connection has lost nothing") {
    const auto net = here().device();
    run(lose_the_link(*net));
}

TEST_CASE("the system's stack has no interface to ask, and no ping") {
    network_interface netif(here().kernel());
    CHECK(!netif.link_up());
    CHECK(!netif.is_up(families::any));
    CHECK(!netif.ipv4());
    CHECK(netif.use_dhcp().error() == errc::not_supported);
    CHECK(netif.use_static({address::v4(10, 79, 0, 2), 24}).error() == errc::not_supported);
    const auto waits = [](network_interface& of) -> task<> {
        auto up = co_await of.up();
        CHECK(up.error() == errc::not_supported);
        auto down = co_await of.down();
        CHECK(down.error() == errc::not_supported);
        auto rtt = co_await weft::ping(here().kernel(), kernels_ipv4);
        CHECK(rtt.error() == errc::not_supported);
    };
    run(waits(netif));
}
