// Time and configuration: rules 13 to 17 and 20 of pitfalls.md.
//
// 13 (a DNS query cannot be cancelled) is tested where names are resolved. 14 (interrupts hand over
// frames and nothing else): a link's driver on a board, tests/firmware; on a host nothing but the
// loop's thread touches lwIP, and loop::post is tested with threads in tests/unit/runtime. 17 is
// loss_throughput.cpp. 20 (atomic exchange on ARMv6-M) is a link of the firmware's image.
#include "hosts.hpp"

#include "stack/lwip/api.hpp"

using namespace hosts;

#if LWIP_IPV6 && UINTPTR_MAX > 0xFFFFFFFFu
static_assert(IPV6_FRAG_COPYHEADER == 1, "pitfall 16: a pointer does not fit a fragment header");
#endif
static_assert(TCP_SNDLOWAT < TCP_SND_BUF && TCP_SNDLOWAT <= 0xffff, "pitfall 16: set by hand");
static_assert(TCP_LISTEN_BACKLOG == 1, "pitfall 9: off by default");
static_assert(NO_SYS == 1 && LWIP_CALLBACK_API == 1);

namespace {

double sleeps_a_second(world& w) {
    w.pass(30s); // neighbours, groups and addresses have settled
    const std::size_t before = w.clock.sleeps();
    w.pass(100s);
    return static_cast<double>(w.clock.sleeps() - before) / 100;
}

task<> keep_connected(two_hosts& w, double& rate) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    co_await sleep(30s);
    const std::size_t before = w.clock.sleeps();
    co_await sleep(100s);
    rate = static_cast<double>(w.clock.sleeps() - before) / 100;
}

} // namespace

TEST_CASE("pitfall 15: an idle stack wakes for its own timers, and no more") {
    {
        one_host w;
        const double idle = sleeps_a_second(w);
        MESSAGE("idle, loopback: ", idle, " wake-ups a second");
        CHECK(idle < 25);
    }
    two_hosts w;
    const double idle = sleeps_a_second(w);
    double connected = 0;
    w.run(keep_connected(w, connected));
    MESSAGE("idle, two hosts on a wire: ", idle, " wake-ups a second");
    MESSAGE("with an idle connection: ", connected, " wake-ups a second");
    CHECK(idle < 25);
    CHECK(connected < idle + 5); // TCP's 250 ms timer
    w.pass(10min);               // TIME_WAIT is over, and with it TCP's timer
    CHECK(sleeps_a_second(w) <= idle + 0.5);
}

TEST_CASE("pitfall 15: application timers are the loop's, whatever lwIP's timer pool holds") {
    one_host w;
    weft::task_group many(w.home);
    for (int i = 0; i < 10'000; ++i) {
        REQUIRE(many.spawn(sleep(1ms * i)));
    }
    w.pass(11s);
    CHECK(many.size() == 0);
}

TEST_CASE(
    "what is sent between two turns is taken in by the next one, which does not sleep first") {
    one_host w;
    w.pass(1s);
    weft::tcp_socket* const listener = *w.net->open_tcp(weft::family::ipv4);
    weft::tcp_socket* const caller = *w.net->open_tcp(weft::family::ipv4);
    REQUIRE(listener->bind({address::loopback(), 0}));
    REQUIRE(listener->listen(1));
    const weft::time_point before = w.home.read_clock();
    CHECK(caller->start_connect(*listener->local()).error() == errc::in_progress);
    CHECK(w.home.next_deadline() == weft::at_once);
    while (!caller->connect_result() && w.home.read_clock() == before) {
        REQUIRE(w.home.step(weft::never));
    }
    CHECK(w.home.read_clock() == before);
    caller->release();
    listener->release();
}
