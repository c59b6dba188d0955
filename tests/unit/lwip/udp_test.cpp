// Datagrams, broadcast, IPv6 and what sockets say their address is.
#include "hosts.hpp"

#include "stack/lwip/api.hpp"

using namespace hosts;

namespace {

task<> overflow_queue(two_hosts& w) {
    auto receiver = w.b->bind_udp({bob_ip, 0});
    auto sender = w.a->bind_udp({address::any(), 0});
    REQUIRE(receiver);
    REQUIRE(sender);
    CHECK(receiver->socket()->set_queue_limit(0).error() == errc::invalid_argument);
    REQUIRE(receiver->socket()->set_queue_limit(5));
    const endpoint to{bob_ip, receiver->local()->port};
    for (int i = 0; i < 12; ++i) {
        const std::vector<std::byte> numbered(1, static_cast<std::byte>(i));
        auto sent = co_await sender->send_to(numbered, to);
        CHECK(sent.has_value());
    }
    co_await sleep(1s);
    CHECK(receiver->dropped() == 7);
    std::array<std::byte, 8> buffer;
    for (int i = 0; i < 5; ++i) { // the first five, in order
        auto got = co_await receiver->recv_from(buffer);
        REQUIRE(got);
        CHECK(got->size == 1);
        CHECK(buffer[0] == static_cast<std::byte>(i));
        CHECK(got->from.address == alice_ip);
        CHECK(got->from.port == sender->local()->port);
    }
    CHECK(receiver->try_recv_from(buffer).error() == errc::would_block);
    auto sent = co_await sender->send_to({}, to);
    CHECK(sent.has_value());
    auto empty = co_await receiver->recv_from(buffer);
    REQUIRE(empty);
    CHECK(empty->size == 0);
    CHECK(!empty->truncated);
    CHECK(receiver->dropped() == 7);
}

task<> carry(weft::stack& from, weft::stack& to, address at, std::size_t size) {
    auto receiver = to.bind_udp({at, 0});
    auto sender = from.bind_udp({address::any(at.family()), 0});
    REQUIRE(receiver);
    REQUIRE(sender);
    const std::vector<std::byte> data = pattern(0, size);
    auto sent = co_await sender->send_to(data, {at, receiver->local()->port});
    REQUIRE(sent);
    CHECK(*sent == size);
    std::vector<std::byte> buffer(70'000);
    auto got = co_await weft::timeout(receiver->recv_from(buffer), 10s);
    REQUIRE(got);
    buffer.resize(got->size);
    CHECK(buffer == data);
    auto again = co_await sender->send_to(data, {at, receiver->local()->port});
    REQUIRE(again);
    std::array<std::byte, 10> small;
    auto cut = co_await weft::timeout(receiver->recv_from(small), 10s);
    REQUIRE(cut);
    CHECK(cut->size == (size < 10 ? size : 10));
    CHECK(cut->truncated == (size > 10));
}

task<> too_long(weft::stack& from, address to, std::size_t largest) {
    auto sender = from.bind_udp({address::any(to.family()), 0});
    REQUIRE(sender);
    const std::vector<std::byte> data(largest + 1);
    auto sent = co_await sender->send_to(data, {to, 9});
    CHECK(sent.error() == errc::message_too_long);
    auto nowhere = co_await sender->send_to(data, {to, 0});
    CHECK(nowhere.error() == errc::invalid_argument);
    auto unconnected = co_await sender->send(data);
    CHECK(unconnected.error() == errc::destination_required);
}

} // namespace

TEST_CASE("udp: the queue has a limit, and what it drops is counted") {
    two_hosts w;
    w.run(overflow_queue(w));
}

TEST_CASE("udp: whole datagrams up to the largest, in fragments, over IPv4 and IPv6") {
    for (const std::size_t size : std::array<std::size_t, 5>{1, 1472, 1473, 9000, 65507}) {
        CAPTURE(size);
        two_hosts w;
        w.run(carry(*w.a, *w.b, bob_ip, size));
    }
    for (const std::size_t size : std::array<std::size_t, 5>{1, 1452, 1453, 9000, 65487}) {
        CAPTURE(size);
        two_hosts w;
        w.run(carry(*w.a, *w.b, v6(2), size));
    }
    two_hosts w;
    w.run(too_long(*w.a, bob_ip, 65507));
    w.run(too_long(*w.a, v6(2), 65487));
}

TEST_CASE("udp: whole datagrams over loopback") {
    one_host alone;
    alone.run(carry(*alone.net, *alone.net, address::loopback(), 65507));
    alone.run(carry(*alone.net, *alone.net, address::loopback(family::ipv6), 9000));
}

namespace {

task<> broadcast(two_hosts& w, address to) {
    auto receiver = w.b->bind_udp({address::any(), 6789});
    auto sender = w.a->bind_udp({address::any(), 0});
    REQUIRE(receiver);
    REQUIRE(sender);
    auto denied = co_await sender->send_to(pattern(0, 4), {to, 6789});
    CHECK(denied.error() == errc::permission_denied);
    REQUIRE(sender->socket()->set_broadcast(true));
    auto sent = co_await sender->send_to(pattern(0, 4), {to, 6789});
    CHECK(sent.has_value());
    std::array<std::byte, 8> buffer;
    auto got = co_await weft::timeout(receiver->recv_from(buffer), 1s);
    REQUIRE(got);
    CHECK(got->size == 4);
    CHECK(got->from.address == alice_ip);
    REQUIRE(sender->socket()->set_broadcast(false));
    auto again = co_await sender->send_to(pattern(0, 4), {to, 6789});
    CHECK(again.error() == errc::permission_denied);
}

task<> connected_filters(two_hosts& w) {
    auto receiver = w.b->bind_udp({bob_ip, 0});
    auto friendly = w.a->bind_udp({alice_ip, 0});
    auto stranger = w.a->bind_udp({alice_ip, 0});
    REQUIRE(receiver);
    REQUIRE(friendly);
    REQUIRE(stranger);
    const endpoint at = *receiver->local();
    REQUIRE(receiver->connect(*friendly->local()));
    CHECK(receiver->socket()->remote()->port == friendly->local()->port);
    auto ignored = co_await stranger->send_to(pattern(0, 3), at);
    CHECK(ignored.has_value());
    auto heard = co_await friendly->send_to(pattern(0, 2), at);
    CHECK(heard.has_value());
    std::array<std::byte, 8> buffer;
    auto got = co_await receiver->recv_from(buffer);
    REQUIRE(got);
    CHECK(got->size == 2);
    CHECK(receiver->try_recv_from(buffer).error() == errc::would_block);
    receiver->close();
    auto closed = co_await receiver->recv_from(buffer);
    CHECK(closed.error() == errc::bad_handle);
    CHECK(receiver->socket()->connect({alice_ip, 9}).error() == errc::bad_handle);
}

} // namespace

TEST_CASE("udp: broadcasting needs permission") {
    two_hosts w;
    w.run(broadcast(w, address::v4(10, 0, 0, 255)));
    w.run(broadcast(w, address::v4(255, 255, 255, 255)));
}

TEST_CASE("udp: a connected socket hears its peer alone") {
    two_hosts w;
    w.run(connected_filters(w));
}

namespace {

address link_local_of(const weft::hardware_address& mac) {
    return address::v6(
        {0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(mac[0] ^ 2), mac[1], mac[2], 0xff,
         0xfe, mac[3], mac[4], mac[5]});
}

task<> stream_between(weft::stack& from, weft::stack& to, endpoint at, received& got) {
    pair_of_streams p;
    co_await connect_pair(from, to, at, p);
    auto sent = co_await p.client.send_all(pattern(0, 10'000));
    CHECK(sent.error() == errc::ok);
    p.client.close();
    co_await read_all(p.server, got);
    CHECK(got.size == 10'000);
    CHECK(got.intact);
}

task<> datagram_refused(weft::stack& from, endpoint to) {
    const auto opened = from.open_udp(family::ipv6);
    REQUIRE(opened);
    udp_socket socket(*opened);
    REQUIRE(socket.connect(to));
    auto sent = co_await socket.send(pattern(0, 4));
    CHECK(sent.has_value());
    std::array<std::byte, 8> buffer;
    auto got = co_await weft::timeout(socket.recv_from(buffer), 5s);
    CHECK(got.error() == errc::connection_refused);
}

} // namespace

TEST_CASE("ipv6: static and link-local addresses, TCP, UDP and ICMP errors") {
    two_hosts w;
    received got;
    w.run(stream_between(*w.a, *w.b, {v6(2), 0}, got));
    w.pass(3s); // duplicate address detection of the link-local ones
    got = {};
    w.run(stream_between(*w.a, *w.b, {link_local_of(bob), 0}, got));
    w.run(carry(*w.a, *w.b, link_local_of(bob), 4000));
    w.run(datagram_refused(*w.a, {v6(2), 9}));
    const auto fixed = w.a->bind_udp({link_local_of(alice), 0});
    REQUIRE(fixed);
    CHECK(fixed->local()->address.scope_id() != 0);
}

namespace {

task<> connected_address(two_hosts& w) {
    auto listener = w.b->listen({address::any(), 0});
    REQUIRE(listener);
    CHECK(listener->local()->address == address::any());
    const auto fresh = w.a->open_tcp(family::ipv4);
    REQUIRE(fresh);
    tcp_stream client(*fresh);
    CHECK(client.local()->address == address::any());
    CHECK(client.local()->port == 0);
    CHECK(client.remote().error() == errc::not_connected);
    std::array<std::byte, 1> one{};
    CHECK(client.try_recv(one).error() == errc::not_connected);
    CHECK(client.try_send(one).error() == errc::not_connected);
    CHECK(client.shutdown_send().error() == errc::not_connected);
    CHECK((*fresh)->try_accept().error() == errc::invalid_argument);
    REQUIRE((*fresh)->bind({address::any(), 0}));
    CHECK((*fresh)->bind({address::any(), 0}).error() == errc::invalid_argument);
    CHECK(client.local()->address == address::any());
    CHECK(client.local()->port >= 49152);
    CHECK((*fresh)->start_connect({bob_ip, listener->local()->port}).error() == errc::in_progress);
    CHECK((*fresh)->start_connect({bob_ip, 1}).error() == errc::already);
    CHECK(client.try_recv(one).error() == errc::would_block);
    CHECK(client.try_send(one).error() == errc::would_block);
    auto server = co_await listener->accept();
    REQUIRE(server);
    CHECK((*fresh)->connect_result().has_value());
    CHECK((*fresh)->start_connect({bob_ip, 1}).error() == errc::already_connected);
    CHECK(client.local()->address == alice_ip);
    CHECK(server->remote() == client.local());
    CHECK(client.remote() == server->local());
    CHECK(w.a->listen({bob_ip, 0}).error() == errc::address_not_available);
    CHECK(w.a->bind_udp({bob_ip, 0}).error() == errc::address_not_available);
    CHECK((*fresh)->bind({address::any(), 1}).error() == errc::invalid_argument);
    const auto wrong = w.a->open_tcp(family::ipv6);
    REQUIRE(wrong);
    tcp_stream six(*wrong);
    CHECK((*wrong)->start_connect({bob_ip, 1}).error() == errc::invalid_argument);
    CHECK((*wrong)->bind({address::any(), 1}).error() == errc::invalid_argument);
    CHECK((*wrong)->start_connect({v6(2), 0}).error() == errc::invalid_argument);
}

/// lwIP opens a pcb for each query, which only its answer or its timer takes back.
std::size_t datagram_pcbs() {
    std::size_t count = 0;
    for (const udp_pcb* pcb = udp_pcbs; pcb != nullptr; pcb = pcb->next) {
        ++count;
    }
    return count;
}

task<> opens_nothing_of_its_own(two_hosts& w) {
    const std::size_t before = datagram_pcbs();
    auto socket = w.a->bind_udp({address::any(), 0});
    REQUIRE(socket);
    auto listener = w.b->listen({bob_ip, 0});
    REQUIRE(listener);
    auto stream = co_await w.a->connect({bob_ip, listener->local()->port});
    CHECK(stream.has_value());
    CHECK(datagram_pcbs() == before + 1);
}

} // namespace

TEST_CASE("sockets and addresses ask lwIP for no name: a query opens a pcb, nothing else does") {
    two_hosts w;
    w.run(opens_nothing_of_its_own(w));
}

TEST_CASE("addresses: any until connected, then the host's own; refused where they make no sense") {
    two_hosts w;
    w.run(connected_address(w));
}
