// What weft's runtime costs, one operation at a time: await, spawn, yield, timer, mutex, channel.
//
// Beyond what the harness asks for, to answer narrower questions:
//     channel.pair   one coroutine sends and another receives, through the ready queue
//     timer.any      cancels any of the PENDING timers, at random, and schedules it elsewhere
//     timer.fire     schedules one beyond the last of PENDING timers and fires the first

#include <weft/channel.hpp>
#include <weft/loop.hpp>
#include <weft/mutex.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timer.hpp>

#include <chrono>
#include <memory>
#include <vector>

#include "micro.hpp"

namespace {

std::uint64_t sum = 0;

weft::task<std::uint64_t> child(std::uint64_t i) {
    co_return i;
}

weft::task<> await_children(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        auto value = co_await child(i);
        sum += *value;
    }
}

weft::task<> count_one(std::uint64_t i) {
    sum += i;
    co_return;
}

weft::task<> spawn_and_join(weft::loop& loop, std::uint64_t count) {
    weft::task_group group(loop);
    for (std::uint64_t i = 0; i < count; ++i) {
        (void)group.spawn(count_one(i));
        auto joined = co_await group.join();
        (void)joined;
    }
}

weft::task<> yield(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        auto back = co_await weft::yield();
        (void)back;
    }
}

weft::task<> lock_and_unlock(std::uint64_t count) {
    weft::mutex mutex;
    for (std::uint64_t i = 0; i < count; ++i) {
        auto held = co_await mutex.lock();
        ++sum;
    }
}

weft::task<> send_and_receive(std::uint64_t count) {
    weft::channel<std::uint64_t, 8> channel;
    for (std::uint64_t i = 0; i < count; ++i) {
        auto sent = co_await channel.send(i);
        auto received = co_await channel.receive();
        sum += *received + sent.has_value();
    }
}

weft::task<> send(weft::channel<std::uint64_t, 8>& channel, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        auto sent = co_await channel.send(i);
        sum += sent.has_value();
    }
    channel.close();
}

weft::task<> send_to_another(weft::loop& loop, std::uint64_t count) {
    weft::channel<std::uint64_t, 8> channel;
    weft::task_group group(loop);
    (void)group.spawn(send(channel, count));
    for (;;) {
        auto received = co_await channel.receive();
        if (!received) {
            break;
        }
        sum += *received;
    }
    auto joined = co_await group.join();
    sum += joined.has_value();
}

// The same sequence in every run and every program.
class numbers {
  public:
    std::uint64_t next() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return state_ >> 33;
    }

  private:
    std::uint64_t state_ = 1;
};

// A loop reads its clock once a turn, and so does this.
weft::time_point start;

weft::time_point after_ms(std::uint64_t ms) {
    return weft::deadline_after(start, std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

using timers = std::vector<std::unique_ptr<weft::timer>>;

timers arm(weft::loop& loop, std::uint64_t pending) {
    timers armed;
    for (std::uint64_t i = 0; i < pending; ++i) {
        armed.push_back(std::make_unique<weft::timer>([](weft::timer&) { ++sum; }));
        loop.timers().schedule(*armed.back(), after_ms(bench::pending_delay_ms(i)));
    }
    return armed;
}

void schedule_and_cancel(weft::loop& loop, std::uint64_t count, std::uint64_t pending) {
    const timers armed = arm(loop, pending);
    weft::timer timer([](weft::timer&) { ++sum; });
    for (std::uint64_t i = 0; i < count; ++i) {
        loop.timers().schedule(timer, after_ms(bench::cancelled_delay_ms(i)));
        loop.timers().cancel(timer);
    }
    for (const auto& each : armed) {
        loop.timers().cancel(*each);
    }
}

void cancel_any(weft::loop& loop, std::uint64_t count, std::uint64_t pending) {
    const timers armed = arm(loop, pending);
    numbers random;
    for (std::uint64_t i = 0; i < count; ++i) {
        weft::timer& any = *armed[random.next() % pending];
        loop.timers().cancel(any);
        loop.timers().schedule(any, after_ms(bench::cancelled_delay_ms(random.next())));
    }
    for (const auto& each : armed) {
        loop.timers().cancel(*each);
    }
}

void fire_first(weft::loop& loop, std::uint64_t count, std::uint64_t pending) {
    const timers armed = arm(loop, pending);
    numbers random;
    for (std::uint64_t i = 0; i < count; ++i) {
        const weft::time_point first = loop.timers().earliest();
        loop.timers().fire_due(first);
        weft::timer& fired = *armed[i % pending];
        loop.timers().cancel(fired);
        loop.timers().schedule(
            fired, first + std::chrono::milliseconds(bench::pending_delay_ms(random.next())));
    }
    for (const auto& each : armed) {
        loop.timers().cancel(*each);
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto o = bench::parse_micro(argc, argv);
    weft::virtual_driver driver;
    weft::loop loop(driver);
    start = loop.now();
    const auto run = [&](weft::task<> work) {
        (void)weft::sync_wait(loop, std::move(work));
    };
    if (o.name == "await") {
        run(await_children(o.count));
    } else if (o.name == "spawn") {
        run(spawn_and_join(loop, o.count));
    } else if (o.name == "yield") {
        run(yield(o.count));
    } else if (o.name == "mutex") {
        run(lock_and_unlock(o.count));
    } else if (o.name == "channel") {
        run(send_and_receive(o.count));
    } else if (o.name == "channel.pair") {
        run(send_to_another(loop, o.count));
    } else if (o.name == "timer") {
        schedule_and_cancel(loop, o.count, o.pending);
    } else if (o.name == "timer.any" && o.pending != 0) {
        cancel_any(loop, o.count, o.pending);
    } else if (o.name == "timer.fire" && o.pending != 0) {
        fire_first(loop, o.count, o.pending);
    } else {
        bench::micro_usage(argv[0]);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(sum));
}
