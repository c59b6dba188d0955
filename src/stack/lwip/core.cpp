#include "stack/lwip/core.hpp"

#include "stack/lwip/host.hpp"
#include "stack/lwip/tcp.hpp"

#include <array>
#include <cstring>
#include <new>

#if defined(WEFT_NO_HEAP)
#include <weft/port.hpp>
#else
#include <cstdio>
#include <cstdlib>
#endif

namespace weft::lwip {

core& core::create() noexcept {
    // never destroyed: sockets of static objects may outlive it otherwise, and boards never end
    alignas(core) static std::byte room[sizeof(core)];
    static core* const the_only = ::new (room) core;
    only_ = the_only;
    return *the_only;
}

result<> core::attach(loop& home, std::optional<std::uint64_t> seed) noexcept {
    if (home_ != nullptr && home_ != &home) {
        return fail(errc::busy);
    }
    if (home_ == nullptr) {
        home_ = &home;
        clock_offset_ns_ = last_ns_ - home.now().time_since_epoch().count();
        home.add(*this);
    }
    if (seed) {
        random_.seed(*seed);
    } else if (hosts_.empty()) {
        random_.seed_from_system();
    }
    initialize();
    return {};
}

void core::initialize() noexcept {
    if (!initialized_) {
        initialized_ = true;
        lwip_init(); // asks for random numbers itself
#if LWIP_IPV6 && LWIP_IPV6_SEND_ROUTER_SOLICIT
        // The loopback asks for routers as any netif does; without a stack on it nobody would ever
        // take the questions from its queue.
        netif* loopback = nullptr;
        NETIF_FOREACH(loopback) {
            loopback->rs_count = 0;
        }
#endif
    }
}

void core::have_heap() noexcept {
    if (only_ == nullptr) {
        core& made = create();
        made.random_.seed_from_system();
        made.initialize();
    }
}

void core::add(host& h) noexcept {
    hosts_.push_back(h);
    ++host_count_;
}

void core::remove(host& h) noexcept {
    static_cast<list_node&>(h).unlink();
    --host_count_;
    detach_if_unused();
}

void core::detach_if_unused() noexcept {
    if (hosts_.empty()) {
        static_cast<list_node&>(*this).unlink();
        home_ = nullptr;
    }
}

host* core::host_of(const netif* n) noexcept {
    host* found = nullptr;
    hosts_.for_each([&](host& h) { found = h.owns(n) ? &h : found; });
    return found;
}

host* core::host_with(const ip4_addr_t& source) noexcept {
    host* found = nullptr;
    hosts_.for_each([&](host& h) {
        if (ip4_addr_eq(netif_ip4_addr(&h.interface()), &source)) {
            found = &h;
        }
    });
    return found;
}

std::uint64_t core::microseconds() noexcept {
    if (home_ != nullptr) {
        last_ns_ = home_->now().time_since_epoch().count() + clock_offset_ns_;
    }
    return static_cast<std::uint64_t>(last_ns_) / 1000;
}

std::uint32_t core::milliseconds() noexcept {
    return static_cast<std::uint32_t>(microseconds() / 1000);
}

inline void core::send_out() noexcept {
    while (!flush_.empty()) {
        static_cast<tcp&>(flush_.pop_front()).flush();
    }
}

inline int core::take_frames() noexcept {
    int taken = 0;
    hosts_.for_each([&taken](host& h) {
        if (h.has_link()) {
            taken += h.take_from_link();
        }
        if (h.loopback_pending()) {
            taken += h.take_loopback();
        }
    });
    return taken;
}

[[gnu::noinline]] int core::take_frames_and_feed() noexcept {
    const int taken = take_frames();
    if (taken != 0 || memory_available_) {
        feed_starved();
    }
    return taken;
}

int core::exchange() noexcept {
    send_out();
    return any_starved_ ? take_frames_and_feed() : take_frames();
}

bool core::end_turn() noexcept {
    if (--turns_until_timers_ < 0) {
        check_timers();
    }
    send_out();
    bool more = memory_available_;
    hosts_.for_each([&more](const host& h) { more |= h.loopback_pending(); });
    return more;
}

void core::check_timers() noexcept {
    turns_until_timers_ = turns_between_timers;
    sys_check_timeouts();
    hosts_.for_each([](host& h) { h.look_around(); });
}

void core::feed_starved() noexcept {
    any_starved_ = false;
    memory_available_ = false;
    starved_.for_each([](starved_link& link) {
        link.unlink();
        static_cast<tcp&>(link).memory_available();
    });
}

time_point core::next_deadline() noexcept {
    if (memory_available_ || !flush_.empty()) {
        return at_once; // since the last turn ended
    }
    turns_until_timers_ = 0; // the loop is about to sleep: time will have passed
    time_point earliest = never;
    hosts_.for_each([&](host& h) {
        // what was sent between two turns, as by a connect() of the façade, may be there already
        const time_point arrival = h.loopback_pending() ? at_once : h.next_arrival();
        earliest = arrival < earliest ? arrival : earliest;
    });
    if (hosts_.empty()) {
        return earliest; // lwIP without a host has nothing to do
    }
    const std::uint32_t wait = sys_timeouts_sleeptime();
    if (wait != SYS_TIMEOUTS_SLEEPTIME_INFINITE) {
        // lwIP counts whole milliseconds: the deadline is when that counter gets there
        const std::int64_t due_ns = (last_ns_ / 1'000'000 + wait) * 1'000'000 - clock_offset_ns_;
        const time_point due{duration(due_ns)};
        earliest = due < earliest ? due : earliest;
    }
    return earliest;
}

} // namespace weft::lwip

// --- what lwIP asks for

using weft::lwip::core;

namespace {

/// lwIP's DNS client sends from no address: by the interface of the host that asks.
netif* interface_of_question() noexcept {
    weft::lwip::host* const asking = core::instance().names().sending();
    return asking != nullptr ? &asking->interface() : nullptr;
}

} // namespace

extern "C" {

u32_t sys_now(void) {
    return core::instance().milliseconds();
}

u32_t weft_lwip_rand(void) {
    return core::instance().random().next();
}

// RFC 6528: M + F(local, remote, secret), M a clock of 4 microseconds.
u32_t weft_lwip_tcp_isn(
    const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port) {
    // the addresses' bytes alone: the padding of ip_addr_t would differ from one time to the next
    std::array<std::byte, 36> tuple{};
    const auto put = [&tuple](std::size_t at, const ip_addr_t* ip) {
        if (IP_IS_V4(ip)) {
            std::memcpy(&tuple[at], &ip_2_ip4(ip)->addr, 4);
        }
#if LWIP_IPV6
        else {
            std::memcpy(&tuple[at], ip_2_ip6(ip)->addr, 16);
        }
#endif
    };
    put(0, local_ip);
    put(16, remote_ip);
    std::memcpy(&tuple[32], &local_port, 2);
    std::memcpy(&tuple[34], &remote_port, 2);
    core& c = core::instance();
    return static_cast<u32_t>(c.random().keyed_hash(tuple)) +
           static_cast<u32_t>(c.microseconds() / 4);
}

struct netif*
weft_lwip_ip4_route_src(const ip4_addr_t* source, [[maybe_unused]] const ip4_addr_t* destination) {
    if (source == nullptr || ip4_addr_isany_val(*source)) {
        return interface_of_question();
    }
    weft::lwip::host* h = core::instance().host_with(*source);
    return h != nullptr ? &h->interface() : nullptr;
}

#if LWIP_IPV6
struct netif*
weft_lwip_ip6_route(const ip6_addr_t* source, [[maybe_unused]] const ip6_addr_t* destination) {
    if (source == nullptr || ip6_addr_isany(source)) {
        return interface_of_question();
    }
    netif* found = nullptr;
    core::instance().for_each_host([&](weft::lwip::host& h) {
        if (netif_get_ip6_addr_match(&h.interface(), source) >= 0) {
            found = &h.interface();
        }
    });
    return found;
}
#endif

void weft_lwip_memp_available(memp_t type) {
    // what tcp_write takes; the pool of lwIP's timers is empty and not empty all the time
    if (type == MEMP_TCP_SEG || type == MEMP_PBUF || type == MEMP_PBUF_POOL) {
        core::instance().memory_available();
    }
}

void weft_lwip_assert_failed(
    const char* what, [[maybe_unused]] const char* file, [[maybe_unused]] int line) {
#if defined(WEFT_NO_HEAP)
    weft_port_failed(what);
#else
    std::fprintf(stderr, "lwIP: %s (%s:%d)\n", what, file, line);
    std::abort();
#endif
}
}
