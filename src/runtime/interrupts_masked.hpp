// Interrupts kept away for a few instructions, on a Cortex-M.
#pragma once

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define WEFT_CORTEX_M 1

namespace weft {

/// Interrupts are off while one of these lives; it puts back what was. WFI ends for one that is
/// kept away, too. What the compiler moves stays on its side of both ends.
class interrupts_masked {
  public:
    interrupts_masked() noexcept {
        asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(before_) : : "memory");
    }
    interrupts_masked(const interrupts_masked&) = delete;
    interrupts_masked& operator=(const interrupts_masked&) = delete;
    /// The barrier: one that waits is taken before the next instruction, be it another cpsid.
    ~interrupts_masked() { asm volatile("msr primask, %0\n\tisb" : : "r"(before_) : "memory"); }

  private:
    unsigned before_;
};

} // namespace weft

#endif
