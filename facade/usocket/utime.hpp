// utime: sleeping while the sockets live on.
//
//     usocket::utime::sleep(0.2);
#pragma once

#include <usocket/error.hpp>

#include <cstdint>

namespace usocket {

/// utime::sleep() as a value.
weft::errc sleep_now(double seconds) noexcept;

namespace utime {

/// Sleeps while this thread's loop runs: on lwIP a program that sleeps in any other way answers no
/// packet meanwhile. A negative time is none. EINVAL: no number; EDEADLK: from inside the loop,
/// co_await weft::sleep_for() there; EINTR.
inline outcome<> sleep(double seconds) {
    return told(as_result(sleep_now(seconds)), "sleep");
}
inline outcome<> sleep_ms(std::int64_t milliseconds) {
    return told(as_result(sleep_now(static_cast<double>(milliseconds) / 1000)), "sleep_ms");
}

} // namespace utime
} // namespace usocket
