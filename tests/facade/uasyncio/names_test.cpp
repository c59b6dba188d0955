// Names: whose addresses open_connection tries, in which order, and what it says if none answers.
#include "peers.hpp"

#include <weft/resolve.hpp>

#include <tuple>

namespace uasyncio_test {
namespace {

/// The client's stack of a world with a name server of its own, which knows one name.
class naming_stack final : public weft::stack {
  public:
    explicit naming_stack(weft::stack& real) noexcept : stack(real.loop()), real_(&real) {}

    std::string_view name() const noexcept override { return "naming"; }
    result<weft::tcp_socket*> open_tcp(family f) noexcept override {
        ++sockets;
        return real_->open_tcp(f);
    }
    result<weft::datagram_socket*> open_udp(family f) noexcept override {
        return real_->open_udp(f);
    }
    void start_query(weft::name_query& query) noexcept override {
        asked += std::string(query.name()) + ";";
        if (silent) {
            return;
        }
        if (query.name() == "many.test") {
            for (const weft::address& each : answer) {
                query.add(each);
            }
            query.complete(errc::ok);
        } else {
            query.complete(errc::name_not_found);
        }
    }
    void forget_query(weft::name_query&) noexcept override { asked += "forgotten;"; }

    std::vector<weft::address> answer;
    std::string asked;
    int sockets = 0;
    bool silent = false;

  private:
    weft::stack* real_;
};

task<> answer_once(stream peer) {
    peer.write("welcome\n");
    auto closed = co_await peer.wait_closed();
    (void)closed;
}

/// In the world's network, and nobody listens there.
weft::address wrong_address(world& w) {
    return w.known().virtual_time ? w.client_address(family::ipv4)
                                  : weft::address::v4(127, 0, 0, 77);
}

task<> tried_in_turn(world& w) {
    auto server = co_await uasyncio::start_server(
        w.server_net(), &answer_once, host_of(w.server_address(family::ipv4)), 0);
    REQUIRE(error_of(server) == errc::ok);
    const std::uint16_t port = server->sockname()->port;
    naming_stack net(w.client_net());
    net.answer = {wrong_address(w), w.server_address(family::ipv4), w.nobody(family::ipv4)};
    auto peer = co_await uasyncio::open_connection(net, "many.test", port);
    REQUIRE(error_of(peer) == errc::ok);
    CHECK(net.asked == "many.test;");
    CHECK(net.sockets == 2); // the second answers, and the third is not asked
    CHECK(peer->get_extra_info("peername")->address == w.server_address(family::ipv4));
    auto line = co_await peer->readline();
    REQUIRE(error_of(line) == errc::ok);
    CHECK(*line == "welcome\n");
}
TEST_CASE("a name's addresses are tried in turn, up to the first that answers") {
    run(tried_in_turn);
}

task<> last_error(world& w) {
    const result<weft::tcp_socket*> opened = w.server_net().open_tcp(family::ipv4);
    REQUIRE(error_of(opened) == errc::ok);
    const weft::tcp_stream holder(*opened); // bound and not listening
    REQUIRE(error_of((*opened)->bind(endpoint{w.server_address(family::ipv4), 0})) == errc::ok);
    const std::uint16_t port = holder.local()->port;
    naming_stack net(w.client_net());
    net.answer = {w.server_address(family::ipv4)};
    if (w.known().nobody_is_noticed) {
        net.answer = {w.nobody(family::ipv4), w.server_address(family::ipv4)};
    }
    auto peer = co_await uasyncio::open_connection(net, "many.test", port);
    CHECK(error_of(peer) == errc::connection_refused);
    CHECK(net.sockets == static_cast<int>(net.answer.size()));
}
TEST_CASE("if none of a name's addresses answers: the last one's own error") {
    run(last_error);
}

task<> no_such_name(world& w) {
    naming_stack net(w.client_net());
    auto unknown = co_await uasyncio::open_connection(net, "nobody.test", 7);
    CHECK(error_of(unknown) == errc::name_not_found);
    auto empty = co_await uasyncio::open_connection(net, "many.test", 7);
    CHECK(error_of(empty) == errc::name_no_address);
    const std::string endless(10'000, 'x');
    auto too_long = co_await uasyncio::open_connection(net, endless, 7);
    CHECK(error_of(too_long) == errc::name_not_found);
    auto server = co_await uasyncio::start_server(net, &answer_once, "nobody.test", 0);
    CHECK(error_of(server) == errc::name_not_found);
    CHECK(net.sockets == 0);
    CHECK(net.asked == "nobody.test;many.test;nobody.test;");
}
TEST_CASE("a name that is not there, or has no address: said so, and no socket is opened") {
    run(no_such_name);
}

task<> cancelled_while_asking(world& w) {
    naming_stack net(w.client_net());
    net.silent = true;
    auto peer = co_await weft::timeout(
        uasyncio::open_connection(net, std::string("many.test"), 7), moment(w));
    CHECK(error_of(peer) == errc::timed_out);
    CHECK(net.asked == "many.test;forgotten;");
    CHECK(net.sockets == 0);
}
TEST_CASE("open_connection cut while the name is asked for: the query is forgotten") {
    run(cancelled_while_asking);
}

task<> served_by_name(world& w) {
    naming_stack net(w.server_net());
    net.answer = {w.server_address(family::ipv4)};
    auto server = co_await uasyncio::start_server(net, &answer_once, "many.test", 0);
    REQUIRE(error_of(server) == errc::ok);
    CHECK(server->sockname()->address == w.server_address(family::ipv4));
    auto peer = co_await connect_to(w, *server);
    REQUIRE(error_of(peer) == errc::ok);
}
TEST_CASE("start_server at a name listens at its first address") {
    run(served_by_name);
}

task<> by_localhost(world& w) {
    auto server = co_await uasyncio::start_server(w.server_net(), &answer_once, "localhost", 0);
    REQUIRE(error_of(server) == errc::ok);
    auto peer =
        co_await uasyncio::open_connection(w.client_net(), "LocalHost", server->sockname()->port);
    REQUIRE(error_of(peer) == errc::ok);
    CHECK(peer->get_extra_info("peername")->address.is_loopback());
}
TEST_CASE("localhost, on the host") {
    if (here().known().virtual_time) {
        parity::skip("the two hosts of a wire reach each other, and not by loopback");
        return;
    }
    run(by_localhost);
}

} // namespace
} // namespace uasyncio_test
