// The requests of MicroPython's stream ioctl, by its numbers (py/stream.h).
#pragma once

namespace usocket {

inline constexpr unsigned stream_flush = 1;
inline constexpr unsigned stream_seek = 2;
/// The argument: the poll bits that are asked for; the result: those that hold.
inline constexpr unsigned stream_poll = 3;
inline constexpr unsigned stream_close = 4;
/// The argument: milliseconds, -1 to block for as long as it takes.
inline constexpr unsigned stream_timeout = 5;
inline constexpr unsigned stream_get_fileno = 10;

} // namespace usocket
