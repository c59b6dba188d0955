// The command line that every micro program shares: one operation, many times, under callgrind.
//
//     micro_X NAME COUNT [PENDING]
//
// NAME is await, spawn, yield, timer, mutex or channel; for timer, PENDING timers are armed all the
// while. The harness runs each at two counts and divides the difference, so what a program does
// once costs nothing.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

struct micro_options {
    std::string_view name;
    std::uint64_t count = 0;
    std::uint64_t pending = 0;
};

[[noreturn]] inline void micro_usage(const char* program) {
    std::fprintf(stderr, "usage: %s NAME COUNT [PENDING]\n", program);
    std::exit(2);
}

inline micro_options parse_micro(int argc, char** argv) {
    micro_options options;
    if (argc < 3 || argc > 4)
        micro_usage(argv[0]);
    options.name = argv[1];
    const auto read = [&](std::string_view text, std::uint64_t& value) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size())
            micro_usage(argv[0]);
    };
    read(argv[2], options.count);
    if (argc == 4)
        read(argv[3], options.pending);
    return options;
}

// Delays of pending timers in milliseconds: an hour and more, spread without order over another
// hour, and the same in every program.
inline std::uint64_t pending_delay_ms(std::uint64_t index) {
    return 3'600'000 + index * 2'654'435'761U % 3'600'000;
}

// Delays of the timers that are armed and cancelled: among the pending ones, at any position.
inline std::uint64_t cancelled_delay_ms(std::uint64_t index) {
    return 3'600'000 + index * 40'503U % 3'600'000;
}

} // namespace bench
