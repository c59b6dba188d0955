// What a libuv timer costs to arm and to stop, with others pending.

#include <vector>

#include <uv.h>

#include "micro.hpp"

int main(int argc, char** argv) {
    const auto o = bench::parse_micro(argc, argv);
    if (o.name != "timer")
        bench::micro_usage(argv[0]);
    uv_loop_t* loop = uv_default_loop();
    const auto nothing = [](uv_timer_t*) {
    };
    std::vector<uv_timer_t> armed(o.pending);
    for (std::uint64_t i = 0; i < o.pending; ++i) {
        uv_timer_init(loop, &armed[i]);
        uv_timer_start(&armed[i], nothing, bench::pending_delay_ms(i), 0);
    }
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    for (std::uint64_t i = 0; i < o.count; ++i) {
        uv_timer_start(&timer, nothing, bench::cancelled_delay_ms(i), 0);
        uv_timer_stop(&timer);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(o.count));
}
