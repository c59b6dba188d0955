// Where names are resolved: one stack, a dnsmasq, and a name_server that does as the names say, in
// a network namespace of this process's own. main.cpp chooses the stack.
#pragma once

#include "name_server.hpp"

#include <weft/descriptor_driver.hpp>
#include <weft/loop.hpp>
#include <weft/stack.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task.hpp>
#include <weft/timeout.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace names_test {

using namespace std::chrono_literals;
using weft::address;
using weft::address_list;
using weft::endpoint;
using weft::errc;
using weft::families;
using weft::family;
using weft::result;
using weft::task;

class world {
  public:
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    virtual ~world() = default;

    [[nodiscard]] weft::loop& home() noexcept { return loop_; }
    [[nodiscard]] weft::descriptor_driver& driver() noexcept { return *driver_; }
    /// lwIP gives one address of each family, and has no TCP for what does not fit a datagram.
    [[nodiscard]] bool on_lwip() const noexcept { return on_lwip_; }

    /// A new stack that asks this one server; several at a time on the host only.
    [[nodiscard]] virtual std::unique_ptr<weft::stack> asking(const endpoint& server) = 0;
    /// A stack of the kernel's, for the name_server to run on.
    [[nodiscard]] virtual weft::stack& kernel() noexcept = 0;
    [[nodiscard]] virtual endpoint dnsmasq_at() const = 0;
    [[nodiscard]] virtual endpoint server_at() const = 0;
    /// Descriptors of this process, and pcbs of lwIP.
    [[nodiscard]] virtual std::size_t open_sockets() const = 0;

  protected:
    world(std::unique_ptr<weft::descriptor_driver> driver, bool on_lwip)
        : driver_(std::move(driver)), loop_(*driver_), on_lwip_(on_lwip) {}

  private:
    std::unique_ptr<weft::descriptor_driver> driver_;
    weft::loop loop_;
    bool on_lwip_;
};

/// Either a world, or why there is none on this machine.
struct attempt {
    std::unique_ptr<world> made;
    std::string why_not;
};
attempt make_host_world(weft::poller kind);
attempt make_tap_world();

/// The world of this process.
world& here();

/// Runs the test to its end; then no descriptor and no pcb is left.
void run(task<> (*test)(world&));

/// The error, or ok.
template <class Result>
errc error_of(const Result& r) {
    return r ? errc::ok : r.error();
}

/// "192.0.2.1 2001:db8::1", or the name of the error.
std::string text(const result<address_list>& found);

} // namespace names_test

namespace weft {
inline doctest::String toString(errc e) {
    return name(e);
}
} // namespace weft
