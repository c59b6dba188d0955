// The documented constants: one table of numbers, the same on every stack and every target.
//
//     usocket::socket s(usocket::AF_INET, usocket::SOCK_STREAM);
//
// The operating system's headers define many of these names as macros, with other numbers. This
// header may be included before and after them; but behind <sys/socket.h> or <poll.h> the names
// cannot be written, as with every macro.
#pragma once

#include <usocket/macros_off.inc>

namespace usocket {

inline constexpr int AF_INET = 2;
inline constexpr int AF_INET6 = 10;

inline constexpr int SOCK_STREAM = 1;
inline constexpr int SOCK_DGRAM = 2;
inline constexpr int SOCK_RAW = 3;

inline constexpr int IPPROTO_IP = 0;
inline constexpr int IPPROTO_TCP = 6;
inline constexpr int IPPROTO_UDP = 17;
/// A stream that becomes TLS.
inline constexpr int IPPROTO_SEC = 100;

/// Levels of setsockopt(): this, IPPROTO_IP and IPPROTO_TCP.
inline constexpr int SOL_SOCKET = 0xfff;

inline constexpr int SO_REUSEADDR = 0x0004;
inline constexpr int SO_KEEPALIVE = 0x0008;
/// Takes a callable, called from the loop when there is something to receive, or None.
inline constexpr int SO_CALLBACK = 20;
inline constexpr int SO_BROADCAST = 0x0020;
/// An int, the seconds; or 8 bytes, two ints: whether, and the seconds. On with 0 seconds close()
/// resets the connection. Otherwise close() delivers in the background, whatever the seconds.
inline constexpr int SO_LINGER = 0x0080;
inline constexpr int SO_SNDBUF = 0x1001;
inline constexpr int SO_RCVBUF = 0x1002;
/// getsockopt() only: the error that came by itself, told once; 0 if none.
inline constexpr int SO_ERROR = 0x1007;
/// getsockopt() only.
inline constexpr int SO_TYPE = 0x1008;
/// The interface's name as bytes; on the host.
inline constexpr int SO_BINDTODEVICE = 0x100b;

inline constexpr int TCP_NODELAY = 0x40; // level IPPROTO_TCP

// Level IPPROTO_IP: 8 bytes, the group's address and that of the interface, as inet_pton makes
// them.
inline constexpr int IP_ADD_MEMBERSHIP = 0x400;
inline constexpr int IP_DROP_MEMBERSHIP = 0x401;

// Flags of recv(), recvfrom() and send().
inline constexpr int MSG_PEEK = 0x02;
inline constexpr int MSG_DONTWAIT = 0x40;

// shutdown()
inline constexpr int SHUT_RD = 0;
inline constexpr int SHUT_WR = 1;
inline constexpr int SHUT_RDWR = 2;

// getaddrinfo()
inline constexpr int AI_NUMERICHOST = 0x04;

} // namespace usocket

namespace uselect {

inline constexpr unsigned POLLIN = 0x01;
inline constexpr unsigned POLLOUT = 0x04;
inline constexpr unsigned POLLERR = 0x08;
inline constexpr unsigned POLLHUP = 0x10;
inline constexpr unsigned POLLNVAL = 0x20;

} // namespace uselect

#include <usocket/macros_on.inc>
