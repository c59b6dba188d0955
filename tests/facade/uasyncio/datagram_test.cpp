// Datagram endpoints: with coroutines, and with a protocol object.
#include "peers.hpp"

#include <uasyncio/datagram.hpp>

#include <tuple>

namespace uasyncio_test {
namespace {

using uasyncio::datagram_endpoint;
using uasyncio::received;

datagram_endpoint bound(weft::stack& net, const weft::address& at) {
    result<datagram_endpoint> made = uasyncio::create_datagram_endpoint(net, endpoint{at, 0});
    REQUIRE(error_of(made) == errc::ok);
    return std::move(*made);
}
endpoint name_of(const datagram_endpoint& of) {
    const auto name = of.get_extra_info("sockname");
    REQUIRE(name.has_value());
    return *name;
}

/// Sends until it arrives: once, unless the network loses datagrams.
task<received> deliver(
    world& w, datagram_endpoint& from, std::string_view text, endpoint to, datagram_endpoint& at,
    std::size_t size = datagram_endpoint::default_size) {
    for (int tries = 0; tries < (w.known().lossy ? 40 : 1); ++tries) {
        auto sent = co_await from.sendto(text, to);
        REQUIRE(error_of(sent) == errc::ok);
        CHECK(*sent == text.size());
        auto got = co_await weft::timeout(at.recvfrom(size), w.settling() * 4);
        if (got) {
            co_return std::move(got);
        }
        REQUIRE(error_of(got) == errc::timed_out);
    }
    FAIL("the datagram did not arrive");
    co_return weft::fail(errc::timed_out);
}

task<> there_and_back(world& w, family f) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(f));
    datagram_endpoint client = bound(w.client_net(), w.client_address(f));
    for (const char* text : {"hello", "a longer datagram", ""}) {
        auto heard = co_await deliver(w, client, text, name_of(server), server);
        REQUIRE(error_of(heard) == errc::ok);
        CHECK(heard->data == text);
        CHECK(heard->from == name_of(client));
        CHECK(!heard->truncated);
        auto back = co_await deliver(w, server, heard->data, heard->from, client);
        REQUIRE(error_of(back) == errc::ok);
        CHECK(back->data == text);
        CHECK(back->from == name_of(server));
    }
}
TEST_CASE("sendto and recvfrom: a datagram there and back, with its sender; an empty one too") {
    run_both(there_and_back);
}

task<> cut_to_size(world& w) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(family::ipv4));
    datagram_endpoint client = bound(w.client_net(), w.client_address(family::ipv4));
    auto cut = co_await deliver(w, client, "abcdef", name_of(server), server, 4);
    REQUIRE(error_of(cut) == errc::ok);
    CHECK(cut->data == "abcd");
    CHECK(cut->truncated);
}
TEST_CASE("recvfrom(n): a longer datagram is cut to n, and says so") {
    run(cut_to_size);
}

task<> connected_pair(world& w) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(family::ipv4));
    auto client = uasyncio::create_datagram_endpoint(w.client_net(), std::nullopt, name_of(server));
    REQUIRE(error_of(client) == errc::ok);
    CHECK(client->get_extra_info("peername") == name_of(server));
    CHECK(!server.get_extra_info("peername").has_value());
    CHECK(!server.get_extra_info("socket").has_value());
    for (int tries = 0; tries < 40; ++tries) {
        auto sent = co_await client->sendto("ping");
        REQUIRE(error_of(sent) == errc::ok);
        auto got = co_await weft::timeout(server.recvfrom(), w.settling() * 4);
        if (got) {
            CHECK(got->data == "ping");
            co_return;
        }
        REQUIRE(w.known().lossy);
    }
    FAIL("forty datagrams were lost");
}
TEST_CASE("an endpoint with a remote sends there without an address") {
    run(connected_pair);
}

task<> wrong_endpoints(world& w) {
    weft::stack& net = w.server_net();
    const endpoint here4{w.server_address(family::ipv4), 0};
    const endpoint there6{weft::address::loopback(family::ipv6), 7};
    CHECK(
        error_of(uasyncio::create_datagram_endpoint(net, std::nullopt)) == errc::invalid_argument);
    CHECK(
        error_of(uasyncio::create_datagram_endpoint(net, here4, there6)) == errc::invalid_argument);
    datagram_endpoint first = bound(net, w.server_address(family::ipv4));
    CHECK(
        error_of(uasyncio::create_datagram_endpoint(net, name_of(first))) == errc::address_in_use);
    auto sent = co_await first.sendto("to whom?");
    CHECK(error_of(sent) == errc::destination_required);
}
TEST_CASE("create_datagram_endpoint with wrong endpoints says why, and leaves no socket") {
    run(wrong_endpoints);
}

task<> expect_receive_error(datagram_endpoint& from, errc expected) {
    auto got = co_await from.recvfrom();
    CHECK(error_of(got) == expected);
}
task<> closed_and_second(world& w) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(family::ipv4));
    weft::task_group reader(w.home());
    REQUIRE(error_of(reader.spawn(expect_receive_error(server, errc::bad_handle))) == errc::ok);
    auto second = co_await expect_receive_error(server, errc::already);
    REQUIRE(error_of(second) == errc::ok);
    CHECK(!server.is_closing());
    server.close();
    CHECK(server.is_closing());
    auto joined = co_await reader.join();
    CHECK(error_of(joined) == errc::ok);
    auto later = co_await expect_receive_error(server, errc::bad_handle);
    REQUIRE(error_of(later) == errc::ok);
    const endpoint to{w.client_address(family::ipv4), 7};
    auto sent = co_await server.sendto("x", to);
    CHECK(error_of(sent) == errc::bad_handle);
    CHECK(!server.get_extra_info("sockname").has_value());
    datagram_endpoint none;
    auto nowhere = co_await expect_receive_error(none, errc::bad_handle);
    REQUIRE(error_of(nowhere) == errc::ok);
    CHECK(!none.get_extra_info("sockname").has_value());
}
TEST_CASE("a second receiver is told already; close wakes the first with bad_handle") {
    run(closed_and_second);
}

// --- protocols ------------------------------------------------------------------------------

/// Answers with what it hears, and writes down what is called.
struct recorder {
    std::string log;
    datagram_endpoint* transport = nullptr;

    void connection_made(datagram_endpoint& made) {
        transport = &made;
        log += "made;";
    }
    void datagram_received(std::span<const std::byte> data, const endpoint& from) {
        log.append(reinterpret_cast<const char*>(data.data()), data.size());
        log += ';';
        const auto sent = transport->try_sendto(data, from);
        CHECK(error_of(sent) == errc::ok);
    }
    void error_received(errc error) { log += std::string(weft::name(error)) + ";"; }
    void connection_lost(errc error) { log += std::string("lost ") + weft::name(error) + ";"; }
};
static_assert(uasyncio::datagram_protocol<recorder>);

task<> run_protocol(datagram_endpoint& on, recorder& protocol, errc expected) {
    auto ended = co_await on.run(protocol);
    CHECK(error_of(ended) == expected);
}

task<> protocol_answers(world& w) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(family::ipv4));
    datagram_endpoint client = bound(w.client_net(), w.client_address(family::ipv4));
    recorder protocol;
    weft::task_group running(w.home());
    REQUIRE(error_of(running.spawn(run_protocol(server, protocol, errc::ok))) == errc::ok);
    CHECK(protocol.log == "made;");
    for (const char* text : {"one", "two"}) {
        auto back = co_await deliver(w, client, text, name_of(server), client);
        REQUIRE(error_of(back) == errc::ok);
        CHECK(back->data == text);
    }
    CHECK(protocol.log.find("one;") != std::string::npos);
    CHECK(protocol.log.find("two;") != std::string::npos);
    server.close();
    auto joined = co_await running.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(protocol.log.ends_with(";lost OK;"));
}
TEST_CASE("a protocol is called for each datagram, may answer at once, and hears of the close") {
    run(protocol_answers);
}

task<> second_protocol(world& w) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(family::ipv4));
    recorder first;
    recorder second;
    weft::task_group running(w.home());
    REQUIRE(error_of(running.spawn(run_protocol(server, first, errc::ok))) == errc::ok);
    auto refused = co_await run_protocol(server, second, errc::already);
    REQUIRE(error_of(refused) == errc::ok);
    CHECK(second.log == "made;");
    server.close();
    auto joined = co_await running.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(first.log == "made;lost OK;");
}
TEST_CASE("a second protocol on one endpoint is told already, and does not disturb the first") {
    run(second_protocol);
}

task<> protocol_cancelled(world& w) {
    datagram_endpoint server = bound(w.server_net(), w.server_address(family::ipv4));
    recorder protocol;
    weft::task_group running(w.home());
    REQUIRE(error_of(running.spawn(run_protocol(server, protocol, errc::canceled))) == errc::ok);
    running.cancel();
    auto joined = co_await running.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(protocol.log == "made;lost ECANCELED;");
    CHECK(!server.is_closing());
}
TEST_CASE("a protocol whose task is cancelled is told so; the endpoint stays open") {
    run(protocol_cancelled);
}

task<> protocol_refused(world& w, family f) {
    endpoint closed_port;
    {
        datagram_endpoint gone = bound(w.server_net(), w.server_address(f));
        closed_port = name_of(gone);
    }
    auto turned = co_await weft::yield();
    (void)turned;
    auto client = uasyncio::create_datagram_endpoint(w.client_net(), std::nullopt, closed_port);
    REQUIRE(error_of(client) == errc::ok);
    recorder protocol;
    weft::task_group running(w.home());
    REQUIRE(error_of(running.spawn(run_protocol(*client, protocol, errc::ok))) == errc::ok);
    for (int tries = 0; protocol.log == "made;" && tries < 40; ++tries) {
        auto sent = co_await client->sendto("anybody?");
        CHECK((sent || sent.error() == errc::connection_refused));
        auto slept = co_await weft::sleep_for(w.settling() * 4);
        (void)slept;
    }
    CHECK(protocol.log == "made;ECONNREFUSED;");
    client->close();
    auto joined = co_await running.join();
    CHECK(error_of(joined) == errc::ok);
    CHECK(protocol.log == "made;ECONNREFUSED;lost OK;");
}
TEST_CASE(
    "a datagram to a closed port: connection_refused through error_received, and it goes on") {
    run_both(protocol_refused);
}

} // namespace
} // namespace uasyncio_test
