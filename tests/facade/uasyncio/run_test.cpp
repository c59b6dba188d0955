// A program of coroutines without a line of set-up.
#include <uasyncio/uasyncio.hpp>
#include <usocket/usocket.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

weft::task<> answer(uasyncio::stream peer) {
    auto line = co_await peer.readline();
    if (line) {
        peer.write("heard ");
        peer.write(*line);
    }
    auto sent = co_await peer.drain();
    REQUIRE(sent.has_value());
}

weft::task<std::string> question() {
    auto server = co_await uasyncio::start_server(&answer, "127.0.0.1", 0);
    REQUIRE(server.has_value());
    const auto at = server->sockname();
    REQUIRE(at.has_value());
    auto peer = co_await uasyncio::open_connection("127.0.0.1", at->port);
    REQUIRE(peer.has_value());
    peer->write("hello\n");
    auto heard = co_await peer->readline();
    REQUIRE(heard.has_value());
    server->close();
    auto ended = co_await server->wait_closed();
    REQUIRE(ended.has_value());
    co_return std::string(heard->view());
}

weft::task<weft::errc> blocking_inside() {
    usocket::socket s;
    try {
        s.connect({"127.0.0.1", 1});
    } catch (const usocket::OSError& error) {
        CHECK(
            std::string_view(error.what()).find("co_await weft::stack::connect") !=
            std::string_view::npos);
        co_return error.code();
    }
    co_return weft::errc::ok;
}

} // namespace

TEST_CASE("coroutines run on the stack that the thread's sockets come from") {
    const auto heard = uasyncio::run(question());
    REQUIRE(heard.has_value());
    CHECK(*heard == "heard hello\n");
}

TEST_CASE("a blocking call inside that loop is told what to await instead") {
    const auto told = uasyncio::run(blocking_inside());
    REQUIRE(told.has_value());
    CHECK(*told == weft::errc::would_deadlock);
}
