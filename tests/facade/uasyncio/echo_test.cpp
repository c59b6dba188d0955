// open_connection and start_server together: lines there and back.
#include "peers.hpp"

namespace uasyncio_test {
namespace {

task<> echo_lines(stream peer) {
    while (true) {
        auto line = co_await peer.readline();
        if (!line || line->empty()) {
            co_return;
        }
        peer.write(*line);
        auto sent = co_await peer.drain();
        REQUIRE(error_of(sent) == errc::ok);
    }
}

task<> say_and_hear(stream& peer, std::string line) {
    const auto taken = peer.write(line);
    REQUIRE(error_of(taken) == errc::ok);
    CHECK(*taken == line.size());
    auto drained = co_await peer.drain();
    CHECK(error_of(drained) == errc::ok);
    auto answer = co_await peer.readline();
    REQUIRE(error_of(answer) == errc::ok);
    CHECK(answer->view() == line);
}

task<> echo(world& w, family f) {
    auto server = co_await uasyncio::start_server(
        w.server_net(), &echo_lines, host_of(w.server_address(f)), 0);
    REQUIRE(error_of(server) == errc::ok);
    {
        auto peer = co_await connect_to(w, *server, f);
        REQUIRE(error_of(peer) == errc::ok);
        CHECK(peer->get_extra_info("peername")->address == w.server_address(f));
        CHECK(peer->get_extra_info("sockname")->address == w.client_address(f));
        CHECK(!peer->get_extra_info("cipher").has_value());
        for (const char* line : {"hello\n", "\n", "a line that is a little longer than that\n"}) {
            auto said = co_await say_and_hear(*peer, line);
            REQUIRE(error_of(said) == errc::ok);
        }
    }
    server->close();
    auto ended = co_await server->wait_closed();
    CHECK(error_of(ended) == errc::ok);
    CHECK(server->failures() == 0);
}
TEST_CASE("echo: what open_connection writes comes back from start_server's callback, by lines") {
    run_both(echo);
}

} // namespace
} // namespace uasyncio_test
