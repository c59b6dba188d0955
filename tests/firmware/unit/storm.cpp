// The interrupts alone, for an emulator that looks for them between any two instructions.
#include "tests.hpp"

const std::uint32_t ticks_in_storm = 10'000;

int main() {
    frames.use();
    return check::run({&interrupt_tests, 1}) ? 0 : 1;
}
