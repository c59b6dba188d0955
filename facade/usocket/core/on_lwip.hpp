// A thread's own lwIP stack: its driver, its loop, its link and what was said of its addresses.
#pragma once

#include "usocket/core/thread.hpp"

#include <weft/lwip.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace usocket {

#if WEFT_ONE_STACK
using own_link = weft::link*; // a board's, which outlives every stack
#else
using own_link = std::unique_ptr<weft::link>;
#endif

class on_lwip final : public default_stack {
  public:
    /// `descriptors` is the driver if links with descriptors can be had, else null.
    on_lwip(std::unique_ptr<weft::driver> sleeper, weft::descriptor_driver* descriptors) noexcept
        : driver_(std::move(sleeper)), descriptors_(descriptors), loop_(*driver_) {}
    ~on_lwip() override;

    /// Null: the loopback. `settings` as lwip_settings has them.
    weft::errc open(own_link cable, std::string_view settings, std::span<char> why) noexcept;
    [[nodiscard]] weft::stack& net() noexcept override { return *net_; }

  private:
    std::unique_ptr<weft::driver> driver_;
    weft::descriptor_driver* descriptors_;
    weft::loop loop_;
    own_link link_{};
    std::unique_ptr<weft::stack> net_;
};

/// What WEFT_STACK says of an lwIP stack behind its link: addresses, gateway, name servers.
class lwip_settings {
  public:
    /// "10.0.0.2/24+10.0.0.1+fd00::2/64+dns:10.0.0.1", in any order; empty: none of them.
    /// errc::invalid_argument, and `why` names what is wrong.
    weft::errc parse(std::string_view text, std::span<char> why) noexcept;

    /// Without link and driver. Points into this.
    [[nodiscard]] weft::lwip_options options() const noexcept;

  private:
    [[nodiscard]] bool take(std::string_view each) noexcept;

    static constexpr std::size_t most_ipv6 = 3;
    static constexpr std::size_t most_servers = 4;

    std::optional<weft::interface_address> ipv4_;
    std::optional<weft::address> gateway_;
    std::array<weft::interface_address, most_ipv6> ipv6_{};
    std::size_t ipv6_count_ = 0;
    std::array<weft::address, most_servers> servers_{};
    std::size_t server_count_ = 0;
};

} // namespace usocket
