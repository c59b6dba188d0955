// Sends readings to a collector and keeps them until they are acknowledged, whatever the collector
// does. Its coroutines, programs/telemetry.cpp, are those of the board's client.
//
//     telemetry 127.0.0.1:7001 --interval 500
#include "common/start.hpp"

#include <telemetry.hpp>

#include <chrono>
#include <random>

namespace {

using std::chrono::milliseconds;

/// A temperature that goes up and down.
class wave final : public programs::telemetry_device {
  public:
    std::int32_t measure() noexcept override {
        constexpr std::int32_t period = 100;
        const std::int32_t at = taken_++ % period;
        return 2000 + (at < period / 2 ? at : period - at) * 5;
    }
    std::uint32_t random() noexcept override { return chance_(); }
    void connected() noexcept override { example::say("connected"); }
    void disconnected(weft::errc why, weft::duration pause) noexcept override {
        example::say(
            "not connected: {}; again in {} ms", why,
            std::chrono::duration_cast<milliseconds>(pause).count());
    }
    void acknowledged(std::uint32_t sequence) noexcept override {
        example::say("acknowledged {}", sequence);
    }

  private:
    std::int32_t taken_ = 0;
    std::random_device chance_;
};

weft::task<> send(weft::stack& net, programs::telemetry_start start) {
    wave device;
    programs::telemetry_counters counters;
    const auto done = co_await programs::telemetry(net, start, device, &counters);
    example::say(
        "{} readings, {} acknowledged, {} lost; {} connections, {} failures", counters.taken,
        counters.acknowledged, counters.lost, counters.connections, counters.failures);
    if (!done) {
        co_await weft::fail(done.error());
    }
}

} // namespace

int main(int argc, char** argv) {
    example::program self("telemetry", "Sends readings to a collector until it has them.");
    const weft::endpoint& collector = self.endpoint("collector", "", "where it listens");
    programs::telemetry_start start;
    std::int64_t interval = 1000;
    std::int64_t patience = 5000;
    std::int64_t first = 250;
    std::int64_t longest = 30'000;
    const auto add_time = [&](const char* option, std::int64_t& value, const char* what) {
        self.number(option, value, 1, 3'600'000, what);
    };
    add_time("--interval", interval, "between readings, in ms");
    add_time("--patience", patience, "with a collector that says nothing, in ms");
    add_time("--first-pause", first, "before a second attempt, in ms");
    add_time("--longest-pause", longest, "before any, in ms");
    self.number("--readings", start.readings, 0, 1'000'000'000, "how many; 0: until it is ended");
    return self.run(argc, argv, [&](weft::stack& net) {
        start.collector = collector;
        start.interval = milliseconds(interval);
        start.patience = milliseconds(patience);
        start.first_pause = milliseconds(first);
        start.longest_pause = milliseconds(std::max(first, longest));
        return send(net, start);
    });
}
