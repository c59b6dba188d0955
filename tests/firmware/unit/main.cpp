// Everything, as fast as it goes.
#include "tests.hpp"

const std::uint32_t ticks_in_storm = 100'000;

int main() {
    frames.use();
    // The stack first: nothing interrupts there yet.
    const std::span<const check::test> all[] = {stack_tests,  timer_tests,     sync_tests,
                                                cancel_tests, interrupt_tests, arena_tests};
    const bool good = check::run(all);
    check::print("# stack: ");
    check::print(static_cast<std::int64_t>(deepest_await));
    check::print(" bytes at most; ");
    check::print(static_cast<std::int64_t>(deepest_interrupted));
    check::print(" with an interrupt\n");
    return good ? 0 : 1;
}
