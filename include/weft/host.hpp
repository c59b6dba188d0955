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
#include <utility>

namespace weft {

/// A stack whose sockets wait in `home`. `driver` must be the loop's own (errc::invalid_argument
/// otherwise). The stack may go before its sockets; loop and driver outlive them all.
/// errc::no_memory.
[[nodiscard]] result<std::unique_ptr<stack>>
make_host_stack(loop& home, descriptor_driver& driver) noexcept;

/// Driver, loop and stack in one object, destroyed in the right order.
struct host_context {
    explicit host_context(std::unique_ptr<descriptor_driver> sleeper) noexcept
        : driver(std::move(sleeper)), loop(*driver) {}

    std::unique_ptr<descriptor_driver> driver;
    weft::loop loop;
    std::unique_ptr<stack> net;
};

/// The errors of make_descriptor_driver, and errc::no_memory.
[[nodiscard]] result<std::unique_ptr<host_context>>
make_host_context(poller kind = default_poller()) noexcept;

} // namespace weft
