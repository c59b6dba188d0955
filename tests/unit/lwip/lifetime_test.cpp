// The lives of stacks: destroyed with everything open, one loop at a time, another clock later.
#include "hosts.hpp"

#include <thread>

using namespace hosts;

namespace {

struct told {
    int ended = 0;
    int bad_handle = 0;
    int network_down = 0;
};

void note(told& to, errc error) {
    ++to.ended;
    to.bad_handle += error == errc::bad_handle ? 1 : 0;
    to.network_down += error == errc::network_down ? 1 : 0;
}

task<> read_for_ever(tcp_stream from, told& to) {
    received got;
    co_await read_all(from, got);
    note(to, got.error);
    from.close();
}

task<> accept_for_ever(tcp_listener from, told& to) {
    auto next = co_await from.accept();
    note(to, next.error());
    CHECK(from.local().error() == errc::bad_handle);
}

task<> receive_for_ever(udp_socket from, told& to) {
    std::array<std::byte, 1> one;
    auto got = co_await from.recv_from(one);
    note(to, got.error());
}

task<> connect_for_ever(weft::stack& by, endpoint at, told& to) {
    auto peer = co_await by.connect(at);
    note(to, peer.error());
}

task<> write_for_ever(tcp_stream stream, told& to) {
    transfer sent;
    co_await write_all(stream, sent, 100'000'000);
    note(to, sent.error());
}

task<> keep_fresh(tcp_stream fresh, tcp_stream bound, told& to, weft::event& gone) {
    auto waited = co_await gone.wait();
    (void)waited;
    CHECK(fresh.socket()->bind({address::any(), 0}).error() != errc::ok);
    CHECK(bound.socket()->start_connect({bob_ip, 1}).error() != errc::ok);
    std::array<std::byte, 1> one;
    CHECK(fresh.try_recv(one).error() == errc::network_down);
    CHECK(bound.try_recv(one).error() == errc::network_down);
    ++to.ended;
}

task<> hold(tcp_listener listener, tcp_stream stream, told& to, weft::event& gone) {
    auto waited = co_await gone.wait();
    (void)waited;
    note(to, listener.local().error());
    CHECK(stream.remote().error() == errc::not_connected);
}

task<> one_transfer(weft::stack& from, weft::stack& to, address at, received& got) {
    pair_of_streams p;
    co_await connect_pair(from, to, {at, 0}, p);
    transfer sent;
    co_await write_all(p.client, sent, 100'000);
    p.client.close();
    co_await read_all(p.server, got);
}

/// Opens one of everything in `group`, all of it waiting.
task<> open_everything(
    weft::stack& a, weft::stack& b, address at, weft::task_group& group, told& to,
    weft::event& gone) {
    pair_of_streams busy;
    co_await connect_pair(a, b, {at, 0}, busy);
    REQUIRE(group.spawn(write_for_ever(std::move(busy.client), to)));
    pair_of_streams idle;
    co_await connect_pair(a, b, {at, 0}, idle);
    REQUIRE(group.spawn(read_for_ever(std::move(idle.client), to)));
    REQUIRE(group.spawn(read_for_ever(std::move(idle.server), to)));
    pair_of_streams ended; // goes to TIME_WAIT
    co_await connect_pair(a, b, {at, 0}, ended);
    ended.client.close();
    ended.server.close();
    auto listener = b.listen({at, 0}, 2);
    REQUIRE(listener);
    const endpoint full{at, listener->local()->port};
    auto pending = co_await a.connect(full);
    auto pending_too = co_await a.connect(full);
    REQUIRE(pending);
    REQUIRE(pending_too);
    REQUIRE(group.spawn(connect_for_ever(a, full, to)));
    REQUIRE(group.spawn(read_for_ever(std::move(*pending), to)));
    auto waiting = b.listen({at, 0});
    REQUIRE(waiting);
    REQUIRE(group.spawn(accept_for_ever(std::move(*waiting), to)));
    auto datagrams = a.bind_udp({address::any(at.family()), 0});
    REQUIRE(datagrams);
    REQUIRE(group.spawn(receive_for_ever(std::move(*datagrams), to)));
    const auto fresh = a.open_tcp(at.family());
    const auto bound = a.open_tcp(at.family());
    const auto unbound_datagrams = a.open_udp(at.family());
    REQUIRE(fresh);
    REQUIRE(bound);
    REQUIRE(unbound_datagrams);
    REQUIRE((*bound)->bind({address::any(at.family()), 0}));
    REQUIRE(group.spawn(receive_for_ever(udp_socket(*unbound_datagrams), to)));
    REQUIRE(group.spawn(keep_fresh(tcp_stream(*fresh), tcp_stream(*bound), to, gone)));
    co_await sleep(300ms);
    busy.server.abort();
    co_await sleep(10ms);
    const weft::lwip_usage used = weft::count_lwip_usage();
    CHECK(used.tcp_active >= 4);
    CHECK(used.tcp_listening == 2);
    CHECK(used.tcp_time_wait > 0);
    auto last = pending_too->try_send(pattern(0, 5000)); // still queued when the stack goes
    CHECK(last.has_value());
    REQUIRE(group.spawn(hold(std::move(*listener), std::move(*pending_too), to, gone)));
}

/// Everything is told that its stack has gone, and closes.
void expect_all_told(const told& to) {
    CHECK(to.ended == 10);
    CHECK(to.bad_handle == 4);   // two listeners, two datagram sockets
    CHECK(to.network_down == 4); // every stream but the one whose peer had aborted
}

void expect_nothing_in_use() {
    const weft::lwip_usage used = weft::count_lwip_usage();
    CHECK(used.tcp_active == 0);
    CHECK(used.tcp_bound == 0);
    CHECK(used.tcp_listening == 0);
    CHECK(used.tcp_time_wait == 0);
    CHECK(used.udp == 0);
}

template <class World, class Destroy>
void destroy_with_everything_open(
    weft::stack& from, weft::stack& to, address at, World& w, Destroy destroy, bool run_on) {
    told all;
    weft::event gone;
    weft::task_group group(w.home);
    w.run(open_everything(from, to, at, group, all, gone));
    destroy();
    expect_nothing_in_use();
    if (run_on) {
        gone.set();
        for (int turn = 0; turn < 20; ++turn) {
            const result<> polled = w.home.poll();
            (void)polled;
        }
        CHECK(group.size() == 0);
        expect_all_told(all);
    }
}

} // namespace

TEST_CASE("stack: destroyed with everything open; who waits is told, or is destroyed as it waits") {
    const no_leak leaks;
    for (const bool run_on : {true, false}) {
        CAPTURE(run_on);
        {
            two_hosts w;
            destroy_with_everything_open(
                *w.a, *w.b, bob_ip, w, [&w] { w.a.reset(), w.b.reset(); }, run_on);
        }
        {
            two_hosts w;
            destroy_with_everything_open(
                *w.a, *w.b, v6(2), w, [&w] { w.b.reset(), w.a.reset(); }, run_on);
        }
        {
            one_host w;
            destroy_with_everything_open(
                *w.net, *w.net, address::loopback(), w, [&w] { w.net.reset(); }, run_on);
        }
        leaks.check();
    }
}

namespace {

task<> lose_a_host(two_hosts& w, told& to) {
    pair_of_streams p;
    co_await connect_pair(*w.a, *w.b, {bob_ip, 0}, p);
    weft::task_group group(w.home);
    REQUIRE(group.spawn(read_for_ever(std::move(p.client), to)));
    REQUIRE(group.spawn(read_for_ever(std::move(p.server), to)));
    co_await sleep(1s);
    w.b.reset();
    auto joined = co_await group.join();
    (void)joined;
    w.b = make_host(w.home, *w.bob_end, 2, default_seed);
}

} // namespace

TEST_CASE(
    "stack: one of two hosts goes: its sockets and peers are told, another may take its place") {
    two_hosts w;
    told all;
    w.run(lose_a_host(w, all));
    CHECK(all.ended == 2);
    CHECK(all.network_down == 1); // and the other one was reset
    received got;
    w.run(one_transfer(*w.a, *w.b, bob_ip, got));
    CHECK(got.size == 100'000);
    CHECK(got.intact);
}

namespace {

class real_clock final : public weft::driver {
  public:
    weft::time_point now() noexcept override {
        return weft::time_point(std::chrono::duration_cast<weft::duration>(
            std::chrono::steady_clock::now().time_since_epoch()));
    }
    bool wait(weft::time_point deadline) noexcept override {
        if (deadline == weft::never) {
            return false;
        }
        if (deadline > now()) {
            std::this_thread::sleep_for(deadline - now());
        }
        return true;
    }
    void wake() noexcept override {}
};

void move_bytes_on(weft::driver& clock) {
    weft::loop home(clock);
    weft::lwip_options options;
    options.seed = default_seed;
    auto net = weft::make_lwip_stack(home, options);
    REQUIRE(net);
    received got;
    const result<> done =
        weft::sync_wait(home, one_transfer(**net, **net, address::loopback(), got));
    CHECK(done.has_value());
    CHECK(got.size == 100'000);
    CHECK(got.intact);
}

} // namespace

TEST_CASE("stack: lwIP belongs to one loop at a time, and the loopback to one stack") {
    one_host first;
    counting_clock clock;
    weft::loop other(clock);
    CHECK(weft::make_lwip_stack(other, {}).error() == errc::busy);
    CHECK(weft::make_lwip_stack(first.home, {}).error() == errc::busy);
    weft::wire cable;
    const auto end = cable.attach(alice);
    REQUIRE(end);
    weft::lwip_options options;
    options.link = end->get();
    CHECK(weft::make_lwip_stack(other, options).error() == errc::busy);
    first.net.reset();
    CHECK(weft::make_lwip_stack(other, options).has_value());
}

TEST_CASE("stack: once all are gone lwIP moves to another loop with another clock, both ways") {
    real_clock real;
    counting_clock virtual_time;
    move_bytes_on(virtual_time);
    move_bytes_on(real);
    move_bytes_on(virtual_time);
    counting_clock later;
    CHECK(later.wait(later.now() + 100h));
    move_bytes_on(later);
    move_bytes_on(real);
}

TEST_CASE("stack: a loopback and a link side by side: each has its own any:80") {
    two_hosts w;
    weft::lwip_options options;
    auto local = weft::make_lwip_stack(w.home, options);
    REQUIRE(local);
    const auto inner = (*local)->listen({address::any(), 80});
    const auto outer = w.a->listen({address::any(), 80});
    CHECK(inner.has_value());
    CHECK(outer.has_value());
    received got;
    w.run(one_transfer(**local, **local, address::loopback(), got));
    CHECK(got.size == 100'000);
    got = {};
    w.run(one_transfer(*w.a, *w.b, bob_ip, got));
    CHECK(got.size == 100'000);
}

TEST_CASE("stack: options that cannot be are refused in words") {
    counting_clock clock;
    weft::loop home(clock);
    weft::wire cable;
    const auto end = cable.attach(alice);
    REQUIRE(end);
    weft::lwip_options options;
    options.link = end->get();
    options.gateway = v6(1);
    CHECK(weft::make_lwip_stack(home, options).error() == errc::invalid_argument);
    options.gateway.reset();
    options.ipv4 = weft::interface_address{v6(1), 24};
    CHECK(weft::make_lwip_stack(home, options).error() == errc::invalid_argument);
    options.ipv4 = weft::interface_address{alice_ip, 33};
    CHECK(weft::make_lwip_stack(home, options).error() == errc::invalid_argument);
    options.ipv4.reset();
    const std::array<weft::interface_address, 1> wrong{weft::interface_address{alice_ip, 24}};
    options.ipv6 = wrong;
    CHECK(weft::make_lwip_stack(home, options).error() == errc::invalid_argument);
    options.ipv6 = {};
    struct odd_link final : weft::link {
        explicit odd_link(std::size_t size) : size_(size) {}
        std::size_t mtu() const noexcept override { return size_; }
        weft::hardware_address address() const noexcept override { return alice; }
        result<> send(std::span<const std::span<const std::byte>>) noexcept override { return {}; }
        std::size_t receive(std::span<std::byte>) noexcept override { return 0; }
        std::size_t size_;
    };
    for (const std::size_t mtu : {std::size_t{0}, std::size_t{65'522}, std::size_t{1} << 20}) {
        odd_link odd(mtu);
        options.link = &odd;
        CHECK(weft::make_lwip_stack(home, options).error() == errc::invalid_argument);
    }
    memory::fail_after(memory::of_objects, 0);
    options.link = end->get();
    CHECK(weft::make_lwip_stack(home, options).error() == errc::no_memory);
    memory::fail_after(memory::of_heap, 0);
    CHECK(weft::make_lwip_stack(home, options).error() == errc::no_memory);
    memory::recover();
    CHECK(weft::make_lwip_stack(home, options).has_value());
}
