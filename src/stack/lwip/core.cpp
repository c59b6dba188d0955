#include "stack/lwip/core.hpp"

#include "stack/lwip/host.hpp"
#include "stack/lwip/random.hpp"
#include "stack/lwip/tcp.hpp"

#include <cstring>
#include <new>

#if defined(WEFT_NO_HEAP)
#include <weft/port.hpp>
#else
#include <cstdio>
#include <cstdlib>
#endif

namespace weft::lwip {

namespace {

void start_lwip() noexcept {
    lwip_init(); // asks for random numbers itself
#if LWIP_IPV6 && LWIP_IPV6_SEND_ROUTER_SOLICIT
    // The loopback asks for routers as any netif does; without a stack on it nobody would ever take
    // the questions from its queue.
    netif_list->rs_count = 0; // there is no other yet
#endif
}

} // namespace

#if !WEFT_ONE_STACK
void host_list::add(host& h) noexcept {
    hosts_.push_back(h);
    ++count_;
}

void host_list::remove(host& h) noexcept {
    static_cast<list_node&>(h).unlink();
    --count_;
}
#endif

#if WEFT_ONE_STACK

constinit core core::only_;

void core::have_heap() noexcept {
    if (!only_.initialized_) {
        only_.initialized_ = true;
        random_source::instance().seed_from_system();
        start_lwip();
    }
}

#else

constinit core_room core_room::only;

core& core::create() noexcept {
    if (!made_) {
        made_ = true;
        ::new (&instance()) core;
    }
    return instance();
}

errc core::attach(loop& home, const std::optional<std::uint64_t>& seed) noexcept {
    if (home_ != nullptr && home_ != &home) {
        return errc::busy;
    }
    if (home_ == nullptr) {
        home_ = &home;
        counted_ns_ = home.now().time_since_epoch().count();
        home.add(*this);
    }
    if (seed) {
        random_source::instance().seed(*seed);
    } else if (hosts_.empty()) {
        random_source::instance().seed_from_system();
    }
    initialize();
    return errc::ok;
}

void core::initialize() noexcept {
    if (!initialized_) {
        initialized_ = true;
        start_lwip();
    }
}

void core::have_heap() noexcept {
    if (!made_) {
        core& made = create();
        random_source::instance().seed_from_system();
        made.initialize();
    }
}

#endif

void core::add(host& h) noexcept {
    hosts_.add(h);
}

void core::remove(host& h) noexcept {
    hosts_.remove(h);
    detach_if_unused();
}

void core::detach_if_unused() noexcept {
    if (hosts_.empty()) {
        home_->remove(*this);
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

// What of the loop's time is not in milliseconds_ yet, in nanoseconds: less than a million.
std::uint32_t core::count_time() noexcept {
#if WEFT_ONE_STACK
    // In 32 bits: lwIP's own timers ask each second. After a turn of 4.3 s its clock is that much
    // behind, and goes on.
    const auto part = static_cast<std::uint32_t>(weft_port_now() - counted_ns_);
    const std::uint32_t whole = part / 1'000'000;
    milliseconds_ += whole;
    counted_ns_ += std::int64_t{whole} * 1'000'000;
    return part - whole * 1'000'000;
#else
    if (home_ == nullptr) {
        return 0;
    }
    constexpr std::int64_t most = 4'000'000'000; // of 32 bits, in whole milliseconds
    while (true) {
        const std::int64_t passed = home_->now().time_since_epoch().count() - counted_ns_;
        const auto part = static_cast<std::uint32_t>(passed < most ? passed : most);
        const std::uint32_t whole = part / 1'000'000;
        milliseconds_ += whole;
        counted_ns_ += std::int64_t{whole} * 1'000'000;
        if (passed < most) {
            return part - whole * 1'000'000;
        }
    }
#endif
}

std::uint32_t core::milliseconds() noexcept {
    count_time();
    return milliseconds_;
}

std::uint32_t core::sequence_clock() noexcept {
    const std::uint32_t rest = count_time();
    return milliseconds_ * 250 + rest / 4000;
}

#if !WEFT_ONE_STACK // a board's are in one_stack_turn.cpp

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

int core::exchange() noexcept {
    send_out();
    const int taken = take_frames();
    if (any_starved_ && (taken != 0 || memory_available_)) [[unlikely]] {
        feed_starved();
    }
    return taken;
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

[[gnu::noinline]] void core::feed_starved() noexcept {
    any_starved_ = false;
    memory_available_ = false;
    starved_.for_each([](starved_link& link) {
        link.unlink();
        static_cast<tcp&>(link).memory_available();
    });
}

void core::bound(time_point& deadline) noexcept {
    if (memory_available_ || !flush_.empty()) {
        deadline = at_once; // since the last turn ended
        return;
    }
    turns_until_timers_ = 0; // the loop is about to sleep: time will have passed
    hosts_.for_each([&](host& h) { h.bound(deadline); });
    if (hosts_.empty()) {
        return; // lwIP without a host has nothing to do
    }
    const std::uint32_t wait = sys_timeouts_sleeptime();
    if (wait != SYS_TIMEOUTS_SLEEPTIME_INFINITE) {
        // lwIP counts whole milliseconds: the deadline is when that counter gets there
        const time_point due{duration(counted_ns_ + std::int64_t{wait} * 1'000'000)};
        deadline = earlier(due, deadline) ? due : deadline;
    }
}

#endif

} // namespace weft::lwip

// --- what lwIP asks for

using weft::lwip::core;

namespace {

#if !WEFT_ONE_STACK
/// lwIP's DNS client sends from no address: by the interface of the host that asks.
netif* interface_of_question() noexcept {
    weft::lwip::host* const asking = core::instance().asking();
    return asking != nullptr ? &asking->interface() : nullptr;
}
#endif

} // namespace

extern "C" {

u32_t sys_now(void) {
    return core::instance().milliseconds();
}

u32_t weft_lwip_sequence_clock(void) {
    return core::instance().sequence_clock();
}

#if WEFT_ONE_STACK
// One interface: lwIP's own choice is right.
struct netif* weft_lwip_ip4_route_src(const ip4_addr_t*, const ip4_addr_t*) {
    return nullptr;
}
#if LWIP_IPV6
struct netif* weft_lwip_ip6_route(const ip6_addr_t*, const ip6_addr_t*) {
    return nullptr;
}
#endif
#else
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
#endif

int weft_lwip_icmp(struct pbuf* p, int version) {
    return core::instance().tell_icmp(p, version);
}

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
