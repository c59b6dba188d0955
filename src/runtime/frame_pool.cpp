#include <weft/frame_pool.hpp>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <utility>

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

void give_back([[maybe_unused]] void* memory) noexcept {
#if !defined(WEFT_NO_HEAP)
    std::free(memory);
#endif
}

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

// Merge sort by address, of a list linked through `next`.
template <class R>
R* sorted(R* first) noexcept {
    if (first == nullptr || first->next == nullptr) {
        return first;
    }
    R* middle = first;
    for (R* fast = first->next; fast != nullptr && fast->next != nullptr; fast = fast->next->next) {
        middle = middle->next;
    }
    R* b = sorted(std::exchange(middle->next, nullptr));
    R* a = sorted(first);
    R* merged = nullptr;
    R** end = &merged;
    while (a != nullptr && b != nullptr) {
        R*& lower = std::less<R*>{}(a, b) ? a : b;
        *end = lower;
        end = &lower->next;
        lower = lower->next;
    }
    *end = a != nullptr ? a : b;
    return merged;
}

} // namespace

void* frame_pool::allocate_fresh(std::size_t index) noexcept {
    const std::size_t size = index * granule;
    state& pool = local_;
    if (pool.arena != nullptr) {
        return from_arena(index);
    }
    if (pool.limit != 0 && pool.reserved + size > pool.limit) {
        trim(); // what the other classes keep counts too
        if (pool.reserved + size > pool.limit) {
            return nullptr;
        }
    }
    return from_heap(size);
}

void frame_pool::release_other(void* memory, std::size_t index) noexcept {
    state& pool = local_;
    const std::size_t size = index * granule;
    if (pool.arena != nullptr) {
        add_region(memory, size);
    } else {
        give_back(memory);
    }
    forget(size);
}

#if defined(WEFT_NO_HEAP)
void* frame_pool::from_heap(std::size_t) noexcept {
    return nullptr;
}
#else
void* frame_pool::from_heap(std::size_t size) noexcept {
    void* memory = granule <= alignof(std::max_align_t) ? std::malloc(size - addition)
                                                        : ::aligned_alloc(granule, size);
    if (memory != nullptr) {
#if defined(__STDCPP_THREADS__)
        at_thread_end.armed = true;
#endif
        local_.reserved += size;
    }
    return memory;
}
#endif

// An arena is one region at first. Blocks are cut off regions and then stay in their class, until
// nothing fits: then all that is free is merged into regions again.
void* frame_pool::from_arena(std::size_t index) noexcept {
    state& pool = local_;
    const std::size_t size = index * granule;
    if (pool.limit != 0 && pool.reserved + size > pool.limit) {
        merge_free_blocks();
        if (pool.reserved + size > pool.limit) {
            return nullptr;
        }
    }
    void* memory = carve(size);
    if (memory == nullptr) {
        merge_free_blocks();
        memory = carve(size);
    }
    if (memory != nullptr) {
        unpoison(memory, size);
        pool.reserved += size;
    }
    return memory;
}

void frame_pool::add_region(void* memory, std::size_t size) noexcept {
    auto* freed = ::new (memory) region{local_.regions, size};
    poison(freed + 1, size - sizeof(region));
    local_.regions = freed;
}

// The first that is large enough, from its end, so that the region's head stays.
void* frame_pool::carve(std::size_t size) noexcept {
    for (region** at = &local_.regions; *at != nullptr; at = &(*at)->next) {
        region* found = *at;
        if (found->size < size) {
            continue;
        }
        found->size -= size;
        if (found->size == 0) {
            *at = found->next;
        }
        return reinterpret_cast<std::byte*>(found) + found->size;
    }
    return nullptr;
}

void frame_pool::merge_free_blocks() noexcept {
    state& pool = local_;
    for (std::size_t index = 0; index < classes; ++index) {
        while (block* first = pool.free[index]) {
            pool.free[index] = first->next;
            forget(index * granule);
            add_region(first, index * granule);
        }
    }
    pool.regions = sorted(pool.regions);
    for (region* at = pool.regions; at != nullptr;) {
        region* following = at->next;
        if (following == reinterpret_cast<region*>(reinterpret_cast<std::byte*>(at) + at->size)) {
            at->size += following->size;
            at->next = following->next;
        } else {
            at = following;
        }
    }
}

void frame_pool::limit(std::size_t bytes) noexcept {
    local_.limit = bytes;
}

std::size_t frame_pool::reserved() noexcept {
    return local_.reserved;
}

std::size_t frame_pool::in_use() noexcept {
    std::size_t used = local_.reserved;
    for (std::size_t index = 0; index < classes; ++index) {
        for (block* at = local_.free[index]; at != nullptr; at = at->next) {
            used -= index * granule < used ? index * granule : used;
        }
    }
    return used;
}

void frame_pool::use_arena(std::span<std::byte> memory) noexcept {
    trim();
    const std::size_t offset =
        (granule - reinterpret_cast<std::uintptr_t>(memory.data()) % granule) % granule;
    local_.regions = nullptr;
    local_.reserved = 0;
    local_.arena = memory.data();
    if (memory.size() >= offset + granule) {
        add_region(memory.data() + offset, (memory.size() - offset) / granule * granule);
    }
}

void frame_pool::trim() noexcept {
    state& pool = local_;
    if (pool.arena != nullptr) {
        merge_free_blocks();
        return;
    }
    for (std::size_t index = 0; index < classes; ++index) {
        while (block* first = pool.free[index]) {
            pool.free[index] = first->next;
            forget(index * granule);
            give_back(first);
        }
    }
}

} // namespace weft
