// Reads a sensor on the network with a routine that knows nothing of coroutines:
// programs/sensor.cpp waits in its calls, and usocket runs weft's loop meanwhile.
//
//     sensor 127.0.0.1:7002 --count 10
#include "common/start.hpp"

#include <sensor.hpp>

#include <usocket/usocket.hpp>
#include <usocket/utime.hpp>

#include <algorithm>
#include <array>
#include <csignal>

namespace {

volatile std::sig_atomic_t interrupted = 0;

std::int64_t sleep_ms(std::int64_t ms) {
    return -static_cast<std::int64_t>(usocket::sleep_now(static_cast<double>(ms) / 1000));
}

void tell(std::int64_t error) {
    example::say("a try failed: {}", us_error_message(error));
}

/// The address as usocket has it.
us_address plain(const weft::endpoint& at) {
    std::array<char, weft::endpoint_text_size> room;
    const std::string_view text = weft::to_text(at.address, room);
    us_address made;
    us_address_set(
        &made, at.address.is_v4() ? US_AF_INET : US_AF_INET6, text.data(), text.size(), at.port, 0,
        at.address.scope_id());
    return made;
}

int watch(const programs::sensor& from, int count, std::int64_t interval) {
    int failed = 0;
    for (int i = 0; i < count && interrupted == 0; ++i) {
        if (i != 0 && sleep_ms(interval) != 0) {
            break;
        }
        std::int32_t degrees = 0;
        const std::int64_t error = programs::sensor_read(from, degrees);
        if (error == programs::sensor_interrupted) {
            break;
        }
        if (error != 0) {
            ++failed;
            example::say("no reading: {}", us_error_message(error));
        } else {
            example::say("{:.2f} degrees", degrees / 100.0);
        }
    }
    return failed == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    example::program self("sensor", "Reads a sensor on the network.");
    const weft::endpoint& at = self.endpoint("sensor", "", "where it listens");
    programs::sensor from{.sleep = &sleep_ms, .failed = &tell};
    int count = 1;
    std::int64_t interval = 1000;
    self.number("--count", count, 1, 1'000'000'000, "readings");
    self.number("--interval", interval, 0, 3'600'000, "between readings, in ms");
    self.number("--timeout", from.timeout, 1, 3'600'000, "for each wait, in ms");
    self.number("--tries", from.tries, 1, 100, "for each reading");
    return self.run_blocking(argc, argv, [&](weft::stack& net) {
        usocket::use(net);
        from.at = plain(at);
        for (const int each : {SIGINT, SIGTERM}) {
            std::signal(each, [](int) { interrupted = 1; });
        }
        us_set_idle([](void*) -> int { return interrupted; }, nullptr, 50);
        const int status = watch(from, count, interval);
        usocket::leave(net.loop());
        return status;
    });
}
