#include <weft/interrupt_event.hpp>

#include "runtime/exchange.hpp"

namespace weft {

interrupt_event::interrupt_event(loop& home) noexcept : home_(&home), arrival_(*this) {}

// What a last set() handed to the loop must not come after this.
interrupt_event::~interrupt_event() {
    home_->withdraw(arrival_);
}

// The first one since the count was taken tells the loop. Whoever takes the count looks at the line
// first, so a set that finds it counted already has somebody to see it.
void interrupt_event::set() noexcept {
    if (increment(count_, std::memory_order_acq_rel) == 0) {
        home_->post(arrival_);
    }
}

std::uint32_t interrupt_event::take() noexcept {
    return exchange(count_, std::uint32_t{0}, std::memory_order_acquire);
}

} // namespace weft
