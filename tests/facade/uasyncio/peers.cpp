#include "peers.hpp"

namespace uasyncio_test {

std::string host_of(const weft::address& a) {
    std::array<char, weft::endpoint_text_size> text{};
    return std::string(weft::to_text(a, text));
}

weft::duration moment(world& w) noexcept {
    return w.known().virtual_time ? w.settling() : weft::duration(2ms);
}

task<streams> open_streams(world& w, family f) {
    auto pair = co_await parity::connect_pair(w, f);
    REQUIRE(error_of(pair) == errc::ok);
    result<stream> server = stream::over(std::move(pair->server));
    result<stream> client = stream::over(std::move(pair->client));
    REQUIRE(error_of(server) == errc::ok);
    REQUIRE(error_of(client) == errc::ok);
    co_return streams(std::move(*server), std::move(*client));
}

task<half> open_half(world& w, family f) {
    auto pair = co_await parity::connect_pair(w, f);
    REQUIRE(error_of(pair) == errc::ok);
    result<stream> made = stream::over(std::move(pair->server));
    REQUIRE(error_of(made) == errc::ok);
    co_return half(std::move(*made), std::move(pair->client));
}

hoard::hoard(world& w) : rationed(w.ration_sockets(20)) {
    while (held.size() < 100'000) {
        const result<weft::tcp_socket*> next = w.server_net().open_tcp(family::ipv4);
        if (!next) {
            last = next.error();
            break;
        }
        held.emplace_back(*next);
    }
}

task<stream> connect_to(world& w, const server& s, family f) {
    const auto at = s.sockname();
    REQUIRE(at.has_value());
    const std::string host = host_of(w.server_address(f));
    auto made = co_await uasyncio::open_connection(w.client_net(), host, at->port);
    co_return std::move(made);
}

} // namespace uasyncio_test
