// names: lwIP's DNS client. There is one in the process, with one table of servers, so the hosts
// take turns: the questions of one are answered, or have given up, before another's are asked.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/list.hpp>
#include <weft/resolve.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::lwip {

class host;

/// lwIP cannot cancel a query. What it calls back with is the number of a request in a static table
/// and the generation of what is in there, never a pointer to who waits: that may be gone.
///
///     free -> asked, with a query -> the last answer: query completed, free
///                                 -> query forgotten: asked, with none -> the last answer: free
class names {
  public:
    names() noexcept = default;
    names(const names&) = delete;
    names& operator=(const names&) = delete;

    void start(host& on, name_query& query) noexcept;
    void forget(name_query& query) noexcept;
    /// Its queries end with errc::network_down, and lwIP keeps nothing of them.
    void host_goes(host& going) noexcept;

    /// Who is asked for this host: its own servers, or those that the network announced; some may
    /// be unset.
    [[nodiscard]] std::span<const ip_addr_t> servers_of(const host& of) noexcept;

  private:
    static constexpr std::size_t table_size = DNS_TABLE_SIZE;
    using server_table = std::array<ip_addr_t, DNS_MAX_SERVERS>;

    struct request {
        name_query* asker = nullptr; // null: nobody waits any more
        errc outcome = errc::ok;     // of the answers so far
        std::uint16_t generation = 0;
        std::uint8_t awaited = 0; // lwIP's callbacks that are to come; 0: free
    };
    /// Lets the next host have its turn; outside of lwIP's callbacks.
    struct turn : waiter {
        explicit turn(names& of) noexcept : waiter(&next), owner(&of) {}
        static void next(waiter& node) { static_cast<turn&>(node).owner->serve(); }
        names* owner;
    };

    void ask(name_query& query) noexcept;
    void ask_for(request& r, const char* name, family f) noexcept;
    void settle(request& r, errc outcome) noexcept;
    void adopt_new_pcbs(const udp_pcb* before) noexcept;
    [[nodiscard]] bool anybody_waits() const noexcept;
    void give_up() noexcept;
    void serve() noexcept;
    void write_servers(std::span<const ip_addr_t> servers) noexcept;

    static void on_found(const char* name, const ip_addr_t* found, void* arg) noexcept;
    static void
    on_datagram(void* arg, udp_pcb* pcb, pbuf* p, const ip_addr_t* from, u16_t port) noexcept;

    std::array<request, table_size> requests_;
    std::size_t awaited_ = 0;  // of all requests
    host* asking_ = nullptr;   // whose they are
    list<name_query> waiting_; // other hosts', in order
    turn turn_{*this};

    udp_recv_fn lwips_receive_ = nullptr;
    errc reason_; // why lwIP finds nothing, which it does not say itself
    server_table written_{};
    server_table announced_{}; // by DHCP and routers, to lwIP
};

} // namespace weft::lwip
