// The telemetry client and a collector, two lwIP hosts on a wire in virtual time: hours of trouble
// in a moment, the same in every run.
#include <doctest/doctest.h>

#include <telemetry.hpp>

#include <weft/driver.hpp>
#include <weft/loop.hpp>
#include <weft/lwip.hpp>
#include <weft/seeded_random.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/wire.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weft::hardware_address device_mac = {2, 0, 0, 0, 0, 2};
constexpr weft::hardware_address collector_mac = {2, 0, 0, 0, 0, 1};
constexpr weft::endpoint collector_at{weft::address::v4(10, 0, 0, 1), 7001};

struct network {
    network() : loop(clock), cable(weft::wire_options{.seed = 7}) {
        cable.impair({.delay = 2ms});
        for (const std::uint8_t host : std::array<std::uint8_t, 2>{1, 2}) {
            auto end = cable.attach(host == 1 ? collector_mac : device_mac);
            REQUIRE(end);
            ends[host - 1] = std::move(*end);
            weft::lwip_options options;
            options.link = ends[host - 1].get();
            options.ipv4 = weft::interface_address{weft::address::v4(10, 0, 0, host), 24};
            options.seed = 7;
            auto made = weft::make_lwip_stack(loop, options);
            REQUIRE(made);
            hosts[host - 1] = std::move(*made);
        }
    }
    weft::stack& collector() { return *hosts[0]; }
    weft::stack& device() { return *hosts[1]; }

    weft::virtual_driver clock;
    weft::loop loop;
    weft::wire cable;
    std::array<std::unique_ptr<weft::link>, 2> ends;
    std::array<std::unique_ptr<weft::stack>, 2> hosts;
};

/// What the device did and was told.
struct witness final : programs::telemetry_device {
    explicit witness(weft::loop& l) : loop(&l) {}
    std::int32_t measure() noexcept override { return 2150; }
    std::uint32_t random() noexcept override { return static_cast<std::uint32_t>(chance.next()); }
    void connected() noexcept override { connects.push_back(loop->now()); }
    void disconnected(weft::errc why, weft::duration pause) noexcept override {
        reasons.push_back(why);
        pauses.push_back(pause);
        disconnects.push_back(loop->now());
    }
    void acknowledged(std::uint32_t sequence) noexcept override { last = sequence; }

    weft::loop* loop;
    weft::seeded_random chance{7};
    std::vector<weft::time_point> connects;
    std::vector<weft::time_point> disconnects;
    std::vector<weft::errc> reasons;
    std::vector<weft::duration> pauses;
    std::uint32_t last = 0;
};

weft::task<> serve(weft::tcp_stream peer, std::vector<std::string>& lines) {
    std::array<std::byte, 256> buffer;
    std::string line;
    while (true) {
        const auto received = co_await peer.recv(buffer);
        if (!received || *received == 0) {
            co_return;
        }
        for (const std::byte each : std::span(buffer).first(*received)) {
            if (static_cast<char>(each) != '\n') {
                line += static_cast<char>(each);
                continue;
            }
            const std::string number = line.substr(8, line.find(',') - 8); // {"seq": 7, ...
            lines.push_back(line);
            line.clear();
            const std::string answer = "ack " + number + "\n";
            const auto sent = co_await peer.send_all(answer);
            if (!sent) {
                co_return;
            }
        }
    }
}

weft::task<> collect(weft::stack& net, std::vector<std::string>& lines, weft::duration from) {
    const auto slept = co_await weft::sleep_for(from);
    auto listener = net.listen(collector_at);
    if (!slept || !listener) {
        co_return;
    }
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_return;
        }
        [[maybe_unused]] const auto spawned = peers.spawn(serve(std::move(*peer), lines));
    }
}

weft::task<> part(weft::wire& cable, weft::duration from, weft::duration time) {
    [[maybe_unused]] const auto before = co_await weft::sleep_for(from);
    [[maybe_unused]] const auto cut = cable.partition(collector_mac, device_mac);
    [[maybe_unused]] const auto meanwhile = co_await weft::sleep_for(time);
    [[maybe_unused]] const auto healed = cable.heal(collector_mac, device_mac);
}

struct story {
    weft::duration collector_from = 0s;
    weft::duration parted_from = 0s; // 0: never
    weft::duration parted_for = 0s;
    programs::telemetry_start start{.collector = collector_at};
};

/// Ends well when the device has ended well.
weft::task<> play(
    network& net, const story& told, witness& device, programs::telemetry_counters& counters,
    std::vector<std::string>& lines) {
    weft::task_group others{net.loop};
    [[maybe_unused]] auto spawned =
        others.spawn(collect(net.collector(), lines, told.collector_from));
    if (told.parted_from != 0s) {
        spawned = others.spawn(part(net.cable, told.parted_from, told.parted_for));
    }
    const auto done = co_await programs::telemetry(net.device(), told.start, device, &counters);
    others.cancel();
    [[maybe_unused]] const auto joined = co_await others.join();
    if (!done) {
        co_await weft::fail(done.error());
    }
}

std::string line_of(std::uint32_t sequence, std::uint32_t lost) {
    return "{\"seq\": " + std::to_string(sequence) +
           ", \"uptime_ms\": " + std::to_string((sequence - 1) * 1000) +
           ", \"value\": 21.50, \"lost\": " + std::to_string(lost) + "}";
}

TEST_CASE("telemetry: a reading a second for an hour, each once, in order, over one connection") {
    network net;
    witness device(net.loop);
    programs::telemetry_counters counters;
    std::vector<std::string> lines;
    story told;
    told.start.readings = 3600;
    const auto done = weft::sync_wait(net.loop, play(net, told, device, counters, lines));
    REQUIRE(done);
    REQUIRE(lines.size() == 3600);
    for (std::uint32_t n = 1; n <= 3600; ++n) {
        CHECK(lines[n - 1] == line_of(n, 0));
    }
    CHECK(counters.acknowledged == 3600);
    CHECK(counters.connections == 1);
    CHECK(counters.failures == 0);
}

TEST_CASE("telemetry: nobody listens for an hour: it asks ever more seldom, and keeps the newest") {
    network net;
    witness device(net.loop);
    programs::telemetry_counters counters;
    std::vector<std::string> lines;
    story told;
    told.start.readings = 3700;
    told.collector_from = 3600s;
    const auto done = weft::sync_wait(net.loop, play(net, told, device, counters, lines));
    REQUIRE(done);
    CHECK(counters.connections == 1);
    CHECK(counters.acknowledged + counters.lost == 3700);
    CHECK(counters.acknowledged >= 100);
    CHECK(counters.acknowledged <= 100 + programs::telemetry_room + 30); // and one pause
    CHECK(device.last == 3700);
    // 30 s at most and 15 at least, once the steps have grown
    CHECK(counters.failures >= 3600 / 30);
    CHECK(counters.failures <= 3600 / 15 + 8);
    for (std::size_t i = 0; i < device.pauses.size(); ++i) {
        CHECK(device.reasons[i] == weft::errc::connection_refused);
        CHECK(device.pauses[i] <= 30s);
        CHECK(device.pauses[i] >= (i < 7 ? 125ms : 15s));
    }
}

TEST_CASE("telemetry: the network parts for ten minutes, and not a word says so") {
    network net;
    witness device(net.loop);
    programs::telemetry_counters counters;
    std::vector<std::string> lines;
    story told;
    told.start.readings = 1000;
    told.parted_from = 100s + 500ms;
    told.parted_for = 600s;
    const auto begun = net.loop.now();
    const auto done = weft::sync_wait(net.loop, play(net, told, device, counters, lines));
    REQUIRE(done);
    REQUIRE(!device.disconnects.empty());
    const auto noticed = device.disconnects.front() - begun;
    CHECK(noticed > told.parted_from);
    CHECK(noticed < told.parted_from + 1s + 2 * told.start.patience); // the next reading, and twice
    CHECK(device.reasons.front() == weft::errc::timed_out);
    CHECK(counters.connections == 2);
    const auto returned = device.connects.back() - begun - told.parted_from - told.parted_for;
    CHECK(returned > 0s);
    CHECK(returned < 30s + 5s + 5s); // a pause, and what connect was at
    CHECK(counters.acknowledged + counters.lost == 1000);
    CHECK(device.last == 1000);
    CHECK(lines.back() == line_of(1000, counters.lost));
}

weft::task<> play_until(
    weft::duration limit, network& net, const story& told, witness& device,
    programs::telemetry_counters& counters, std::vector<std::string>& lines) {
    const auto done = co_await weft::timeout(play(net, told, device, counters, lines), limit);
    CHECK(!done.has_value());
}

TEST_CASE("telemetry: cancelled wherever it waits, it ends at once and leaves no socket") {
    for (const auto after : {1ms, 10ms, 500ms, 100'500ms, 120'000ms}) {
        network net;
        witness device(net.loop);
        programs::telemetry_counters counters;
        std::vector<std::string> lines;
        story told;
        told.parted_from = 100s;
        told.parted_for = 600s;
        const auto begun = net.loop.now();
        const auto ended =
            weft::sync_wait(net.loop, play_until(after, net, told, device, counters, lines));
        CHECK(ended.has_value());
        CHECK(net.loop.now() - begun == after);
        CHECK(weft::count_lwip_usage().tcp_listening == 0);
    }
}

} // namespace
