// utime: a sleeping thread's sockets go on.
#include <usocket/usocket.hpp>

#include <doctest/doctest.h>

#include <weft/sleep.hpp>
#include <weft/task.hpp>
#include <weft/task_group.hpp>

#include <chrono>
#include <limits>

namespace {

/// The number of the OSError that `call` throws, 0 if none.
template <class F>
int number_of(F call) {
    try {
        call();
    } catch (const usocket::OSError& e) {
        return e.args[0];
    }
    return 0;
}

weft::task<> sleep_inside(int& number) {
    auto turn = co_await weft::sleep_for(std::chrono::milliseconds(1));
    REQUIRE(turn.has_value());
    number = number_of([] { usocket::utime::sleep(0.001); });
    co_return;
}

} // namespace

TEST_CASE("utime.sleep: what arrives meanwhile is told to ready callbacks") {
    usocket::socket server(usocket::AF_INET, usocket::SOCK_DGRAM);
    server.bind({"127.0.0.1", 0});
    int told = 0;
    server.setsockopt(usocket::SOL_SOCKET, usocket::SO_CALLBACK, [&](usocket::socket& s) {
        s.setblocking(false);
        told += s.recv(10) == "hello" ? 1 : 100;
    });
    usocket::socket client(usocket::AF_INET, usocket::SOCK_DGRAM);
    client.sendto("hello", server.getsockname());
    for (int i = 0; i < 1000 && told == 0; ++i) {
        usocket::utime::sleep_ms(1);
    }
    CHECK(told == 1);
}

TEST_CASE("utime.sleep: no time at all, and no number") {
    CHECK(number_of([] { usocket::utime::sleep(0); }) == 0);
    CHECK(number_of([] { usocket::utime::sleep(-1); }) == 0);
    CHECK(number_of([] { usocket::utime::sleep_ms(-1); }) == 0);
    CHECK(number_of([] { usocket::utime::sleep(std::numeric_limits<double>::quiet_NaN()); }) == 22);
}

TEST_CASE("utime.sleep: from inside the loop EDEADLK, and what to do instead") {
    weft::stack& net = *usocket::stack();
    int number = 0;
    weft::task_group inside(net.loop());
    REQUIRE(inside.spawn(sleep_inside(number)).has_value());
    for (int i = 0; i < 1000 && number == 0; ++i) {
        usocket::utime::sleep_ms(1);
    }
    CHECK(number == 35);
}
