// A run with everything that a wire can do to frames, decided by one seed.
#pragma once

#include <cstdint>
#include <string>

namespace frames {

struct outcome {
    std::uint64_t trace_hash;
    std::uint64_t received;
};

/// Writes the trace into `trace_file` if that is not empty.
outcome run_traffic(std::uint64_t seed, const std::string& trace_file);

/// What the test program does when it is called as `link-test --traffic SEED FILE`. Returns the
/// exit code, or -1 if it was not called so.
int traffic_main(int argc, const char* const* argv);

} // namespace frames
