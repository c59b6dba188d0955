// How long to wait before the next attempt: twice as long each time, up to a limit, and never the
// same for two devices that failed together.
//
//     programs::back_off pauses(250ms, 30s);
//     auto slept = co_await weft::sleep_for(pauses.next(random_number));
#pragma once

#include <weft/clock.hpp>

#include <cstdint>

namespace programs {

class back_off {
  public:
    back_off(weft::duration first, weft::duration longest) noexcept
        : first_(first), longest_(longest), step_(first) {}

    /// Between a half and the whole of the current step, as `random` (32 uniform bits) decides; the
    /// step doubles.
    weft::duration next(std::uint32_t random) noexcept {
        const weft::duration half = step_ / 2;
        // 16 bits of chance are enough to tell devices apart; divided first, years do not overflow.
        const weft::duration chance = half / 65536 * static_cast<std::int64_t>(random >> 16);
        step_ = step_ < longest_ / 2 ? step_ * 2 : longest_;
        return half + chance;
    }

    /// It went well: the next failure is a first one again.
    void reset() noexcept { step_ = first_; }

  private:
    weft::duration first_;
    weft::duration longest_;
    weft::duration step_;
};

} // namespace programs
