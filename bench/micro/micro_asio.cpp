// What Asio's awaitables cost for the operations that weft counts: await, spawn, yield, timer.

#include <chrono>
#include <memory>
#include <vector>

#include <asio.hpp>

#include "micro.hpp"

namespace {

std::uint64_t sum = 0;

asio::awaitable<std::uint64_t> child(std::uint64_t i) {
    co_return i;
}

asio::awaitable<void> await_children(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
        sum += co_await child(i);
}

asio::awaitable<void> count_one(std::uint64_t i) {
    sum += i;
    co_return;
}

// co_spawn with use_awaitable is Asio's spawn and join.
asio::awaitable<void> spawn_and_join(std::uint64_t count) {
    const auto executor = co_await asio::this_coro::executor;
    for (std::uint64_t i = 0; i < count; ++i)
        co_await asio::co_spawn(executor, count_one(i), asio::use_awaitable);
}

asio::awaitable<void> yield(std::uint64_t count) {
    const auto executor = co_await asio::this_coro::executor;
    for (std::uint64_t i = 0; i < count; ++i)
        co_await asio::post(executor, asio::use_awaitable);
}

void timers(asio::io_context& context, std::uint64_t count, std::uint64_t pending) {
    using std::chrono::milliseconds;
    std::vector<std::unique_ptr<asio::steady_timer>> armed;
    for (std::uint64_t i = 0; i < pending; ++i) {
        armed.push_back(std::make_unique<asio::steady_timer>(context));
        armed.back()->expires_after(milliseconds(bench::pending_delay_ms(i)));
        armed.back()->async_wait([](const asio::error_code&) {});
    }
    asio::steady_timer timer(context);
    for (std::uint64_t i = 0; i < count; ++i) {
        timer.expires_after(milliseconds(bench::cancelled_delay_ms(i)));
        timer.async_wait([](const asio::error_code&) { ++sum; });
        timer.cancel();
        context.poll();
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto o = bench::parse_micro(argc, argv);
    asio::io_context context(1);
    if (o.name == "await")
        asio::co_spawn(context, await_children(o.count), asio::detached);
    else if (o.name == "spawn")
        asio::co_spawn(context, spawn_and_join(o.count), asio::detached);
    else if (o.name == "yield")
        asio::co_spawn(context, yield(o.count), asio::detached);
    else if (o.name == "timer")
        timers(context, o.count, o.pending);
    else
        bench::micro_usage(argv[0]);
    if (o.name != "timer")
        context.run();
    std::printf("%llu\n", static_cast<unsigned long long>(sum));
}
