// The façade compiled without exceptions and RTTI, over a library that has them: calls return
// results with the same numbers.
#include <usocket/usocket.hpp>
#include <usocket/ussl.hpp>

#include <doctest/doctest.h>

#include <string_view>

using usocket::AF_INET;
using usocket::SOCK_STREAM;
using weft::errc;

namespace {

struct pair {
    usocket::socket listener;
    usocket::socket client;
    usocket::socket server;
};

pair connected() {
    pair made;
    REQUIRE(made.listener.bind({"127.0.0.1", 0}));
    REQUIRE(made.listener.listen());
    REQUIRE(made.client.connect(*made.listener.getsockname()));
    auto accepted = made.listener.accept();
    REQUIRE(accepted);
    made.server = std::move(accepted->first);
    CHECK(accepted->second == *made.client.getsockname());
    return made;
}

} // namespace

TEST_CASE("without exceptions a socket that cannot be had says why") {
    const auto wrong = usocket::socket::open(99, SOCK_STREAM);
    REQUIRE(!wrong);
    CHECK(wrong.error() == errc::family_not_supported);
    usocket::socket closed(AF_INET, 99);
    CHECK(closed.fileno() == -1);
    CHECK(closed.recv(1).error() == errc::bad_handle);
}

TEST_CASE("without exceptions calls return their result or the number") {
    pair p = connected();
    CHECK(*p.client.send("one\ntwo") == 7);
    const auto line = p.server.readline();
    REQUIRE(line);
    CHECK(**line == "one\n");
    CHECK(p.server.recv(-1).error() == errc::invalid_argument);
    CHECK(p.server.settimeout(0.02));
    CHECK(p.server.read(10).error() == errc::timed_out);
    CHECK(**p.server.read(3) == "two"); // nothing was lost
    CHECK(p.server.setblocking(false));
    CHECK(p.server.recv(1).error() == errc::would_block);
    CHECK(!p.server.read(1)->has_value()); // None
    CHECK(p.server.connect({"no number", 1}).error() == errc::invalid_argument);
    CHECK(p.server.makefile("x").error() == errc::invalid_argument);
    CHECK(p.server.getsockopt(usocket::SOL_SOCKET, 0x7777).error() == errc::bad_option);
    p.server.close();
    CHECK(**p.client.read() == "");
}

TEST_CASE("without exceptions names, addresses and polling return results") {
    const auto found = usocket::getaddrinfo("127.0.0.1", "http");
    REQUIRE(found);
    CHECK((*found)[0][-1].port() == 80);
    CHECK(
        usocket::getaddrinfo("x", 80, 0, 0, 0, usocket::AI_NUMERICHOST).error() ==
        errc::name_not_found);
    CHECK(*usocket::inet_pton(AF_INET, "1.2.3.4") == "\1\2\3\4");
    CHECK(*usocket::inet_ntop(AF_INET, std::string_view("\x7f\0\0\1", 4)) == "127.0.0.1");
    CHECK(usocket::inet_ntop(AF_INET, "abc").error() == errc::invalid_argument);

    pair p = connected();
    auto poller = uselect::poll();
    CHECK(poller.register_(p.server, uselect::POLLIN));
    CHECK(poller.modify(p.client, uselect::POLLIN).error() == errc::no_such_entry);
    CHECK(poller.poll(0)->empty());
    CHECK(p.client.sendall("x"));
    const auto ready = poller.poll(5000);
    REQUIRE(ready);
    REQUIRE(ready->size() == 1);
    CHECK((*ready)[0].is(p.server));
    CHECK((*ready)[0].events == uselect::POLLIN);
}

#if defined(WITH_TLS)
TEST_CASE(
    "without exceptions TLS's calls return results, and a socket that was not wrapped stays") {
    pair at = connected();
    ussl::SSLContext there(ussl::PROTOCOL_TLS_SERVER);
    CHECK(there.load_cert_chain("no certificate", "no key").error() == errc::invalid_argument);
    const auto refused = there.wrap_socket(std::move(at.server), {.server_side = true});
    REQUIRE(!refused); // it has nothing to show
    CHECK(refused.error() == errc::invalid_argument);
    CHECK(at.server.fileno() != -1);

    REQUIRE(at.client.settimeout(0));
    auto client = ussl::wrap_socket(std::move(at.client));
    REQUIRE(client);
    CHECK(client->do_handshake().error() == errc::would_block);
    CHECK(client->cipher().error() == errc::not_connected);
    CHECK(client->accept().error() == errc::invalid_argument);
    CHECK(client->recv(1).error() == errc::would_block);
    REQUIRE(at.server.send("no TLS"));
    REQUIRE(client->settimeout(20));
    CHECK(client->do_handshake().error() == errc::tls_protocol);
}
#endif
