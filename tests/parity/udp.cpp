// UDP: datagrams with their boundaries and addresses, their errors, and what is dropped.
#include "sequence.hpp"

#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <tuple>
#include <vector>

namespace parity {
namespace {

using weft::datagram;

/// A socket on each side.
struct mailboxes {
    udp_socket server;
    udp_socket client;
    endpoint server_at;
    endpoint client_at;
};

mailboxes open_mailboxes(world& w, family f = family::ipv4) {
    mailboxes made;
    result<udp_socket> server = w.server_net().bind_udp(endpoint{w.server_address(f), 0});
    result<udp_socket> client = w.client_net().bind_udp(endpoint{w.client_address(f), 0});
    REQUIRE(error_of(server) == errc::ok);
    REQUIRE(error_of(client) == errc::ok);
    const result<endpoint> server_at = server->local();
    const result<endpoint> client_at = client->local();
    REQUIRE(error_of(server_at) == errc::ok);
    REQUIRE(error_of(client_at) == errc::ok);
    made.server = std::move(*server);
    made.client = std::move(*client);
    made.server_at = *server_at;
    made.client_at = *client_at;
    return made;
}

/// Sends `message` until it arrives: once, unless the network loses datagrams.
task<datagram> deliver(
    world& w, udp_socket& from, std::span<const std::byte> message, endpoint to, udp_socket& at,
    std::span<std::byte> into) {
    for (int tries = 0; tries < (w.known().lossy ? 40 : 1); ++tries) {
        auto sent = co_await from.send_to(message, to);
        REQUIRE(error_of(sent) == errc::ok);
        REQUIRE(*sent == message.size());
        auto got = co_await weft::timeout(at.recv_from(into), w.settling() * 20);
        if (got) {
            co_return *got;
        }
        REQUIRE(error_of(got) == errc::timed_out);
        REQUIRE(w.known().lossy);
    }
    FAIL("forty datagrams were lost");
    co_return weft::fail(errc::timed_out);
}

task<> echo_datagrams(world& w, family f) {
    mailboxes m = open_mailboxes(w, f);
    bytes room(2000);
    for (const std::size_t size : {1UL, 2UL, 64UL, 537UL, 1200UL, 1400UL}) {
        const bytes question = known_bytes(size, size);
        auto heard = co_await deliver(w, m.client, question, m.server_at, m.server, room);
        REQUIRE(error_of(heard) == errc::ok);
        CHECK(heard->size == size);
        CHECK(!heard->truncated);
        CHECK(heard->from == m.client_at);
        CHECK(agreeing(std::span(room).first(heard->size), size) == size);
        const bytes answer = known_bytes(size * 7, size + 1);
        auto back = co_await deliver(w, m.server, answer, heard->from, m.client, room);
        REQUIRE(error_of(back) == errc::ok);
        CHECK(back->size == size + 1);
        CHECK(back->from == m.server_at);
        CHECK(agreeing(std::span(room).first(back->size), size * 7) == back->size);
    }
}
TEST_CASE("UDP echo: what was sent, from whom, there and back") {
    run_both(echo_datagrams);
}

task<> fragmented_datagram(world& w, family f) {
    mailboxes m = open_mailboxes(w, f);
    bytes room(10'000);
    const bytes question = known_bytes(3, 6000);
    auto heard = co_await deliver(w, m.client, question, m.server_at, m.server, room);
    REQUIRE(error_of(heard) == errc::ok);
    CHECK(heard->size == question.size());
    CHECK(agreeing(std::span(room).first(heard->size), 3) == question.size());
}
TEST_CASE("a datagram larger than the MTU arrives whole") {
    run_both(fragmented_datagram);
}

task<> boundaries(world& w) {
    mailboxes m = open_mailboxes(w);
    const std::vector<std::size_t> sizes = {10, 1, 300, 44, 1000};
    for (const std::size_t size : sizes) {
        const bytes message = known_bytes(size, size); // its size says what is in it
        auto sent = co_await m.client.send_to(message, m.server_at);
        CHECK(error_of(sent) == errc::ok);
    }
    auto arrived = co_await pause(w);
    CHECK(error_of(arrived) == errc::ok);
    std::vector<std::size_t> came;
    bytes room(2000);
    while (came.size() < sizes.size()) {
        auto got = co_await weft::timeout(m.server.recv_from(room), w.settling());
        if (!got) {
            break;
        }
        CHECK(agreeing(std::span(room).first(got->size), got->size) == got->size);
        came.push_back(got->size);
    }
    if (!w.known().lossy) {
        CHECK(came == sizes);
    }
    for (const std::size_t size : came) {
        CHECK(std::count(sizes.begin(), sizes.end(), size) == 1);
    }
}
TEST_CASE("datagrams keep their boundaries and, on an orderly network, their order") {
    run(boundaries);
}

task<> empty_datagram(world& w, family f) {
    mailboxes m = open_mailboxes(w, f);
    bytes room(16);
    auto heard = co_await deliver(w, m.client, bytes(), m.server_at, m.server, room);
    REQUIRE(error_of(heard) == errc::ok);
    CHECK(heard->size == 0);
    CHECK(heard->from == m.client_at);
    CHECK(!heard->truncated);
    const bytes after = known_bytes(0, 5);
    auto next = co_await deliver(w, m.client, after, m.server_at, m.server, room);
    REQUIRE(error_of(next) == errc::ok);
    CHECK((next->size == 5 || (w.known().lossy && next->size == 0)));
}
TEST_CASE("an empty datagram is a datagram, and no end of anything") {
    run_both(empty_datagram);
}

task<> truncation(world& w) {
    mailboxes m = open_mailboxes(w);
    const bytes message = known_bytes(0, 100);
    bytes room(40);
    auto cut = co_await deliver(w, m.client, message, m.server_at, m.server, room);
    REQUIRE(error_of(cut) == errc::ok);
    CHECK(cut->size == 40);
    CHECK(cut->truncated);
    CHECK(agreeing(room, 0) == 40);
    bytes exact(100);
    auto whole = co_await deliver(w, m.client, message, m.server_at, m.server, exact);
    REQUIRE(error_of(whole) == errc::ok);
    CHECK(whole->size == 100); // the rest of the first is gone
    CHECK(!whole->truncated);
}
TEST_CASE("a buffer too small takes the beginning and says truncated; the rest is gone") {
    run(truncation);
}

task<> too_long(world& w, family f) {
    mailboxes m = open_mailboxes(w, f);
    const bytes message(70'000);
    auto from_client = co_await m.client.send_to(message, m.server_at);
    CHECK(error_of(from_client) == errc::message_too_long);
    auto from_server = co_await m.server.send_to(message, m.client_at);
    CHECK(error_of(from_server) == errc::message_too_long);
}
TEST_CASE("a datagram that no IP packet holds: message_too_long, and nothing is sent") {
    run_both(too_long);
}

task<> no_destination(world& w) {
    mailboxes m = open_mailboxes(w);
    const bytes message(10);
    auto from_client = co_await m.client.send(message);
    CHECK(error_of(from_client) == errc::destination_required);
    auto from_server = co_await m.server.send(message);
    CHECK(error_of(from_server) == errc::destination_required);
}
TEST_CASE("send on an unconnected socket: destination_required") {
    run(no_destination);
}

task<> connected(world& w, family f) {
    mailboxes m = open_mailboxes(w, f);
    result<udp_socket> stranger = w.client_net().bind_udp(endpoint{w.client_address(f), 0});
    REQUIRE(error_of(stranger) == errc::ok);
    REQUIRE(error_of(m.server.connect(m.client_at)) == errc::ok);
    const result<endpoint> peer = m.server.socket()->remote();
    REQUIRE(error_of(peer) == errc::ok);
    CHECK(*peer == m.client_at);
    bytes room(100);
    const bytes unwanted(7);
    auto ignored = co_await stranger->send_to(unwanted, m.server_at);
    CHECK(error_of(ignored) == errc::ok);
    const bytes wanted = known_bytes(0, 9);
    auto got = co_await deliver(w, m.client, wanted, m.server_at, m.server, room);
    REQUIRE(error_of(got) == errc::ok);
    CHECK(got->size == 9);
    CHECK(got->from == m.client_at);
    auto answer = co_await m.server.send(wanted);
    CHECK(error_of(answer) == errc::ok);
    auto nothing = co_await weft::timeout(stranger->recv_from(room), w.settling());
    CHECK(error_of(nothing) == errc::timed_out);
}
TEST_CASE("a connected socket hears its peer alone, and sends to it without an address") {
    run_both(connected);
}

task<> refused_once(world& w, family f) {
    mailboxes m = open_mailboxes(w, f);
    const endpoint closed = m.server_at;
    m.server = udp_socket();
    auto turned = co_await weft::yield();
    CHECK(error_of(turned) == errc::ok);
    REQUIRE(error_of(m.client.connect(closed)) == errc::ok);
    const bytes message(10);
    bytes room(100);
    errc told = errc::timed_out;
    for (int tries = 0; told == errc::timed_out && tries < 20; ++tries) {
        auto sent = co_await m.client.send(message);
        REQUIRE(error_of(sent) == errc::ok);
        auto got = co_await weft::timeout(m.client.recv_from(room), w.settling() * 4);
        told = error_of(got);
    }
    CHECK(told == errc::connection_refused);
    auto again = co_await weft::timeout(m.client.recv_from(room), w.settling());
    CHECK(error_of(again) == errc::timed_out);
}
TEST_CASE("a connected socket that met a closed port is told connection_refused, once") {
    run_both(refused_once);
}

task<> port_is_taken(world& w) {
    mailboxes m = open_mailboxes(w);
    const result<udp_socket> second = w.server_net().bind_udp(m.server_at);
    CHECK((second.has_value() || second.error() == errc::address_in_use));
    const result<weft::datagram_socket*> third = w.server_net().open_udp(family::ipv4);
    REQUIRE(error_of(third) == errc::ok);
    const udp_socket holder(*third);
    CHECK(error_of((*third)->bind(m.server_at)) == errc::address_in_use);
    co_return;
}
TEST_CASE("binding a port that another socket has: address_in_use") {
    run(port_is_taken);
}

task<> overflow(world& w) {
    mailboxes m = open_mailboxes(w);
    REQUIRE(error_of(m.server.socket()->set_queue_limit(4)) == errc::ok);
    constexpr std::uint64_t sent_in_all = 200;
    const bytes message = known_bytes(0, 1000);
    for (std::uint64_t i = 0; i < sent_in_all; ++i) {
        auto sent = co_await m.client.send_to(message, m.server_at);
        REQUIRE(error_of(sent) == errc::ok);
        if (i % 10 == 9) {
            auto turned = co_await weft::sleep_for(w.settling() / 50);
            REQUIRE(error_of(turned) == errc::ok);
        }
    }
    auto arrived = co_await pause(w);
    CHECK(error_of(arrived) == errc::ok);
    std::uint64_t received = 0;
    bytes room(1000);
    while (true) {
        auto got = co_await weft::timeout(m.server.recv_from(room), w.settling());
        if (!got) {
            break;
        }
        CHECK(got->size == 1000);
        ++received;
    }
    CHECK(received >= 1);
    CHECK(received < sent_in_all);
    auto one_more = co_await deliver(w, m.client, message, m.server_at, m.server, room);
    CHECK(error_of(one_more) == errc::ok); // with it the host learns the count
    const std::uint64_t dropped = m.server.dropped();
    if (!w.known().lossy) {
        CHECK(received + dropped == sent_in_all);
    }
    MESSAGE(received, " received and ", dropped, " counted as dropped, of ", sent_in_all);
}
TEST_CASE("a queue that is full drops and counts; the socket goes on") {
    run(overflow);
}

task<> note_recv(udp_socket& s, errc& told) {
    std::byte room[16];
    auto got = co_await s.recv_from(room);
    told = error_of(got);
}

task<> waits_end(world& w) {
    mailboxes m = open_mailboxes(w);
    std::byte room[16];
    auto late = co_await weft::timeout(m.server.recv_from(room), w.settling());
    CHECK(error_of(late) == errc::timed_out);
    errc first = errc::would_block;
    weft::task_group waiting(w.home());
    REQUIRE(error_of(waiting.spawn(note_recv(m.server, first))) == errc::ok);
    auto second = co_await m.server.recv_from(room);
    CHECK(error_of(second) == errc::already);
    waiting.cancel();
    auto joined = co_await waiting.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(first == errc::canceled);
    weft::task_group again(w.home());
    REQUIRE(error_of(again.spawn(note_recv(m.server, first))) == errc::ok);
    m.server.close();
    auto ended = co_await again.join();
    CHECK(error_of(ended) == errc::ok);
    CHECK(first == errc::bad_handle);
    auto closed = co_await m.server.send_to(std::as_bytes(std::span("x")), m.client_at);
    CHECK(error_of(closed) == errc::bad_handle);
    {
        weft::task_group doomed(w.home()); // destroyed in its wait
        REQUIRE(error_of(doomed.spawn(note_recv(m.client, first))) == errc::ok);
    }
    const result<datagram> none = m.client.try_recv_from(room);
    CHECK(error_of(none) == errc::would_block);
}
TEST_CASE("recv_from: timed out, cancelled, closed, destroyed, and a second one told already") {
    run(waits_end);
}

task<> send_canceled(world& w) {
    mailboxes m = open_mailboxes(w);
    weft::scope chain(w.home());
    chain.cancel();
    const bytes message(5);
    auto sent = co_await weft::within(chain, m.client.send_to(message, m.server_at));
    CHECK(error_of(sent) == errc::canceled);
    bytes room(16);
    auto none = co_await weft::timeout(m.server.recv_from(room), w.settling());
    CHECK(error_of(none) == errc::timed_out);
}
TEST_CASE("send_to in a cancelled scope: canceled, and nothing was sent") {
    run(send_canceled);
}

task<> send_numbered(world& w, udp_socket& from, endpoint to, std::size_t many) {
    for (std::size_t i = 1; i <= many; ++i) {
        const bytes message = known_bytes(i, i);
        auto sent = co_await from.send_to(message, to);
        REQUIRE(error_of(sent) == errc::ok);
        auto slept = co_await weft::sleep_for(w.random_moment(500us));
        REQUIRE(error_of(slept) == errc::ok);
    }
}

task<> receive_numbered(world& w, udp_socket& at, std::size_t many, std::size_t& came) {
    bytes room(2000);
    std::size_t last = 0;
    int silent = 0;
    while (last < many && silent < 2000) {
        auto won =
            co_await weft::when_any(at.recv_from(room), weft::sleep_for(w.random_moment(400us)));
        const result<datagram>& got = std::get<0>(won.results);
        REQUIRE((got || got.error() == errc::canceled));
        silent = got ? 0 : silent + 1;
        if (got) {
            REQUIRE(agreeing(std::span(room).first(got->size), got->size) == got->size);
            REQUIRE((w.known().lossy || got->size == last + 1));
            last = std::max(last, got->size);
            ++came;
        }
    }
}

task<> no_datagram_is_lost(world& w) {
    mailboxes m = open_mailboxes(w);
    constexpr std::size_t many = 200;
    std::size_t came = 0;
    auto both = co_await weft::when_all(
        send_numbered(w, m.client, m.server_at, many), receive_numbered(w, m.server, many, came));
    CHECK(error_of(std::get<0>(both)) == errc::ok);
    CHECK(error_of(std::get<1>(both)) == errc::ok);
    CHECK((came == many || w.known().lossy));
    CHECK(came <= many);
    CHECK(came > many / 2);
}
TEST_CASE("recv_from cancelled at random moments: no datagram is lost by it or comes twice") {
    run(no_datagram_is_lost);
}

} // namespace
} // namespace parity
