// udp: a UDP socket over a pcb of lwIP, with a queue of datagrams and a count of what it dropped.
#pragma once

#include "stack/lwip/api.hpp"
#include "stack/lwip/core.hpp"

#include <weft/socket.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::lwip {

class host;

class udp final : public datagram_socket, public host_link {
  public:
    static constexpr std::size_t default_queue_limit = WEFT_LWIP_UDP_QUEUE;

    static result<datagram_socket*> open(host& on, family f) noexcept;
    /// The host goes away: its sockets are closed.
    static void close_all(host& going) noexcept;

    result<> bind(const endpoint& at) noexcept WEFT_OVERRIDE;
    result<> connect(const endpoint& to) noexcept WEFT_OVERRIDE;
    result<endpoint> local() const noexcept WEFT_OVERRIDE;
    result<endpoint> remote() const noexcept WEFT_OVERRIDE;
    [[nodiscard]] std::uint64_t dropped() const noexcept WEFT_OVERRIDE { return dropped_; }
    result<> set_queue_limit(std::size_t datagrams) noexcept WEFT_OVERRIDE;
    [[nodiscard]] readiness confirmed() noexcept WEFT_OVERRIDE;
    errc take_error() noexcept WEFT_OVERRIDE;
    result<> set_option(socket_option option, int value) noexcept WEFT_OVERRIDE;
    result<int> get_option(socket_option option) const noexcept WEFT_OVERRIDE;
    result<> join_group(const address& group, const address& own) noexcept WEFT_OVERRIDE;
    result<> leave_group(const address& group, const address& own) noexcept WEFT_OVERRIDE;

    [[nodiscard]] static bool is_ours(const udp_pcb* pcb) noexcept {
        return pcb->recv == &on_datagram;
    }
    /// ICMP said that the peer's port is closed, or cannot be reached: told once.
    void unreachable(errc why) noexcept;
    [[nodiscard]] bool connected() const noexcept { return connected_; }

  private:
    friend class weft::datagram_socket;
    result<datagram> receive_one(std::span<std::byte> into) noexcept WEFT_OVERRIDE;
    io_count send_one(std::span<const std::byte> from, const endpoint* to) noexcept WEFT_OVERRIDE;
    void dispose() noexcept override { delete this; }
    void do_close() noexcept override;

    struct queued;
    struct membership;

    udp(host& on, family f, udp_pcb* pcb) noexcept;
    result<> bind_to(const ip_addr_t& ip, std::uint16_t port) noexcept;
    result<> bind_ephemeral(const ip_addr_t& ip) noexcept;
    [[nodiscard]] result<>
    check_membership(const address& group, const address& own) const noexcept;
    [[nodiscard]] membership** find_group(const address& group) noexcept; // its place, or the last
    result<> tell_netif(const address& group, bool joins) noexcept;
    void leave_groups() noexcept;
    void drop_queue() noexcept;

    static void
    on_datagram(void* arg, udp_pcb* pcb, pbuf* p, const ip_addr_t* from, u16_t port) noexcept;

    host* host_;
    udp_pcb* pcb_;
    queued* first_ = nullptr;
    queued* last_ = nullptr;
    membership* groups_ = nullptr;
    std::size_t count_ = 0;
    std::size_t limit_ = default_queue_limit;
    std::uint64_t dropped_ = 0;
    std::uint16_t port_ = 0;
#if !WEFT_ONE_STACK
    family family_;
#endif
    bool wildcard_ = false;
    bool connected_ = false;
    errc pending_error_ = errc::ok;
    endpoint peer_;
};

} // namespace weft::lwip
