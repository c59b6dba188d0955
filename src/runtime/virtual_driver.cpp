#include <weft/driver.hpp>

// Not inline: the loop would guess each of its calls to be one of these.

#if !WEFT_ONE_STACK

namespace weft {

time_point virtual_driver::now() noexcept {
    return now_;
}

bool virtual_driver::wait(time_point deadline) noexcept {
    if (deadline == never) {
        return false;
    }
    if (deadline > now_) {
        now_ = deadline;
    }
    return true;
}

void virtual_driver::wake() noexcept {}

} // namespace weft

#endif
