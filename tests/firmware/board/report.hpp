// One line on the console of everything that a board counts: name=number, for a test to read.
#pragma once

#include <cstdint>

struct served {
    std::uint32_t accepted = 0;
    std::uint32_t no_frame = 0; // connections dropped since the frames' arena was full
    std::uint32_t stalled = 0;  // connections reset since the peer did nothing for too long
    std::uint32_t broken = 0;   // connections that ended with an error
};

void report(const served& counted) noexcept;
