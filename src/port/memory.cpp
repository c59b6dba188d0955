// operator new on a board without a heap: lwIP's, which is there already, static and sized by its
// profile. A program that defines its own gets its own. Not optimized at link time: GCC keeps every
// operator new and delete that it sees there, used or not.

#include "stack/lwip/core.hpp"

#include <cstddef>
#include <cstdint>
#include <new>

namespace {

constexpr std::size_t alignment = alignof(std::max_align_t);
/// In front of what is given out: where lwIP's block begins.
constexpr std::size_t room = sizeof(void*) > alignment ? sizeof(void*) : alignment;

void* allocate(std::size_t size) noexcept {
    weft::lwip::core::have_heap();
    constexpr std::size_t most = static_cast<mem_size_t>(-1) - 2 * room;
    void* const block =
        size <= most ? mem_malloc(static_cast<mem_size_t>(size + room + alignment - 1)) : nullptr;
    if (block == nullptr) {
        return nullptr;
    }
    const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(block) + room;
    const std::uintptr_t given = (first + alignment - 1) / alignment * alignment;
    reinterpret_cast<void**>(given)[-1] = block;
    return reinterpret_cast<void*>(given);
}

void release(void* memory) noexcept {
    if (memory != nullptr) {
        mem_free(static_cast<void**>(memory)[-1]);
    }
}

} // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete[](void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    release(memory);
}
