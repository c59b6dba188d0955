// UDP over a non-blocking descriptor. Both directions run to EAGAIN: a datagram's size says nothing
// about the next one.
#pragma once

#include <weft/descriptor_driver.hpp>
#include <weft/socket.hpp>

namespace weft::host {

class udp final : public datagram_socket, private descriptor_watch {
  public:
    /// The driver of `home` is a descriptor_driver.
    static result<datagram_socket*> open(loop& home, family f) noexcept;

    result<> bind(const endpoint& at) noexcept override;
    result<> connect(const endpoint& to) noexcept override;
    [[nodiscard]] std::uint64_t dropped() const noexcept override { return dropped_; }
    result<> set_queue_limit(std::size_t datagrams) noexcept override;
    result<> set_option(socket_option option, int value) noexcept override;
    result<int> get_option(socket_option option) const noexcept override;
    result<> bind_device(std::string_view name) noexcept override;
    result<> join_group(const address& group, const address& own) noexcept override;
    result<> leave_group(const address& group, const address& own) noexcept override;

    readiness confirmed() noexcept override;
    errc take_error() noexcept override;
    result<endpoint> local() const noexcept override;
    result<endpoint> remote() const noexcept override;

  protected:
    result<datagram> receive_one(std::span<std::byte> into) noexcept override;
    io_count send_one(std::span<const std::byte> from, const endpoint* to) noexcept override;
    void dispose() noexcept override { delete this; }
    void do_close() noexcept override;

  private:
    udp(loop& home, int opened, family f) noexcept;
    static void told(descriptor_watch& watch, unsigned events);
    [[nodiscard]] descriptor_driver& driver() const noexcept {
        return static_cast<descriptor_driver&>(home().sleeper());
    }
    void spent(readiness bit) noexcept;

    family family_;
    bool watched_ = false;
    bool refused_ = false; // a send met the refusal of an earlier datagram: recv tells it
    std::uint64_t dropped_ = 0;
};

} // namespace weft::host
