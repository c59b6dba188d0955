// A device on a cable: lwIP on one end of a TAP interface, and on the other the kernel with a
// dnsmasq that gives addresses, announces a prefix and answers names.
#pragma once

#include "../names/dnsmasq.hpp"
#include "../names/files.hpp"

#include <weft/descriptor_driver.hpp>
#include <weft/host.hpp>
#include <weft/loop.hpp>
#include <weft/stack.hpp>
#include <weft/tap.hpp>

#include <memory>
#include <string>

namespace services_test {

inline constexpr char interface_name[] = "services0";
inline const weft::address kernels_ipv4 = weft::address::v4(10, 79, 0, 1);
inline const weft::address kernels_ipv6 =
    weft::address::v6({0xfd, 0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

class world {
  public:
    world() = default;
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    /// Empty, or why this machine cannot have it.
    std::string open();

    [[nodiscard]] weft::loop& home() noexcept { return *loop_; }
    [[nodiscard]] weft::stack& kernel() noexcept { return *kernel_; }
    /// lwIP with a link and nothing else; one at a time.
    [[nodiscard]] std::unique_ptr<weft::stack> device();

  private:
    std::unique_ptr<weft::descriptor_driver> driver_;
    std::unique_ptr<weft::loop> loop_;
    std::unique_ptr<weft::tap_link> tap_;
    names_test::temporary_file hosts_{"192.0.2.7 service.test\n"};
    names_test::dnsmasq dnsmasq_;
    std::unique_ptr<weft::stack> kernel_;
};

world& here();

} // namespace services_test

namespace weft {
inline doctest::String toString(errc e) {
    return name(e);
}
} // namespace weft
