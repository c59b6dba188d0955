// Rule 17 of pitfalls.md: how fast a transfer recovers from loss, in virtual time, with the timer
// interval that this program was compiled with. Prints bytes a second: 5% loss, 100 ms round trip.
#include <weft/lwip.hpp>
#include <weft/sync_wait.hpp>
#include <weft/when_all.hpp>
#include <weft/wire.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::task;

constexpr std::size_t size = 1'000'000;

task<> write(weft::tcp_stream& to) {
    const std::vector<std::byte> data(size);
    auto sent = co_await to.send_all(data);
    (void)sent;
    to.close();
}

task<> read(weft::tcp_stream& from, std::size_t& total) {
    std::array<std::byte, 16384> buffer;
    for (;;) {
        auto n = co_await from.recv(buffer);
        if (!n || *n == 0) {
            co_return;
        }
        total += *n;
    }
}

task<>
transfer(weft::stack& from, weft::tcp_listener& listener, weft::endpoint at, std::size_t& total) {
    auto client = co_await from.connect(at);
    auto server = co_await listener.accept();
    if (client && server) {
        co_await weft::when_all(write(*client), read(*server, total));
    }
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

/// Seconds of virtual time; 0 if it failed.
double seconds(std::uint64_t seed) {
    weft::virtual_driver clock;
    weft::loop home(clock);
    weft::wire cable(
        weft::wire_options{.seed = seed, .on_every_path = {.loss = 0.05, .delay = 50ms}});
    auto left = cable.attach({2, 0, 0, 0, 0, 1});
    auto right = cable.attach({2, 0, 0, 0, 0, 2});
    const auto a = left ? make_host(home, **left, 1, seed) : nullptr;
    const auto b = right ? make_host(home, **right, 2, seed) : nullptr;
    const weft::endpoint at{weft::address::v4(10, 0, 0, 2), 7000};
    auto listener = b->listen(at);
    if (!a || !b || !listener) {
        return 0;
    }
    std::size_t total = 0;
    const weft::time_point begun = home.now();
    const weft::result<> done = weft::sync_wait(home, transfer(*a, *listener, at, total));
    return done && total == size ? std::chrono::duration<double>(home.now() - begun).count() : 0;
}

} // namespace

int main() {
    double all = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const double took = seconds(seed);
        if (took == 0) {
            std::printf("seed %llu: failed\n", static_cast<unsigned long long>(seed));
            return 1;
        }
        all += took;
    }
    std::printf("%.0f\n", 8.0 * size / all);
    return 0;
}
