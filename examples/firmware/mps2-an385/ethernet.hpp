// The board's Ethernet as a link of weft's.
#pragma once

#include <weft/driver.hpp>
#include <weft/link.hpp>

namespace board {

class ethernet final : public weft::link {
  public:
    /// Starts the controller; `sleeper` is woken for frames, and when the link goes or comes.
    /// errc::no_such_device if there is none.
    weft::result<> start(weft::driver& sleeper) noexcept;

    [[nodiscard]] std::size_t mtu() const noexcept override;
    [[nodiscard]] weft::hardware_address address() const noexcept override;
    weft::result<> send(std::span<const std::span<const std::byte>> parts) noexcept override;
    std::size_t receive(std::span<std::byte> frame) noexcept override;
    [[nodiscard]] weft::time_point next_arrival() noexcept WEFT_OVERRIDE;
    [[nodiscard]] bool up() const noexcept override;
};

} // namespace board
