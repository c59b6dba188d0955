// How long the calls of mbedtls_ssl_handshake_step() took, at each end and for each message. Who
// measures gives a clock, and the linker -Wl,--wrap=mbedtls_ssl_handshake_step.
#pragma once

#include <cstdint>

namespace bench {

struct step {
    const char* message; // of the handshake, that was read or made
    std::int64_t took;
};

/// The longest of one end since the last call for it.
step longest_step(bool of_server) noexcept;

/// The clock, in any unit.
std::int64_t clock_of_steps() noexcept;

} // namespace bench
