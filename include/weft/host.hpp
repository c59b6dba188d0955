// The host stack: the operating system's TCP and UDP, over epoll, poll or select.
//
//     auto host = weft::make_host_context();                  // result<unique_ptr<host_context>>
//     auto done = weft::sync_wait((*host)->loop, serve(*(*host)->net));
#pragma once

#include <weft/descriptor_driver.hpp>
#include <weft/loop.hpp>
#include <weft/result.hpp>
#include <weft/stack.hpp>

#include <memory>
#include <span>
#include <utility>

namespace weft {

/// How the host stack resolves names, where that is not as the system says. Names go through
/// c-ares: /etc/hosts, then the servers and search domains of /etc/resolv.conf, which is read when
/// the first name is asked for.
struct host_names {
    /// Asked in this order instead of resolv.conf's, at most 8; port 0 is 53.
    std::span<const endpoint> servers = {};
    /// Read instead of /etc/resolv.conf.
    const char* resolv_conf = nullptr;
    /// Read instead of /etc/hosts. errc::not_supported with c-ares before 1.19.1.
    const char* hosts_file = nullptr;
    /// How long a server has for its first answer, and how often each is asked; c-ares lets later
    /// tries wait longer. 0: as resolv.conf says, or c-ares.
    duration timeout{};
    int tries = 0;
};

/// A stack whose sockets wait in `home`. `driver` must be the loop's own (errc::invalid_argument
/// otherwise). The stack may go before its sockets; loop and driver outlive them all. Names that it
/// is asked for end with errc::network_down when it goes. errc::no_memory, and not_supported or
/// invalid_argument for `names`, which need not outlive the call.
[[nodiscard]] result<std::unique_ptr<stack>>
make_host_stack(loop& home, descriptor_driver& driver, const host_names& names = {}) noexcept;

/// Driver, loop and stack in one object, destroyed in the right order.
struct host_context {
    explicit host_context(std::unique_ptr<descriptor_driver> sleeper) noexcept
        : driver(std::move(sleeper)), loop(*driver) {}

    std::unique_ptr<descriptor_driver> driver;
    weft::loop loop;
    std::unique_ptr<stack> net;
};

/// The errors of make_descriptor_driver and make_host_stack.
[[nodiscard]] result<std::unique_ptr<host_context>>
make_host_context(poller kind = default_poller(), const host_names& names = {}) noexcept;

} // namespace weft
