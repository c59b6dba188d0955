// A driver for a sensor on the network as such drivers have always been written: one call after the
// other, each of which waits, with a timeout and a few more tries. It uses the sockets' C interface
// and knows nothing of loops, coroutines or stacks; errors are negative numbers.
//
//     MEASURE             a line to the sensor
//     T 21.50             and its answer: degrees
//     ERROR 3             or that it cannot tell
#pragma once

#include <c/usocket.h>

#include <cstdint>

namespace programs {

struct sensor {
    us_address at = {};
    std::int64_t timeout = 2000; // ms, for each wait
    int tries = 3;
    std::int64_t pause = 200; // ms between tries
    /// As this board sleeps: 0, or what ended it early.
    std::int64_t (*sleep)(std::int64_t ms) = nullptr;
    void (*failed)(std::int64_t error) = nullptr; // each try that failed; may be null
};

/// What goes wrong beside the sockets' own errors (Linux's numbers, negative).
enum : std::int64_t {
    sensor_interrupted = -4, // EINTR: us_set_idle()'s hook said so
    sensor_says_error = -5,  // EIO: it answered ERROR
    sensor_says_what = -71,  // EPROTO: it answered what is no answer
    sensor_hung_up = -104,   // ECONNRESET: the connection ended instead
};

/// Asks once, in a connection of its own, and again if that fails. 0, and hundredths of a degree in
/// `degrees`; or the last try's error. -4 (EINTR), from an idle hook, ends it at once.
std::int64_t sensor_read(const sensor& from, std::int32_t& degrees);

} // namespace programs
