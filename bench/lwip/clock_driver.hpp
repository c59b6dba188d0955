// A driver for programs that talk to nobody outside: it reads the clock and never waits, as the
// raw programs' main loop does.
#pragma once

#include <weft/driver.hpp>

#include <chrono>

namespace bench {

class clock_driver final : public weft::driver {
  public:
    weft::time_point now() noexcept override {
        return weft::time_point(std::chrono::duration_cast<weft::duration>(
            std::chrono::steady_clock::now().time_since_epoch()));
    }
    bool wait(weft::time_point) noexcept override { return true; }
    void wake() noexcept override {}
};

} // namespace bench
