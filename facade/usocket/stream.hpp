// MicroPython's stream protocol over a socket: a binding is a table of these three functions.
//
//     char room[64];
//     int error = 0;
//     std::size_t n = usocket::stream_read(s, room, sizeof room, &error);
//     if (n == usocket::stream_error && error == 11) { ... }          // would block
#pragma once

#include <usocket/socket.hpp>
#include <usocket/stream_requests.hpp>

#include <cstddef>
#include <cstdint>

namespace usocket {

inline constexpr std::size_t stream_error = static_cast<std::size_t>(-1);

/// 1 to `size` bytes, 0 at the end, or stream_error with the errno in `*error`: EAGAIN 11 where the
/// socket may not wait, ETIMEDOUT 110.
std::size_t stream_read(const socket& s, void* into, std::size_t size, int* error) noexcept;
/// How many were taken, as send() does.
std::size_t stream_write(const socket& s, const void* from, std::size_t size, int* error) noexcept;
/// stream_flush, stream_poll, stream_close and stream_timeout; EINVAL for others: a socket has no
/// file number.
std::size_t
stream_ioctl(const socket& s, unsigned request, std::uintptr_t argument, int* error) noexcept;

} // namespace usocket
