// What the compiler and its headers name of libstdc++ in code that never runs or that has no state,
// so that firmware need not link it, and the port's functions that a board may leave out. Weak: a
// program that has the real ones gets those. Never optimized at link time, by which GCC 12 calls a
// weak function although there is another, and loses what only its own code names.

#include <weft/port.hpp>

#include <cstddef>
#include <new>

namespace {

/// Nothing calls these: weft makes no abstract object, and looks at a size before it cuts.
[[noreturn]] void stop() noexcept {
    __builtin_trap();
}

} // namespace

namespace std {
[[gnu::weak]] extern const nothrow_t nothrow;
const nothrow_t nothrow{};

[[gnu::weak, noreturn]] void __throw_out_of_range_fmt(const char*, ...) {
    stop();
}
/// GCC's coroutines name it for an exception that leaves their end, without exceptions too.
[[gnu::weak, noreturn]] void terminate() noexcept {
    stop();
}
} // namespace std

// Virtual destructors name these. memory.cpp has them where there is memory.
[[gnu::weak]] void operator delete(void*) noexcept {
    stop();
}
[[gnu::weak]] void operator delete(void*, std::size_t) noexcept {
    stop();
}

extern "C" [[gnu::weak, noreturn]] void __cxa_pure_virtual() {
    stop();
}

/// newlib's assert().
extern "C" [[gnu::weak, noreturn]] void
__assert_func(const char*, int, const char*, const char* what) {
    weft_port_failed(what);
}

extern "C" [[gnu::weak, noreturn]] void weft_port_failed(const char*) {
    stop();
}

extern "C" [[gnu::weak]] void weft_port_sleep(std::int64_t) {
    asm volatile("dsb\n\twfi" ::: "memory");
}
