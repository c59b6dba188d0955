// UDP on the host, against plain POSIX sockets.
#include "fixture.hpp"

#include <array>
#include <vector>

namespace host_test {
namespace {

using weft::udp_socket;

task<> boundaries(weft::host_context& host, family f) {
    auto bound = host.net->bind_udp(loopback(f));
    REQUIRE(error_of(bound) == errc::ok);
    udp_socket& socket = *bound;
    const endpoint here = *socket.local();
    const peer other = peer::udp(loopback(f));
    other.send_to("one", here);
    other.send_to("", here);
    other.send_to("three", here);
    std::array<std::byte, 4> room;
    auto one = co_await socket.recv_from(room);
    REQUIRE(error_of(one) == errc::ok);
    CHECK(text(room, one->size) == "one");
    CHECK(one->from == other.local());
    CHECK(!one->truncated);
    auto two = co_await socket.recv_from(room);
    REQUIRE(error_of(two) == errc::ok);
    CHECK(two->size == 0);
    CHECK(!two->truncated);
    auto three = co_await socket.recv_from(room);
    REQUIRE(error_of(three) == errc::ok);
    CHECK(text(room, three->size) == "thre");
    CHECK(three->truncated);
    CHECK(error_of(socket.try_recv_from(room)) == errc::would_block);
    auto none = co_await weft::timeout(socket.recv_from(room), 5ms);
    CHECK(error_of(none) == errc::timed_out);

    auto sent = co_await socket.send_to(bytes("back"), other.local());
    REQUIRE(error_of(sent) == errc::ok);
    CHECK(*sent == 4);
    CHECK(other.recv() == "back");
    auto empty = co_await socket.send_to({}, other.local());
    REQUIRE(error_of(empty) == errc::ok);
    CHECK(other.recv().empty());
}
task<> boundaries_v4(weft::host_context& host) {
    return boundaries(host, family::ipv4);
}
task<> boundaries_v6(weft::host_context& host) {
    return boundaries(host, family::ipv6);
}
TEST_CASE("datagrams keep their boundaries, empty ones too; a long one is cut and says so") {
    on_each_poller(boundaries_v4);
    on_each_poller(boundaries_v6);
}

task<> errors(weft::host_context& host) {
    auto bound = host.net->bind_udp(loopback());
    REQUIRE(error_of(bound) == errc::ok);
    udp_socket& socket = *bound;
    const std::vector<std::byte> too_long(65'600);
    const endpoint there = loopback(family::ipv4, 9);
    auto long_one = co_await socket.send_to(too_long, there);
    CHECK(error_of(long_one) == errc::message_too_long);
    auto nobody = co_await socket.send(bytes("x"));
    CHECK(error_of(nobody) == errc::destination_required);
    auto family_differs = co_await socket.send_to(bytes("x"), loopback(family::ipv6, 9));
    CHECK(error_of(family_differs) == errc::invalid_argument);
    CHECK(error_of(host.net->bind_udp(*socket.local())) == errc::address_in_use);
    CHECK(
        error_of(host.net->bind_udp({address::v4(192, 0, 2, 1), 0})) ==
        errc::address_not_available);
    CHECK(error_of(socket.socket()->remote()) == errc::not_connected);
    CHECK(socket.socket()->confirmed() == readiness::writable);
    CHECK(error_of(socket.socket()->set_broadcast(true)) == errc::ok);
    CHECK(error_of(socket.socket()->set_reuse_address(true)) == errc::ok);
    CHECK(error_of(socket.socket()->set_queue_limit(64)) == errc::ok);
    CHECK(error_of(socket.socket()->set_queue_limit(0)) == errc::invalid_argument);
    socket.close();
    std::array<std::byte, 4> room;
    CHECK(error_of(socket.try_recv_from(room)) == errc::bad_handle);
    CHECK(error_of(socket.try_send_to(bytes("x"), there)) == errc::bad_handle);
    CHECK(error_of(socket.connect(there)) == errc::bad_handle);
    CHECK(error_of(socket.local()) == errc::bad_handle);
}
TEST_CASE("what a UDP socket refuses, and why") {
    on_each_poller(errors);
}

task<> refused(weft::host_context& host) {
    peer other = peer::udp(loopback());
    const endpoint there = other.local();
    auto bound = host.net->bind_udp(loopback());
    udp_socket& socket = *bound;
    REQUIRE(error_of(socket.connect(there)) == errc::ok);
    CHECK(*socket.socket()->remote() == there);
    other.close();
    std::array<std::byte, 4> room;
    auto sent = co_await socket.send(bytes("x"));
    CHECK(error_of(sent) == errc::ok);
    auto told = co_await socket.recv_from(room);
    CHECK(error_of(told) == errc::connection_refused);
    auto once = co_await weft::timeout(socket.recv_from(room), 5ms);
    CHECK(error_of(once) == errc::timed_out);

    // a send that meets the refusal of the one before leaves it to recv
    auto second = co_await socket.send(bytes("x"));
    CHECK(error_of(second) == errc::ok);
    auto slept = co_await weft::sleep_for(2ms);
    CHECK(error_of(slept) == errc::ok);
    CHECK(socket.socket()->confirmed() == (readiness::writable | readiness::error));
    auto third = co_await socket.send(bytes("x"));
    CHECK(error_of(third) == errc::ok);
    auto again = co_await socket.recv_from(room);
    CHECK(error_of(again) == errc::connection_refused);
}
TEST_CASE("connected: a closed port is connection_refused, once, to the reader") {
    on_each_poller(refused);
}

task<> one_datagram(udp_socket& from, errc& told) {
    std::array<std::byte, 8> room;
    auto got = co_await from.recv_from(room);
    told = error_of(got);
}
task<> connected(weft::host_context& host) {
    const peer other = peer::udp(loopback());
    const peer stranger = peer::udp(loopback());
    auto bound = host.net->bind_udp(loopback());
    udp_socket& socket = *bound;
    REQUIRE(error_of(socket.connect(other.local())) == errc::ok);
    stranger.send_to("no", *socket.local());
    other.send_to("yes", *socket.local());
    std::array<std::byte, 8> room;
    auto got = co_await socket.recv_from(room);
    REQUIRE(error_of(got) == errc::ok);
    CHECK(text(room, got->size) == "yes");
    auto sent = co_await socket.send(bytes("thanks"));
    CHECK(error_of(sent) == errc::ok);
    CHECK(other.recv() == "thanks");

    weft::task_group tasks(host.loop);
    errc told = errc::ok;
    REQUIRE(error_of(tasks.spawn(one_datagram(socket, told))) == errc::ok);
    errc second = errc::ok;
    REQUIRE(error_of(tasks.spawn(one_datagram(socket, second))) == errc::ok);
    CHECK(second == errc::already);
    socket.close();
    auto joined = co_await tasks.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(told == errc::bad_handle);
}
TEST_CASE("connected: strangers are not heard; close under a reader is bad_handle") {
    on_each_poller(connected);
}

task<> dropped(weft::host_context& host) {
    auto bound = host.net->bind_udp(loopback());
    udp_socket& socket = *bound;
    REQUIRE(error_of(socket.socket()->set_queue_limit(8)) == errc::ok);
    const peer other = peer::udp(loopback());
    const std::string payload(1000, 'x');
    constexpr std::size_t burst = 200;
    for (std::size_t i = 0; i < burst; ++i) {
        other.send_to(payload, *socket.local());
    }
    std::array<std::byte, 1000> room;
    std::size_t received = 0;
    for (auto got = socket.try_recv_from(room); got; got = socket.try_recv_from(room)) {
        ++received;
    }
    CHECK(received >= 8);
    CHECK(received < burst);
    // the kernel's count comes with the next datagram
    other.send_to("next", *socket.local());
    auto next = co_await socket.recv_from(room);
    REQUIRE(error_of(next) == errc::ok);
    CHECK(socket.dropped() == burst - received);
}
TEST_CASE("datagrams dropped by a full queue are counted") {
    on_each_poller(dropped);
}

} // namespace
} // namespace host_test
