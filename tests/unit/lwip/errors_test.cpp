// Distinct errors: refused, reset, timed out, unreachable, out of memory; and rule 18, two hosts on
// one wire.
#include "hosts.hpp"
#include "packets.hpp"

#include "stack/lwip/api.hpp"

using namespace hosts;

namespace {

task<> connect_to(weft::stack& from, endpoint to, errc& error) {
    auto peer = co_await from.connect(to);
    outside_lwip();
    error = peer ? errc::ok : peer.error();
}

task<> write_into_a_cut(two_hosts& w, errc& writer, errc& reader) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    w.cut();
    transfer sent;
    received got;
    co_await weft::when_all(write_all(p.client, sent, 10'000'000), read_all(p.client, got));
    writer = sent.error();
    reader = got.error;
    w.mend();
}

} // namespace

TEST_CASE("errors: refused, timed out, no route") {
    two_hosts w(default_seed, {.delay = 1ms});
    errc error = errc::ok;
    w.run(connect_to(*w.a, {bob_ip, 9}, error));
    CHECK(error == errc::connection_refused);
    w.run(connect_to(*w.a, {v6(2), 9}, error));
    CHECK(error == errc::connection_refused);
    w.run(connect_to(*w.a, {address::v4(192, 0, 2, 1), 9}, error));
    CHECK(error == errc::network_unreachable);
    w.run(connect_to(*w.a, {address::loopback(), 9}, error));
    CHECK(
        error ==
        errc::network_unreachable); // this host has no loopback; it never leaves by the wire
    w.run(connect_to(*w.a, {nobody_ip, 9}, error));
    CHECK(error == errc::timed_out);
    w.cut();
    w.run(connect_to(*w.a, {bob_ip, 9}, error));
    CHECK(error == errc::timed_out);
    w.mend();
    w.run(connect_to(*w.a, {address::any(), 9}, error));
    CHECK(error == errc::connection_refused); // itself
}

TEST_CASE("errors: a connection into a cut wire times out, told once to one of reader and writer") {
    two_hosts w;
    errc writer = errc::ok;
    errc reader = errc::ok;
    w.run(write_into_a_cut(w, writer, reader));
    const bool writer_first = writer == errc::timed_out && reader == errc::ok;
    const bool reader_first = reader == errc::timed_out && writer == errc::broken_pipe;
    CHECK((writer_first || reader_first));
}

namespace {

task<> reset_mid_stream(two_hosts& w, received& got) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    auto sent = co_await p.client.send_all(pattern(0, 5000));
    REQUIRE(sent);
    co_await sleep(1s);
    p.client.abort();
    co_await sleep(1s);
    co_await read_all(p.server, got);
    std::array<std::byte, 1> one;
    auto after = co_await p.server.recv(one);
    REQUIRE(after);
    CHECK(*after == 0);
    const auto late = p.server.try_send(one);
    CHECK(late.error() == errc::broken_pipe);
}

} // namespace

TEST_CASE("errors: reset comes after the data before it, once; then the end") {
    two_hosts w;
    received got;
    w.run(reset_mid_stream(w, got));
    CHECK(got.size == 5000);
    CHECK(got.intact);
    CHECK(got.error == errc::connection_reset);
}

namespace {

// Bob's wire answers a SYN with an ICMP error of this code.
task<> unreachable_answer(
    two_hosts& w, recording& seen, address to, address router, unsigned code, bool forged,
    errc& error) {
    seen.frames.clear();
    weft::task_group group(w.home);
    REQUIRE(group.spawn(connect_to(*w.a, {to, 9}, error)));
    co_await sleep(10ms);
    const recording::frame* syn = nullptr;
    for (const recording::frame& f : seen.frames) {
        syn = f.protocol() == 6 ? &f : syn;
    }
    REQUIRE(syn != nullptr);
    packets::bytes quoted(syn->bytes.begin() + 14, syn->bytes.end());
    if (forged) {
        quoted[(to.is_v4() ? 20U : 40U) + 4U] ^= 1; // not our sequence number
    }
    const packets::bytes icmp = to.is_v4() ? packets::unreachable4(code, quoted)
                                           : packets::unreachable6(router, v6(1), code, quoted);
    const packets::bytes packet = to.is_v4() ? packets::ipv4(router, alice_ip, 1, icmp)
                                             : packets::ipv6(router, v6(1), 58, icmp);
    const weft::time_point before = w.home.now();
    REQUIRE(packets::send(*w.bob_end, alice, packet));
    packets::bytes corrupt = packet;
    corrupt[packet.size() - 30] ^= 4;
    REQUIRE(packets::send(*w.bob_end, alice, corrupt));
    auto joined = co_await group.join();
    (void)joined;
    if (error != errc::timed_out) {
        CHECK(w.home.now() - before < 1s);
    }
}

errc unreachable_by(address to, address router, unsigned code, bool forged = false) {
    two_hosts w;
    recording seen(w.cable);
    errc error = errc::ok;
    w.pass(2s);
    // Bob does not answer: he never gets the SYN
    errc warm = errc::ok;
    w.run(connect_to(*w.a, {to, 9}, warm)); // neighbours know each other
    REQUIRE(w.cable.hold(alice, bob));
    w.run(unreachable_answer(w, seen, to, router, code, forged, error));
    return error;
}

} // namespace

TEST_CASE("errors: unreachable by ICMP ends a connect at once; by a forged one it does not") {
    CHECK(unreachable_by(bob_ip, bob_ip, 0) == errc::network_unreachable);
    CHECK(unreachable_by(bob_ip, bob_ip, 1) == errc::host_unreachable);
    CHECK(unreachable_by(bob_ip, bob_ip, 3) == errc::connection_refused);
    CHECK(unreachable_by(bob_ip, bob_ip, 4) == errc::timed_out); // path MTU is no error
    CHECK(unreachable_by(bob_ip, bob_ip, 1, true) == errc::timed_out);
    CHECK(unreachable_by(v6(2), v6(2), 0) == errc::network_unreachable);
    CHECK(unreachable_by(v6(2), v6(2), 3) == errc::host_unreachable);
    CHECK(unreachable_by(v6(2), v6(2), 4) == errc::connection_refused);
    CHECK(unreachable_by(v6(2), v6(2), 3, true) == errc::timed_out);
}

namespace {

task<> connected_soft_error(two_hosts& w, recording& seen) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    auto sent = co_await p.client.send_all("x");
    REQUIRE(sent);
    co_await sleep(1s);
    const recording::frame& last = seen.frames.back();
    const packets::bytes quoted(last.bytes.begin() + 14, last.bytes.end());
    const packets::bytes icmp = packets::unreachable4(1, quoted);
    REQUIRE(packets::send(*w.bob_end, alice, packets::ipv4(bob_ip, alice_ip, 1, icmp)));
    REQUIRE(packets::send(*w.alice_end, bob, packets::ipv4(alice_ip, bob_ip, 1, icmp)));
    co_await sleep(1s);
    auto more = co_await p.client.send_all("y");
    REQUIRE(more);
    std::array<std::byte, 2> both;
    auto got = co_await p.server.read_exactly(both);
    CHECK(got.count == 2);
}

} // namespace

TEST_CASE("errors: ICMP does not end an established connection (RFC 1122 4.2.3.9)") {
    two_hosts w;
    recording seen(w.cable);
    w.run(connected_soft_error(w, seen));
}

namespace {

task<> refused_datagrams(two_hosts& w, endpoint to, bool whole) {
    const auto opened = w.a->open_udp(to.address.family());
    REQUIRE(opened);
    udp_socket client(*opened);
    REQUIRE(client.connect(to));
    std::array<std::byte, 8> data{};
    const auto datagram = std::span(data).first(whole ? 8 : 0);
    auto sent = co_await client.send(datagram);
    REQUIRE(sent);
    std::array<std::byte, 8> buffer;
    auto got = co_await weft::timeout(client.recv_from(buffer), 5s);
    CHECK(got.error() == errc::connection_refused);
    auto again = co_await weft::timeout(client.recv_from(buffer), 1s);
    CHECK(again.error() == errc::timed_out); // told once
    auto more = co_await client.send(data);
    CHECK(more.has_value());
    co_await sleep(1s);
    auto told = co_await client.send(data);
    CHECK(told.error() == errc::connection_refused); // a sender is told as well
}

task<> both_listen(two_hosts& w) {
    auto left = w.a->listen({address::any(), 80});
    auto right = w.b->listen({address::any(), 80});
    auto left6 = w.a->listen({address::any(family::ipv6), 80});
    auto right6 = w.b->listen({address::any(family::ipv6), 80});
    REQUIRE(left);
    REQUIRE(right);
    REQUIRE(left6);
    REQUIRE(right6);
    CHECK(left->local()->address == address::any());
    CHECK(right6->local()->address == address::any(family::ipv6));
    CHECK(w.a->listen({address::any(), 80}).error() == errc::address_in_use);
    auto to_bob = co_await w.a->connect({bob_ip, 80});
    REQUIRE(to_bob);
    auto at_bob = co_await right->accept();
    REQUIRE(at_bob);
    CHECK(at_bob->remote()->address == alice_ip);
    CHECK(at_bob->local()->address == bob_ip);
    CHECK(to_bob->local()->address == alice_ip);
    auto to_alice = co_await w.b->connect({v6(1), 80});
    REQUIRE(to_alice);
    auto at_alice = co_await left6->accept();
    REQUIRE(at_alice);
    CHECK(at_alice->remote()->address == v6(2));
    CHECK(left->try_accept().error() == errc::would_block);
}

} // namespace

TEST_CASE("pitfall 18: two hosts of one lwIP: both listen on any:80, and each answers for itself") {
    two_hosts w;
    w.run(both_listen(w));
    CHECK(w.cable.count(weft::wire_fate::received) > 6);
}

TEST_CASE("pitfall 18: RST and port unreachable cross the wire") {
    two_hosts w;
    recording seen(w.cable);
    errc error = errc::ok;
    w.run(connect_to(*w.a, {bob_ip, 81}, error));
    CHECK(error == errc::connection_refused);
    CHECK(seen.segments_with(recording::rst) == 1);
    for (const bool data : {true, false}) {
        seen.frames.clear();
        w.run(refused_datagrams(w, {bob_ip, 9}, data));
        w.run(refused_datagrams(w, {v6(2), 9}, data));
        std::size_t icmp4 = 0;
        std::size_t icmp6 = 0;
        for (const recording::frame& f : seen.frames) {
            icmp4 += f.is_ipv4() && f.protocol() == 1 && f.bytes[34] == 3 ? 1U : 0U;
            icmp6 += f.is_ipv6() && f.protocol() == 58 && f.bytes[54] == 1 ? 1U : 0U;
        }
        CHECK(icmp4 == 2);
        CHECK(icmp6 == 2);
    }
}
