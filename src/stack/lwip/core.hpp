// The one lwIP of a process: its time, its timers, its random numbers, and what a turn does for it.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/list.hpp>
#include <weft/loop.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

namespace weft::lwip {

class host;
class names;

/// A UDP socket, in its host's list.
struct host_link : list_node {};

// A socket that owes lwIP something at the end of the turn: a window to open, data to output. One
// that is not bound yet is in its host's list instead. And a socket that lwIP had no memory for,
// although its send buffer has room. A board's sockets are few and every byte of one counts: such
// are found among lwIP's pcbs.
#if WEFT_ONE_STACK
struct flush_link {};
struct starved_link {};
#else
struct flush_link : list_node {};
struct starved_link : list_node {};
#endif

#if WEFT_ONE_STACK
/// The host of a board, which has no more than one.
class host_list {
  public:
    [[nodiscard]] bool empty() const noexcept { return only_ == nullptr; }
    /// There is one.
    [[nodiscard]] host& only() const noexcept { return *only_; }
    void add(host& h) noexcept { only_ = &h; }
    void remove(host&) noexcept { only_ = nullptr; }
    [[nodiscard]] static bool several() noexcept { return false; }
    template <class F>
    void for_each(F&& visit) {
        if (only_ != nullptr) {
            visit(*only_);
        }
    }

  private:
    host* only_ = nullptr;
};
#else
class host_list {
  public:
    [[nodiscard]] bool empty() const noexcept { return hosts_.empty(); }
    void add(host& h) noexcept; // core.cpp: for whom a host is a list_node
    void remove(host& h) noexcept;
    [[nodiscard]] bool several() const noexcept { return count_ > 1; }
    template <class F>
    void for_each(F&& visit) {
        hosts_.for_each(visit);
    }

  private:
    int count_ = 0;
    list<host> hosts_;
};
#endif

/// Singleton, because lwIP's state is global. Attached to a loop while any host exists.
class core final : public service {
  public:
    /// The one; exists once a stack was made, and then for good.
    static core& instance() noexcept;
#if WEFT_ONE_STACK
    static core* find() noexcept { return &instance(); }
#else
    /// Null if none was made yet.
    static core* find() noexcept { return made_ ? &instance() : nullptr; }
    static core& create() noexcept;
#endif

    /// Starts lwIP, once: its heap can be used from now on, before there is a stack too.
    static void have_heap() noexcept;

#if WEFT_ONE_STACK
    [[nodiscard]] bool attached() const noexcept { return home_ != nullptr; }
    void attach(loop& home, host& h) noexcept;
#else
    /// errc::busy if lwIP already runs on another loop.
    errc attach(loop& home, const std::optional<std::uint64_t>& seed) noexcept;
#endif
    void add(host& h) noexcept;
    void remove(host& h) noexcept;
    /// Leaves the loop when no host is left, so that another loop may have lwIP.
    void detach_if_unused() noexcept;

    /// More than one host: wildcard addresses are then each host's own.
    [[nodiscard]] bool several_hosts() const noexcept { return hosts_.several(); }
    [[nodiscard]] host* host_of(const netif* n) noexcept;
    [[nodiscard]] host* host_with(const ip4_addr_t& source) noexcept;
    template <class F>
    void for_each_host(F&& visit) {
        hosts_.for_each(visit);
    }

    /// The client of name servers; made when one is first asked (names.cpp), and null before.
    [[nodiscard]] lwip::names* names() const noexcept { return names_; }
    [[nodiscard]] lwip::names& need_names() noexcept;
    /// While a question for a name is sent: by whose interface it leaves. lwIP's pcb has no address
    /// then.
    void set_asking(host* h) noexcept { asking_ = h; }
    [[nodiscard]] host* asking() const noexcept { return asking_; }

    /// What is told of ICMP packets, with the IP version, and gives 0; null until a socket wants to
    /// know (unreachable.cpp), so that a server that never connects does not link it.
    using icmp_listener = int (*)(pbuf* p, int version);
    void listen_to_icmp(icmp_listener told) noexcept { icmp_listener_ = told; }
    int tell_icmp(pbuf* p, int version) const noexcept {
        return icmp_listener_ != nullptr ? icmp_listener_(p, version) : 0;
    }

    /// lwIP's time: whole milliseconds since it first ran, without those when it had no loop.
    [[nodiscard]] std::uint32_t milliseconds() noexcept;
    /// The same in units of 4 microseconds.
    [[nodiscard]] std::uint32_t sequence_clock() noexcept;

#if WEFT_ONE_STACK
    /// Of some socket, which has a mark.
    void flush_later() noexcept { any_due_ = true; }
    void starve() noexcept { any_starved_ = true; }
#else
    void flush_later(flush_link& socket) noexcept {
        if (!socket.linked()) {
            flush_.push_back(socket);
        }
    }
    void starve(starved_link& socket) noexcept {
        if (!socket.linked()) {
            starved_.push_back(socket);
            any_starved_ = true;
        }
    }
#endif
    /// Some memory may be free again: called by lwIP's hook and `poll` callbacks. A frame that was
    /// taken in says the same: it may have acknowledged data.
    void memory_available() noexcept {
#if WEFT_ONE_STACK
        any_due_ = any_due_ || any_starved_;
#else
        memory_available_ = any_starved_;
#endif
    }

#if !WEFT_ONE_STACK
    int exchange() noexcept override;
    bool end_turn() noexcept override;
    void bound(time_point& deadline) noexcept override;
#endif

  private:
    std::uint32_t count_time() noexcept;
    void send_out() noexcept;
#if WEFT_ONE_STACK
    friend class weft::service;
    static core only_;
#else
    friend union core_room;
    core() = default;
    ~core() = default;
    void initialize() noexcept;
    void feed_starved() noexcept;
    int take_frames() noexcept;
    void check_timers() noexcept;

    static inline bool made_ = false;
#endif

    /// lwIP's timers count in units of 100 ms and more: in a row of turns that never sleep they are
    /// looked at in every eighth.
    static constexpr int turns_between_timers = 8;

    loop* home_ = nullptr;
    bool initialized_ = false;
    bool any_starved_ = false; // starved_ may have been emptied since
#if WEFT_ONE_STACK
    bool any_due_ = false;
#else
    bool memory_available_ = false;
#endif
    int turns_until_timers_ = 0;
    // Counted up by what the loop's clock went on, and not divided from it: that would be a
    // division of 64 bits, which a board's processor has not.
    std::uint32_t milliseconds_ = 0;
    std::int64_t counted_ns_ = 0; // the loop's time at which that number was reached
    lwip::names* names_ = nullptr;
    host* asking_ = nullptr;
    icmp_listener icmp_listener_ = nullptr;
    host_list hosts_;
#if !WEFT_ONE_STACK
    list<flush_link> flush_;
    list<starved_link> starved_;
#endif
};

#if WEFT_ONE_STACK
inline core& core::instance() noexcept {
    return only_;
}
#else
/// Where it is. Never destroyed: sockets of static objects may outlive it otherwise, and boards
/// never end.
union core_room {
    constexpr core_room() noexcept : none_{} {}
    core_room(const core_room&) = delete;
    core_room& operator=(const core_room&) = delete;
    ~core_room() {}

    static core_room only;

    char none_;
    core it;
};

inline core& core::instance() noexcept {
    return core_room::only.it;
}
#endif

} // namespace weft::lwip
