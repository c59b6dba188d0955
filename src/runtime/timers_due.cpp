// Timers of a board's image, which has this file if something schedules one: nothing else may name
// what is defined here.

#include <weft/loop.hpp>

#if WEFT_ONE_STACK

namespace weft {

void timer_heap::schedule(timer& t, time_point deadline) noexcept {
    schedule_here(t, deadline);
}

void loop::fire_timers() noexcept {
    timers_.fire_due(now());
}

std::int64_t loop::bound_by_timers(std::int64_t deadline) noexcept {
    const std::int64_t earliest = timers_.earliest().time_since_epoch().count();
    return earliest < deadline ? earliest : deadline;
}

} // namespace weft

#endif
