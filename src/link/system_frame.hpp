// What the links over descriptors share: gathering a frame for writev, and what errno means to a
// link.
#pragma once

#include <weft/errc.hpp>
#include <weft/link.hpp>

#include <sys/uio.h>

#include <cstddef>
#include <span>

namespace weft {

/// The parts of a frame as the system wants them. Frames of many parts (rare: a TCP segment has one
/// to three) go through `overflow`, which holds a whole frame.
class gathered_frame {
  public:
    /// `overflow` must hold as many bytes as all parts together, which size() tells.
    gathered_frame(
        std::span<const std::span<const std::byte>> parts, std::span<std::byte> overflow) noexcept;

    [[nodiscard]] static std::size_t
    size(std::span<const std::span<const std::byte>> parts) noexcept;

    [[nodiscard]] iovec* vectors() noexcept { return vectors_; }
    [[nodiscard]] int count() const noexcept { return count_; }

  private:
    static constexpr int most = 16;
    iovec vectors_[most];
    int count_ = 0;
};

/// errc::ok if a frame of this size may go on a link, errc::message_too_long or
/// errc::invalid_argument (no Ethernet header) if not.
[[nodiscard]] errc check_frame_size(std::size_t size, std::size_t mtu) noexcept;

/// The MTU of an Ethernet link: not zero, and the frame fits the system's 16-bit lengths.
[[nodiscard]] bool is_valid_mtu(std::size_t mtu) noexcept;

/// errno as a link tells it: would_block, no_buffers, network_down, permission_denied ...
[[nodiscard]] errc link_error(int system_error) noexcept;

/// `wanted`, or if it is all zero a random locally administered address. False if the system has
/// no random numbers.
bool choose_address(const hardware_address& wanted, hardware_address& chosen) noexcept;

} // namespace weft
