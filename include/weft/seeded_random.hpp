// seeded_random: numbers that a seed decides, the same on every machine and library, for
// simulations and tests. Predictable by design: never a source of ports, sequence numbers or keys
// on a real net.
//
//     weft::seeded_random random{42};
//     bool lost = random.chance(0.05);
#pragma once

#include <cstdint>

namespace weft {

/// xoshiro256** (Blackman and Vigna), its state filled by splitmix64 as they advise. The standard's
/// distributions are not used because libraries differ in what they draw.
class seeded_random {
  public:
    explicit constexpr seeded_random(std::uint64_t seed) noexcept {
        for (std::uint64_t& word : state_) {
            seed += 0x9e3779b97f4a7c15;
            word = mix(seed);
        }
    }

    /// The finalizer of splitmix64: every bit of the result depends on every bit of `x`.
    [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    /// 64 uniform bits.
    constexpr std::uint64_t next() noexcept {
        const std::uint64_t drawn = rotated(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotated(state_[3], 45);
        return drawn;
    }

    /// True with this probability, from 0 (never) to 1 (always). Draws once whatever it is, so that
    /// changing one probability leaves the other decisions of a run as they were.
    constexpr bool chance(double probability) noexcept {
        return static_cast<double>(next() >> 11) < probability * 9007199254740992.0; // 2^53
    }

    /// Uniform in [0, bound), up to a bias of bound / 2^64; 0 if `bound` is 0.
    constexpr std::uint64_t below(std::uint64_t bound) noexcept {
        const std::uint64_t drawn = next();
        return bound == 0 ? 0 : drawn % bound;
    }

  private:
    static constexpr std::uint64_t rotated(std::uint64_t x, int bits) noexcept {
        return (x << bits) | (x >> (64 - bits));
    }

    std::uint64_t state_[4]{};
};

} // namespace weft
