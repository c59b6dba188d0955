// The C ABI beside ready callbacks, in virtual time: what they may do to the socket or the query
// that a call is about. The name server is silent.
#include "c/usocket.h"

#include <usocket/stack.hpp>

#include <weft/driver.hpp>
#include <weft/loop.hpp>
#include <weft/lwip.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <span>

namespace {

constexpr int ebadf = -9;
constexpr int eagain = -11;
constexpr int name_try_again = -1003;

/// lwIP's loopback, which asks itself for names and never answers.
struct world {
    weft::virtual_driver clock;
    weft::loop loop{clock};
    weft::address nobody = weft::address::loopback();
    std::unique_ptr<weft::stack> net;

    world() {
        weft::lwip_options options;
        options.seed = 1;
        options.name_servers = std::span(&nobody, 1);
        auto made = weft::make_lwip_stack(loop, options);
        REQUIRE(made);
        net = std::move(*made);
        usocket::use(*net);
    }
};

us_query ask(std::int64_t timeout_ms) {
    return us_getaddrinfo_start("nowhere.example", 15, nullptr, 80, 0, 0, 0, 0, timeout_ms);
}

} // namespace

TEST_CASE("queries: no answer yet is EAGAIN, none in time is EAI_AGAIN, once; then EBADF") {
    const world w;
    const us_query query = ask(500);
    REQUIRE(query > 0);
    CHECK(us_getaddrinfo_result(query, nullptr, 0) == eagain);
    int n = eagain;
    while (n == eagain) {
        REQUIRE(us_step(100) == 0);
        n = us_getaddrinfo_result(query, nullptr, 0);
    }
    CHECK(n == name_try_again);
    CHECK(us_getaddrinfo_result(query, nullptr, 0) == ebadf);
    CHECK(us_getaddrinfo_cancel(query) == ebadf);
}

TEST_CASE("queries: a ready callback may cancel the query whose result is asked for") {
    const world w;
    const us_socket self = us_open(US_AF_INET, US_SOCK_DGRAM, 0);
    us_address at{};
    REQUIRE(us_address_set(&at, US_AF_INET, "127.0.0.1", 9, 7000, 0, 0) == 0);
    REQUIRE(us_bind(self, &at) == 0);
    us_query query = ask(60'000);
    REQUIRE(query > 0);
    REQUIRE(us_step(0) == 0);
    const auto cancel = [](us_socket, void* context) {
        CHECK(us_getaddrinfo_cancel(*static_cast<us_query*>(context)) == 0);
    };
    REQUIRE(us_set_ready(self, cancel, &query) == 0); // it is called in the next turn
    CHECK(us_getaddrinfo_result(query, nullptr, 0) == ebadf);
    CHECK(us_set_ready(self, nullptr, nullptr) == 0);
    CHECK(us_close(self) == 0);
}

TEST_CASE("shutdown(): a ready callback may close the socket in its turn") {
    const world w;
    us_address at{};
    REQUIRE(us_address_set(&at, US_AF_INET, "127.0.0.1", 9, 7001, 0, 0) == 0);
    const us_socket listener = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    REQUIRE(us_bind(listener, &at) == 0);
    REQUIRE(us_listen(listener, 1) == 0);
    const us_socket client = us_open(US_AF_INET, US_SOCK_STREAM, 0);
    REQUIRE(us_connect(client, &at) == 0);
    const us_socket server = us_accept(listener, nullptr);
    REQUIRE(server > 0);
    const auto close = [](us_socket s, void*) {
        CHECK(us_close(s) == 0);
    };
    REQUIRE(us_set_ready(client, close, nullptr) == 0);
    CHECK(us_shutdown(client, US_SHUT_RDWR) == ebadf);
    CHECK(us_close(server) == 0);
    CHECK(us_close(listener) == 0);
}
