// Timers of a board's image, which has this file if something schedules one: nothing else may name
// what is defined here.

#include <weft/timer.hpp>

#if WEFT_ONE_STACK

namespace weft {

void timer_heap::schedule(timer& t, time_point deadline) noexcept {
    schedule_here(t, deadline);
}

void timer_heap::fire_due(time_point now) noexcept {
    fire_due_here(now);
}

} // namespace weft

#endif
