#include "usocket/utime.hpp"

#include "usocket/core/thread.hpp"

#include <chrono>
#include <cmath>

namespace usocket {

using weft::errc;

errc sleep_now(double seconds) noexcept {
    if (std::isnan(seconds)) {
        return errc::invalid_argument;
    }
    thread& here = thread::here();
    const weft::result<weft::stack*> net = here.net();
    if (!net) {
        return net.error();
    }
    weft::loop& home = (*net)->loop();
    if (home.running()) {
        here.explain({"sleep() would wait for the loop that it was called from; co_await "
                      "weft::sleep_for() there instead"});
        return errc::would_deadlock;
    }
    constexpr double longest = 1e9; // seconds; a clock of nanoseconds goes on for nine times that
    const auto time = std::chrono::duration_cast<weft::duration>(
        std::chrono::duration<double>(seconds < longest ? seconds : longest));
    const weft::time_point deadline = weft::deadline_after(home.read_clock(), time);
    while (home.read_clock() < deadline) {
        if (const errc slept = here.sleep(home, deadline); slept != errc::ok) {
            return slept;
        }
    }
    return errc::ok;
}

} // namespace usocket
