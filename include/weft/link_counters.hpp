// link_counters: what a link over one of the system's descriptors (TAP, unix socket) has carried,
// and why it dropped what it dropped.
//
//     const weft::link_counters& done = tap.counters();
#pragma once

#include <cstdint>

namespace weft {

/// What a link over a descriptor has done since it was made.
struct link_counters {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t would_block = 0;       // not sent: the other side's queue is full
    std::uint64_t no_peer = 0;           // not sent: nobody there, or the interface is down
    std::uint64_t send_failures = 0;     // not sent for any other reason, a wrong size included
    std::uint64_t received_too_long = 0; // did not fit into the caller's buffer
};

} // namespace weft
