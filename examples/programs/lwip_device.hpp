// What a status page shows of lwIP, for the start-ups whose stack that is. The program itself knows
// no stack.
#pragma once

#include "status_page.hpp"

#include <weft/lwip.hpp>

namespace programs {

class lwip_device : public device {
  public:
    [[nodiscard]] socket_usage sockets() noexcept override {
        const weft::lwip_usage used = weft::count_lwip_usage();
        return {
            .tcp_active = number(used.tcp_active),
            .tcp_listening = number(used.tcp_listening),
            .tcp_time_wait = number(used.tcp_time_wait),
            .udp = number(used.udp)};
    }
    /// None unless weft was built with -Dlwip_stats=true.
    bool pool(std::size_t index, pool_usage& into) noexcept override {
        constexpr weft::lwip_pools all;
        if (index >= all.size()) {
            return false;
        }
        const weft::lwip_pool one = all[index];
        into = {one.name, number(one.used), number(one.most_used), number(one.limit), one.failures};
        return true;
    }

  protected:
    ~lwip_device() = default;

  private:
    static std::uint32_t number(std::size_t n) noexcept { return static_cast<std::uint32_t>(n); }
};

} // namespace programs
