// Random numbers for lwIP: the system's source, or a simulation's seed; and initial sequence
// numbers by RFC 6528.
#pragma once

#include <weft/one_stack.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::lwip {

class random_source {
  public:
    /// lwIP's.
    static random_source& instance() noexcept { return the_only_; }

    /// From the system. Aborts the process if the system has none: predictable ports would be
    /// worse.
    void seed_from_system() noexcept;
#if !WEFT_ONE_STACK
    /// The same numbers for the same seed. (A board's source may itself be deterministic.)
    void seed(std::uint64_t value) noexcept;
#endif

    [[nodiscard]] std::uint32_t next() noexcept;

    /// An ephemeral TCP port, by RFC 6056 algorithm 5: some way on from the one before, so that
    /// none comes again among the next 32. The other end may still hold a connection that was just
    /// given up, and would reset the next one from its port.
    [[nodiscard]] std::uint16_t next_port() noexcept;

    /// SipHash-2-4 of `message` under this source's secret.
    [[nodiscard]] std::uint64_t keyed_hash(std::span<const std::byte> message) const noexcept;

  private:
#if !WEFT_ONE_STACK
    bool deterministic_ = false;
    std::uint64_t state_ = 0;
#endif
    std::array<std::uint64_t, 2> secret_{};
    /// Numbers are taken from the system so many at a time; a board's source is a call away.
    static constexpr std::size_t at_a_time = WEFT_ONE_STACK ? 1 : 64;
    std::array<std::uint32_t, at_a_time> system_{};
    std::size_t system_left_ = 0;
    std::uint16_t last_port_ = 0; // counted from the first

    static random_source the_only_;
};

} // namespace weft::lwip
