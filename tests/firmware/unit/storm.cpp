// The interrupts alone, for an emulator that looks for them between any two instructions.
#include "board.h"
#include "tests.hpp"

const std::uint32_t ticks_in_storm = 10'000;

int main() {
    frames.use();
    const std::int64_t start = board_now();
    const bool good = check::run({&interrupt_tests, 1});
    check::print("# ");
    check::print(board_now() - start);
    check::print(" ns\n");
    return good ? 0 : 1;
}
