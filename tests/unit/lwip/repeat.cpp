// One run by a seed: traffic of all kinds under loss, reordering and corruption. Prints the hash of
// everything that happened on the wire; two processes with one seed must print the same.
//
//     lwip-repeat SEED
#include <weft/lwip.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/wire.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::task;

task<> write(weft::tcp_stream& to, std::size_t size) {
    const std::vector<std::byte> data(size);
    auto sent = co_await to.send_all(data);
    (void)sent;
    const weft::result<> ended = to.shutdown_send();
    (void)ended;
}

task<> read(weft::tcp_stream& from) {
    std::array<std::byte, 5000> buffer;
    for (;;) {
        auto n = co_await from.recv(buffer);
        if (!n || *n == 0) {
            co_return;
        }
    }
}

task<> serve(weft::tcp_listener& listener, int connections) {
    for (int i = 0; i < connections; ++i) {
        auto peer = co_await listener.accept();
        if (peer) {
            co_await weft::when_all(read(*peer), write(*peer, 30'000));
        }
    }
}

task<> call(weft::stack& from, weft::endpoint to, int connections) {
    for (int i = 0; i < connections; ++i) {
        auto peer = co_await from.connect(to);
        if (peer) {
            co_await weft::when_all(read(*peer), write(*peer, 100'000));
        }
    }
}

task<> datagrams(weft::udp_socket& socket, weft::endpoint to) {
    const std::array<std::byte, 3000> data{};
    for (int i = 0; i < 200; ++i) {
        auto sent = co_await socket.send_to(data, to);
        (void)sent;
        auto slept = co_await weft::sleep_for(7ms);
        (void)slept;
    }
}

task<> everything(
    weft::stack& a, weft::tcp_listener& listener, weft::endpoint at, weft::udp_socket& socket,
    weft::endpoint nobody) {
    co_await weft::when_all(serve(listener, 5), call(a, at, 5), datagrams(socket, nobody));
}

std::unique_ptr<weft::stack>
make_host(weft::loop& home, weft::link& on, std::uint8_t number, std::uint64_t seed) {
    weft::lwip_options options;
    options.link = &on;
    options.ipv4 = weft::interface_address{weft::address::v4(10, 0, 0, number), 24};
    options.seed = seed;
    auto made = weft::make_lwip_stack(home, options);
    return made ? std::move(*made) : nullptr;
}

} // namespace

int main(int argc, char** argv) {
    const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
    weft::virtual_driver clock;
    weft::loop home(clock);
    weft::impairments path;
    path.loss = 0.03;
    path.corrupt = 0.01;
    path.duplicate = 0.01;
    path.reorder = 0.05;
    path.reorder_delay = 9ms;
    path.delay = 5ms;
    path.jitter = 2ms;
    weft::wire cable(weft::wire_options{.seed = seed, .on_every_path = path});
    auto left = cable.attach({2, 0, 0, 0, 0, 1});
    auto right = cable.attach({2, 0, 0, 0, 0, 2});
    if (!left || !right) {
        return 1;
    }
    const auto a = make_host(home, **left, 1, seed);
    const auto b = make_host(home, **right, 2, seed);
    if (!a || !b) {
        return 1;
    }
    const weft::endpoint at{weft::address::v4(10, 0, 0, 2), 7000};
    auto listener = b->listen(at);
    auto socket = a->bind_udp({weft::address::any(), 0});
    if (!listener || !socket) {
        return 1;
    }
    const weft::result<> done = weft::sync_wait(
        home, weft::as_task(
                  weft::timeout(everything(*a, *listener, at, *socket, {at.address, 9}), 10min)));
    std::printf(
        "seed %llu: %llu frames, trace %016llx, %s\n", static_cast<unsigned long long>(seed),
        static_cast<unsigned long long>(cable.count(weft::wire_fate::sent)),
        static_cast<unsigned long long>(cable.trace_hash()),
        done ? "done" : weft::name(done.error()));
    return done ? 0 : 1;
}
