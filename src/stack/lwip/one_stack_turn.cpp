// What a turn of a board's loop does for lwIP. There is one host, which is there whenever
// these are called. Hosts have these in core.cpp, as virtual functions.

#include "stack/lwip/core.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/tcp.hpp"

#if WEFT_ONE_STACK

namespace weft {

namespace lwip {

inline void core::send_out() noexcept {
    if (any_due_) {
        any_due_ = any_starved_ = false;
        tcp::serve_every();
    }
}

// Here, because it makes the linker take this file: a loop by itself names nothing of a stack.
void core::attach(loop& home, host& h) noexcept {
    home_ = &home;
    home.add(*this);
    hosts_.add(h);
    tcp::host_is(h);
}

} // namespace lwip

// Not a part of the loop's turn: that has no registers left for both.
[[gnu::noinline]] int service::exchange() noexcept {
    auto& self = static_cast<lwip::core&>(*this);
    self.send_out();
    lwip::host& host = self.hosts_.only();
    int taken = host.has_link() ? host.take_from_link() : 0;
    if (host.loopback_pending()) {
        taken += host.take_loopback();
    }
    if (taken != 0) { // which may have acknowledged data
        self.memory_available();
    }
    return taken;
}

void service::end_turn() noexcept {
    auto& self = static_cast<lwip::core&>(*this);
    lwip::host& host = self.hosts_.only();
    if (--self.turns_until_timers_ < 0) {
        self.turns_until_timers_ = lwip::core::turns_between_timers;
        sys_check_timeouts();
        host.look_around();
    }
    self.send_out();
}

// A link wakes the driver when a frame arrives, so it need not be asked.
bool service::may_sleep(time_point& deadline) noexcept {
    auto& self = static_cast<lwip::core&>(*this);
    // what was sent between two turns, as by a connect() of the façade, may be there already
    if (self.any_due_ || self.hosts_.only().loopback_pending()) {
        return false;
    }
    self.turns_until_timers_ = 0; // the loop is about to sleep: time will have passed
    // lwIP counts whole milliseconds: the deadline is when that counter gets there. It has timers
    // at all times, and one that it has not ("infinite") would be due in 49 days.
    const std::int64_t wait = std::int64_t{sys_timeouts_sleeptime()} * 1'000'000;
    const time_point due{duration(self.counted_ns_ + wait)};
    if (earlier(due, deadline)) {
        deadline = due;
    }
    return true;
}

} // namespace weft

#endif
