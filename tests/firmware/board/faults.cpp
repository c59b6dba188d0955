// A program that fails in the way that its command line names (semihosting's).
#include "board.h"

#include <weft/port.hpp>

extern "C" {
#include <lwip/pbuf.h>
}

#include <array>
#include <cassert>
#include <cstdint>
#include <string_view>

namespace {

/// SYS_GET_CMDLINE: the image's name, and what was given with it.
std::string_view last_word() noexcept {
    static std::array<char, 256> line;
    const std::array<std::uintptr_t, 2> block{
        reinterpret_cast<std::uintptr_t>(line.data()), line.size()};
    register unsigned operation asm("r0") = 0x15;
    register const void* argument asm("r1") = block.data();
    asm volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
    const std::string_view whole(line.data());
    return whole.substr(whole.rfind(' ') + 1);
}

template <class T>
volatile T& at(std::uintptr_t address) noexcept {
    return *reinterpret_cast<volatile T*>(address);
}

void call_nothing() noexcept {
    void (*volatile nothing)() = nullptr;
    nothing();
}

volatile int divisor = 0;

// The compiler must not see that it has no end.
using recursion = int (*)(int);
extern volatile recursion deeper;
int use_stack(int depth) noexcept {
    std::array<volatile int, 16> some;
    some[0] = depth;
    return deeper(depth + 1) + some[0];
}
volatile recursion deeper = &use_stack;

constexpr unsigned nobodys_interrupt = 5;

void fail_as(std::string_view what) noexcept {
    if (what == "null") {
        call_nothing();
    } else if (what == "bus") {
        divisor = at<int>(0xa0000000);
    } else if (what == "unaligned") {
        asm volatile("ldmia %0!, {r2, r3}" ::"r"(0x20000001) : "r2", "r3", "memory");
    } else if (what == "division") {
        divisor = 1000 / divisor;
    } else if (what == "undefined") {
        asm volatile("udf #1");
    } else if (what == "stack") {
        (void)deeper(0);
    } else if (what == "interrupt") {
        board_enable_interrupt(nobodys_interrupt);
        at<std::uint32_t>(0xe000e200) = 1U << nobodys_interrupt; // ISPR: as if it had come
        asm volatile("dsb\n\tisb");
    } else if (what == "port") {
        weft_port_failed("the port's");
    } else if (what == "assert") {
        assert(what.empty() && "weft's");
    } else if (what == "lwip") {
        pbuf freed{};
        pbuf_free(&freed);
    }
}

} // namespace

int main() {
    board_puts("alive\n");
    fail_as(last_word());
    board_puts("still alive\n");
}
