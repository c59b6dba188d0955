#include "traffic.hpp"

#include "frames.hpp"

#include <weft/seeded_random.hpp>

#include <cstdlib>
#include <cstring>

namespace frames {

outcome run_traffic(std::uint64_t seed, const std::string& trace_file) {
    weft::wire cable(
        {.seed = seed,
         .on_every_path = {
             .loss = 0.02,
             .corrupt = 0.02,
             .duplicate = 0.02,
             .reorder = 0.05,
             .reorder_delay = 300us,
             .delay = 1ms,
             .jitter = 200us,
             .bits_per_second = 50'000'000,
             .queue_limit = 40}});
    if (!trace_file.empty() && !cable.write_trace(trace_file.c_str())) {
        std::abort();
    }
    const weft::hardware_address addresses[] = {alice, bob, carol};
    std::unique_ptr<weft::link> ends[3];
    for (std::size_t i = 0; i < 3; ++i) {
        ends[i] = *cable.attach(addresses[i]);
    }
    weft::seeded_random random(seed);
    weft::time_point now = start;
    outcome done{};
    for (std::uint32_t i = 0; i < 3000; ++i) {
        now += std::chrono::microseconds(random.below(100));
        for (const auto& end : ends) {
            end->advance(now);
        }
        const std::size_t from = random.below(3);
        const bool to_all = random.chance(0.1);
        const auto& to = to_all ? everyone : addresses[(from + 1 + random.below(2)) % 3];
        (void)send(*ends[from], make_frame(to, addresses[from], i, 60 + random.below(1400)));
        if (i == 1000 || i == 2000) {
            (void)cable.cut(alice, bob);
            (void)cable.hold(bob, carol);
        }
        if (i == 1200 || i == 2400) {
            (void)cable.mend(alice, bob);
            (void)cable.release(bob, carol);
        }
        for (const auto& end : ends) {
            done.received += random.chance(0.7) ? receive_numbers(*end).size() : 0;
        }
    }
    done.trace_hash = cable.trace_hash();
    return done;
}

int traffic_main(int argc, const char* const* argv) {
    if (argc != 4 || std::strcmp(argv[1], "--traffic") != 0) {
        return -1;
    }
    const outcome done = run_traffic(std::strtoull(argv[2], nullptr, 10), argv[3]);
    return done.received > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace frames
