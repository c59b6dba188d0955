// host: one netif of lwIP, on a link or the loopback, and the stack that programs see.
#pragma once

#include "stack/lwip/api.hpp"
#include "stack/lwip/convert.hpp"
#include "stack/lwip/core.hpp"

#include <weft/descriptor_driver.hpp>
#include <weft/lwip.hpp>
#include <weft/stack.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace weft::lwip {

#if WEFT_ONE_STACK
struct hosts_link {};
#else
struct hosts_link : list_node {};
#endif

class host final : public stack, public hosts_link {
  public:
    static constexpr int frames_per_turn = service::frames_per_turn;
    /// Ethernet pads to this, without the checksum; links of ours need not. lwIP relies on it: it
    /// reads a whole ARP packet whatever there is.
    static constexpr u16_t shortest_frame = 60;

    static result<std::unique_ptr<stack>> make(weft::loop& home, const lwip_options& o) noexcept;
    ~host() WEFT_OVERRIDE;
    /// Null if this is another kind of stack.
    [[nodiscard]] static host* behind(const stack& s) noexcept;

    [[nodiscard]] std::string_view name() const noexcept WEFT_OVERRIDE { return "lwip"; }
    result<tcp_socket*> open_tcp(family f) noexcept WEFT_OVERRIDE;
    result<datagram_socket*> open_udp(family f) noexcept WEFT_OVERRIDE;
    void start_query(name_query& query) noexcept WEFT_OVERRIDE;
    void forget_query(name_query& query) noexcept WEFT_OVERRIDE;
    [[nodiscard]] bool drained() const noexcept WEFT_OVERRIDE;

    [[nodiscard]] netif& interface() noexcept { return *netif_; }
    [[nodiscard]] const netif& interface() const noexcept { return *netif_; }
#if !WEFT_ONE_STACK
    /// TCP sockets that are not bound yet.
    [[nodiscard]] list<flush_link>& fresh_sockets() noexcept { return fresh_sockets_; }
#endif
    [[nodiscard]] list<host_link>& udp_sockets() noexcept { return udp_sockets_; }
    /// Who is asked for names; none: whoever the network announced.
    [[nodiscard]] std::span<const ip_addr_t> name_servers() const noexcept {
        return std::span(name_servers_).first(name_server_count_);
    }
    [[nodiscard]] bool has_link() const noexcept { return link_ != nullptr; }
    [[nodiscard]] bool owns(const netif* n) const noexcept { return n == netif_; }

    /// What a wildcard address means in a pcb of this host.
    [[nodiscard]] ip_addr_t wildcard(family f) noexcept;
    /// What an address is in a pcb that is bound to it.
    [[nodiscard]] ip_addr_t local_ip(const address& a) noexcept {
#if !WEFT_ONE_STACK // of several hosts each has a wildcard of its own
        if (a.is_any()) {
            return wildcard(a.family());
        }
#endif
        return to_lwip(a, netif_);
    }

    /// Where a connection to "any" goes: to this host itself.
    [[nodiscard]] address own_address(family f) const noexcept;
    [[nodiscard]] bool has_address(const ip_addr_t& ip) const noexcept;
    /// False if no address of this host can send there.
    [[nodiscard]] bool has_route(const ip_addr_t& to) const noexcept;

    /// Take in up to `frames_per_turn` frames that are waiting; how many.
    int take_from_link() noexcept;
    int take_loopback() noexcept; // only with loopback_pending()
    /// True if packets wait in lwIP's own loopback queue of this netif.
    [[nodiscard]] bool loopback_pending() const noexcept { return netif_->loop_first != nullptr; }
#if !WEFT_ONE_STACK
    /// Lowers `deadline` to when there will be something to take in.
    void bound(time_point& deadline) noexcept;
#endif

    /// Whenever lwIP's timers are looked at: after every sleep, and in every eighth turn.
    void look_around() noexcept;
    /// That the link did not take: it was down, or its queue was full.
    [[nodiscard]] std::uint32_t frames_dropped() const noexcept { return frames_dropped_; }

  private:
    friend class weft::service;

    host(weft::loop& home, const lwip_options& o, netif* on, pbuf* spare) noexcept;
    void set_up_interface(const lwip_options& o) noexcept;
    pbuf* receive_frame() noexcept;
    static void take(pbuf* packet, netif* in) noexcept;
    int take_looped_packets() noexcept;
    void remove_netif() noexcept;

    static err_t init_netif(netif* n) noexcept;
    static err_t output(netif* n, pbuf* p) noexcept;

    friend errc
    use_option(const interface_address* addresses, std::size_t count, host* by) noexcept;
    friend errc use_option(const address* name_servers, std::size_t count, host* by) noexcept;

    weft::link* link_;
    netif* netif_;  // &own_ or lwIP's loopback
    pbuf* spare_;   // of a whole frame's size: what the next frame is read into. With a link there
                    // always is one, or frames could not be taken and lost
#if !WEFT_ONE_STACK // a board's links have no descriptors
    static void descriptor_ready(descriptor_watch& watch, unsigned events) noexcept;
    result<> watch_link() noexcept;

    struct frame_watch : descriptor_watch {
        explicit frame_watch(host& h) noexcept : descriptor_watch(&descriptor_ready), owner(&h) {}
        host* owner;
    };

    descriptor_driver* driver_;
    frame_watch watch_;
    bool frames_waiting_ = false; // the descriptor said so and has not said otherwise since
    bool watching_ = false;
#endif
    std::size_t name_server_count_ = 0;
    std::uint32_t frames_dropped_ = 0;
#if !WEFT_ONE_STACK
    list<flush_link> fresh_sockets_;
#endif
    list<host_link> udp_sockets_;
    // The large ones, last: a short instruction reaches the others.
    std::array<ip_addr_t, DNS_MAX_SERVERS> name_servers_; // the first name_server_count_
#if WEFT_ONE_STACK
    netif own_; // all zero when there was no stack yet, and after one
#else
    netif own_ = {};
#endif
};

inline void host::take(pbuf* packet, netif* in) noexcept {
    packet->if_idx = netif_get_index(in);
    ip_input(packet, in); // always takes it: lwIP's own ethernet_input() relies on that
}

inline int host::take_loopback() noexcept {
#if WEFT_ONE_STACK
    return take_looped_packets();
#else
    netif* const n = netif_;
    pbuf* const only = n->loop_first;
    if (only->next != nullptr) {
        return take_looped_packets();
    }
    n->loop_first = nullptr;
    take(only, n);
    return 1;
#endif
}

} // namespace weft::lwip
