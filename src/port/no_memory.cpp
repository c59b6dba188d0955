// A board without a heap and without lwIP's: what virtual destructors name and nobody calls. Weak:
// a program that has operator delete gets its own.

#include <cstddef>
#include <new>

[[gnu::weak]] void operator delete(void*) noexcept {
    __builtin_trap();
}
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept {
    operator delete(memory);
}
