// The sensor routine of programs/sensor.cpp, which knows no coroutine: it waits in usocket's calls,
// and these run the loop. Until a 'q' comes over the console. The sensor is at 10.0.2.100, which
// QEMU's user network can be told to forward.
#include "board.hpp"

#include <sensor.hpp>
#include <text.hpp>

#include <usocket/stack.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>

#include <array>
#include <chrono>

namespace {

weft::loop* home = nullptr;

weft::task<> rest(weft::duration time) {
    [[maybe_unused]] const auto slept = co_await weft::sleep_for(time);
}

/// utime::sleep_ms() without its floating point, which this processor has to emulate.
std::int64_t sleep_ms(std::int64_t ms) {
    const auto slept = weft::sync_wait(*home, rest(std::chrono::milliseconds(ms)));
    if (board::quit_asked()) {
        return programs::sensor_interrupted;
    }
    return slept ? 0 : -static_cast<std::int64_t>(slept.error());
}

void tell(std::int64_t error) {
    board::say("a try failed: ", std::string_view(us_error_message(error)));
}

int watch(weft::stack& net) {
    usocket::use(net);
    home = &net.loop();
    us_set_idle([](void*) -> int { return board::quit_asked(); }, nullptr, 50);
    programs::sensor from{.timeout = 1000, .pause = 100, .sleep = &sleep_ms, .failed = &tell};
    us_address_set(&from.at, US_AF_INET, "10.0.2.100", 10, 7002, 0, 0);
    board::say("reading the sensor");
    std::int64_t error = 0;
    while (error != programs::sensor_interrupted) {
        std::int32_t degrees = 0;
        error = programs::sensor_read(from, degrees);
        if (error == 0) {
            std::array<char, 16> room;
            programs::text_writer text(room);
            board::say(text.put_hundredths(degrees).view(), " degrees");
        } else if (error != programs::sensor_interrupted) {
            board::say("no reading: ", std::string_view(us_error_message(error)));
        }
        if (error == 0) {
            error = sleep_ms(200);
        }
    }
    usocket::leave(net.loop());
    return 0;
}

} // namespace

int main() {
    return board::run_blocking(&watch);
}
