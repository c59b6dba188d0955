// tap: a link to the host's own network, through a Linux TAP interface. The host's side is an
// ordinary interface that ip(8) brings up and gives an address; this side is ours.
//
//     auto cable = weft::make_tap_link({.name = "tap0"});      // result<std::unique_ptr<tap_link>>
//     if (!cable) { return weft::fail(cable.error()); }
#pragma once

#include <weft/link.hpp>
#include <weft/link_counters.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace weft {

struct tap_options {
    /// Of the interface on the host's side, up to 15 characters: an existing one made with
    /// `ip tuntap add`, or a new one that lives as long as the link. Empty: the system chooses.
    std::string_view name;
    /// Of this side; the host's is whatever ip(8) sets.
    std::size_t mtu = 1500;
    /// Of this side, not the interface's. All zero: a random one, locally administered.
    hardware_address address{};
};

class tap_link final : public link {
  public:
    static constexpr std::size_t name_size = 16; // IFNAMSIZ

    /// Takes the descriptor of an attached TAP; for make_tap_link.
    tap_link(
        int descriptor, std::string_view name, std::size_t mtu, const hardware_address& address,
        std::unique_ptr<std::byte[]> overflow) noexcept;
    ~tap_link() override;

    /// The interface's name on the host's side.
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] const link_counters& counters() const noexcept { return counters_; }

    [[nodiscard]] std::size_t mtu() const noexcept override { return mtu_; }
    [[nodiscard]] hardware_address address() const noexcept override { return address_; }
    /// errc::network_down while the host's side is not up; errc::would_block, errc::no_buffers,
    /// errc::message_too_long; errc::invalid_argument: shorter than an Ethernet header.
    result<> send(std::span<const std::span<const std::byte>> parts) noexcept override;
    std::size_t receive(std::span<std::byte> frame) noexcept override;
    [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }
    /// False from a send() that found the host's side down until that is up again.
    [[nodiscard]] bool up() const noexcept override;

  private:
    int descriptor_;
    hardware_address address_;
    std::size_t mtu_;
    std::unique_ptr<std::byte[]> overflow_; // one frame, for those of very many parts
    link_counters counters_;
    char name_[name_size]{};
    mutable bool lost_ = false; // the last frame found the host's side down
};

/// Attaches to a TAP interface; needs CAP_NET_ADMIN, or an interface made for this user
/// (`ip tuntap add NAME mode tap user USER`).
///
/// errc::permission_denied: neither; errc::no_such_device: no /dev/net/tun here, or no driver for
/// it; errc::busy: another process has it; errc::invalid_argument: a name that cannot be one, or
/// names an interface that is no TAP, a zero or giant MTU, a group's address; errc::no_memory,
/// errc::too_many_open.
[[nodiscard]] result<std::unique_ptr<tap_link>> make_tap_link(const tap_options& options) noexcept;

} // namespace weft
