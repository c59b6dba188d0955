#include <weft/frame_pool.hpp>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>

#if defined(WEFT_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace weft {

namespace {

#if defined(__STDCPP_THREADS__)
// Trims the pool of a thread that ends. Apart from the pool, whose access must stay one
// instruction.
struct thread_end {
    bool armed = false;
    ~thread_end() {
        if (armed) {
            frame_pool::trim();
        }
    }
};
thread_local thread_end at_thread_end;
#endif

void poison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t size) noexcept {
#if defined(WEFT_ADDRESS_SANITIZER)
    ASAN_POISON_MEMORY_REGION(memory, size);
#endif
}

void unpoison([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t size) noexcept {
#if defined(WEFT_ADDRESS_SANITIZER)
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
#endif
}

std::byte* end_of(void* memory, std::size_t size) noexcept {
    return static_cast<std::byte*>(memory) + size;
}

} // namespace

#if !defined(WEFT_NO_HEAP)
void* frame_pool::from_heap(std::size_t size) noexcept {
    void* memory = granule <= alignof(std::max_align_t) ? std::malloc(size - addition)
                                                        : ::aligned_alloc(granule, size);
#if defined(__STDCPP_THREADS__)
    at_thread_end.armed |= memory != nullptr;
#endif
    return memory;
}
#endif

inline void frame_pool::give_back(void* memory, std::size_t size) noexcept {
#if !defined(WEFT_NO_HEAP)
    if (local_.arena == nullptr) {
        std::free(memory);
        return;
    }
#endif
    add_region(memory, size);
}

// The lowest that is large enough, from its beginning: what lies behind the high water was never
// touched.
inline void* frame_pool::carve(std::size_t size) noexcept {
    state& pool = local_;
    for (region** at = &pool.head.next; *at != nullptr; at = &(*at)->next) {
        region* const found = *at;
        if (found->size < size) {
            continue;
        }
        std::byte* const end = end_of(found, size);
        if (found->size == size) {
            *at = found->next;
        } else {
            unpoison(end, sizeof(region));
            *at = ::new (end) region{found->next, found->size - size};
        }
        unpoison(found, size);
        const auto height = static_cast<std::size_t>(end - pool.arena);
        if (height > pool.high_water) {
            pool.high_water = height;
        }
        return found;
    }
    return nullptr;
}

inline void* frame_pool::take(std::size_t size) noexcept {
#if defined(__STDCPP_THREADS__)
    const state& pool = local_;
    if (pool.limit != 0 && pool.reserved + size > pool.limit) {
        return nullptr;
    }
#endif
#if defined(WEFT_NO_HEAP)
    return carve(size); // without an arena there is no region
#else
    return local_.arena != nullptr ? carve(size) : from_heap(size);
#endif
}

void* frame_pool::allocate_fresh(std::size_t size) noexcept {
    void* memory = take(size);
    if (memory == nullptr && recycles) {
        trim(); // what the other classes keep can be had
        memory = take(size);
    }
    if (memory == nullptr) {
        ++local_.refused;
        return nullptr;
    }
    note(size);
#if !defined(WEFT_NO_HEAP)
    if (local_.arena == nullptr && reserved() > local_.high_water) {
        local_.high_water = reserved();
    }
#endif
    return memory;
}

// In its place by address, and one with the regions that it touches.
void frame_pool::add_region(void* memory, std::size_t size) noexcept {
    region* before = &local_.head;
    region* after = before->next;
    while (after != nullptr && std::less<void*>{}(after, memory)) {
        before = after;
        after = after->next;
    }
    if (after != nullptr && end_of(memory, size) == static_cast<void*>(after)) {
        size += after->size;
        after = after->next;
    }
    if (end_of(before, before->size) == memory) {
        memory = before;
        size += before->size;
    } else {
        before->next = static_cast<region*>(memory);
    }
    unpoison(memory, sizeof(region));
    auto* const merged = ::new (memory) region{after, size};
    poison(merged + 1, size - sizeof(region));
}

void frame_pool::release_other(void* memory, std::size_t size) noexcept {
    forget(size);
    give_back(memory, size);
}

#if defined(__STDCPP_THREADS__)
void frame_pool::limit(std::size_t bytes) noexcept {
    local_.limit = bytes;
}
#else
std::size_t frame_pool::reserved() noexcept {
    std::size_t taken = local_.arena_size;
    for (const region* at = local_.head.next; at != nullptr; at = at->next) {
        taken -= at->size;
    }
    return taken;
}
#endif

std::size_t frame_pool::in_use() noexcept {
    std::size_t used = reserved();
    for (std::size_t index = 0; recycles && index < classes; ++index) {
        for (block* at = local_.free[index]; at != nullptr; at = at->next) {
            used -= index * granule < used ? index * granule : used;
        }
    }
    return used;
}

void frame_pool::reset_high_water() noexcept {
    trim();
    state& pool = local_;
    pool.high_water = reserved();
    if (pool.arena != nullptr) {
        pool.high_water = pool.arena_size;
        for (region* at = pool.head.next; at != nullptr; at = at->next) {
            if (end_of(at, at->size) == pool.arena + pool.arena_size) {
                pool.high_water = pool.arena_size - at->size;
            }
        }
    }
}

void frame_pool::use_arena(std::span<std::byte> memory) noexcept {
    const std::size_t offset =
        (granule - reinterpret_cast<std::uintptr_t>(memory.data()) % granule) % granule;
    if (memory.size() >= offset + granule) {
        use_granules(memory.data() + offset, (memory.size() - offset) / granule * granule);
    } else {
        use_granules(nullptr, 0);
    }
}

void frame_pool::use_granules(std::byte* first, std::size_t size) noexcept {
    trim();
    state& pool = local_;
    forget(reserved());
    pool.high_water = 0;
    pool.arena = first;
    pool.arena_size = size;
    pool.head.next = nullptr;
    if (size != 0) {
        pool.head.next = ::new (first) region{nullptr, size};
        poison(pool.head.next + 1, size - sizeof(region));
    }
}

void frame_pool::trim() noexcept {
    if constexpr (!recycles) {
        return;
    }
    for (std::size_t index = 0; index < classes; ++index) {
        while (block* first = local_.free[index]) {
            local_.free[index] = first->next;
            give_back(first, index * granule);
            forget(index * granule);
        }
    }
}

} // namespace weft
