// Which stack this thread's sockets come from. Without a word here it is the host's, or what the
// environment variable WEFT_STACK names:
//
//   WEFT_STACK=host                                     the operating system's sockets
//   WEFT_STACK=lwip                                     lwIP on its loopback
//   WEFT_STACK=lwip:tap0+10.0.0.2/24+10.0.0.1           lwIP on a TAP interface: address, gateway
//   WEFT_STACK=lwip:unix:/run/a:/run/b+10.0.0.2/24      on unix datagram sockets: own and peer's
//   WEFT_STACK=lwip:tap0+10.0.0.2/24+dns:10.0.0.1       names are asked of 10.0.0.1
//
// Behind lwIP's link come, in any order, addresses with a prefix (one of IPv4, three of IPv6), the
// IPv4 gateway, and name servers (four; port 53).
//
// A program that has a stack of its own, or wants a certain one, says so once:
//
//     usocket::use(net);
//     usocket::use("lwip");
#pragma once

#include <usocket/core/thread.hpp>
#include <usocket/error.hpp>

#include <weft/stack.hpp>

#include <string_view>

namespace usocket {

/// Sockets that this thread makes from now on come from `chosen`. It and its loop belong to this
/// thread and outlive those sockets; leave() closes them.
inline void use(weft::stack& chosen) noexcept {
    thread::here().use(&chosen);
}

/// The same by one of WEFT_STACK's names; before this thread's first socket. EBUSY: later; EINVAL:
/// no such stack, what() names what is wrong; EPERM, ENODEV...: its link.
inline outcome<> use(std::string_view name) {
    return told(as_result(thread::here().use_named(name)), "use");
}

/// Closes every socket of this thread that lives in `home`; new ones come from the default stack.
void leave(weft::loop& home) noexcept;

/// This thread's stack, made if need be: what its coroutines use beside the sockets.
inline outcome<weft::stack*> stack() {
    return told(thread::here().net(), "stack");
}

} // namespace usocket
