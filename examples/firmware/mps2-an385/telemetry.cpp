// The telemetry client of programs/telemetry.cpp, until a 'q' comes over the console. Its collector
// is at 10.0.2.100, which QEMU's user network can be told to forward.
#include "board.hpp"

#include <elapsed.hpp>
#include <telemetry.hpp>

#include <weft/port.hpp>

#include <chrono>

namespace {

using namespace std::chrono_literals;

/// A saw tooth instead of a converter.
class this_board final : public programs::telemetry_device {
  public:
    std::int32_t measure() noexcept override { return 2000 + taken_++ % 100; }
    std::uint32_t random() noexcept override {
        std::uint32_t number = 0;
        weft_port_random(&number, sizeof number);
        return number;
    }
    void connected() noexcept override { board::say("connected"); }
    void disconnected(weft::errc why, weft::duration pause) noexcept override {
        board::say("not connected: ", why, "; again in ", programs::milliseconds_of(pause), " ms");
    }
    void acknowledged(std::uint32_t sequence) noexcept override {
        board::say("acknowledged ", sequence);
    }

  private:
    std::int32_t taken_ = 0;
};

this_board device;

weft::task<> send(weft::stack& net) {
    programs::telemetry_start start;
    start.collector = {weft::address::v4(10, 0, 2, 100), 7001};
    start.interval = 100ms;
    start.patience = 1s;
    start.first_pause = 50ms;
    start.longest_pause = 1s;
    return programs::telemetry(net, start, device);
}

} // namespace

int main() {
    return board::run(&send);
}
