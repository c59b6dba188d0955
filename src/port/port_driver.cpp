#include <weft/port.hpp>

#include "runtime/interrupts_masked.hpp"

namespace weft {

#if !defined(WEFT_CORTEX_M)
#error "port_driver: how are this processor's interrupts masked?"
#endif

time_point port_driver::now() noexcept {
    return time_point(duration(weft_port_now()));
}

// The look and the sleep are one for interrupts: a wake that comes between them ends the sleep, and
// is seen when its handler has run. One that comes later than the last look is for the next wait();
// what it announces the loop sees now all the same.
bool port_driver::wait(time_point deadline) noexcept {
    while (true) {
        const interrupts_masked now_and_here;
        const std::int64_t until = deadline.time_since_epoch().count();
        if (woken_ || weft_port_now() >= until) {
            woken_ = false;
            return true;
        }
        weft_port_sleep(until);
        ++wakeups_;
    }
}

void port_driver::wake() noexcept {
    woken_ = true;
}

#if WEFT_ONE_STACK
void driver::operator delete(driver* gone, std::destroying_delete_t) noexcept {
    ::operator delete(static_cast<port_driver*>(gone));
}
time_point driver::now() noexcept {
    return static_cast<port_driver&>(*this).now();
}
bool driver::wait(time_point deadline) noexcept {
    return static_cast<port_driver&>(*this).wait(deadline);
}
void driver::wake() noexcept {
    static_cast<port_driver&>(*this).wake();
}
#endif

} // namespace weft
