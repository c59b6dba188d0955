// Random numbers for lwIP: the system's source, or a simulation's seed; and initial sequence
// numbers by RFC 6528.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::lwip {

class random_source {
  public:
    /// From the system. Aborts the process if the system has none: predictable ports would be
    /// worse.
    void seed_from_system() noexcept;
    /// The same numbers for the same seed.
    void seed(std::uint64_t value) noexcept;

    [[nodiscard]] std::uint32_t next() noexcept;

    /// SipHash-2-4 of `message` under this source's secret.
    [[nodiscard]] std::uint64_t keyed_hash(std::span<const std::byte> message) const noexcept;

  private:
    bool deterministic_ = false;
    std::uint64_t state_ = 0;
    std::array<std::uint64_t, 2> secret_{};
    std::array<std::uint32_t, 64> system_{}; // numbers taken from the system, handed out one by one
    std::size_t system_left_ = 0;
};

} // namespace weft::lwip
