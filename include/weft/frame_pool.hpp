// Where coroutine frames live: recycled size classes, one pool a thread, so that a program in its
// steady state allocates nothing.
//
//     weft::frame_pool::limit(64 * 1024);    // a 1000th frame too many is errc::no_memory
#pragma once

#include <cstddef>
#include <span>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ADDRESS_SANITIZER 1
#endif
#endif

namespace weft {

class frame_pool {
  public:
    /// Frames are aligned to this, as by malloc on most hosts: what a coroutine may keep in its
    /// frame is aligned to no more. Blocks are multiples of it; each up to `largest` has a list of
    /// free ones.
    static constexpr std::size_t granule = 16;
    static constexpr std::size_t largest = sizeof(void*) >= 8 ? 4096 : 1024;

    /// At least `size` bytes, aligned to `granule`, or null when the limit, the arena or the heap
    /// is exhausted. A block goes to the pool of the thread that frees it.
    [[nodiscard]] static void* allocate(std::size_t size) noexcept {
        const std::size_t index = class_of(size);
        if (recycles && index < classes) [[likely]] {
            if (block* first = local_.free[index]) [[likely]] {
                local_.free[index] = first->next;
                return first;
            }
        }
        return allocate_fresh(index);
    }

    static void release(void* memory, std::size_t size) noexcept {
        const std::size_t index = class_of(size);
        if (recycles && index < classes) [[likely]] {
            auto* freed = static_cast<block*>(memory);
            freed->next = local_.free[index];
            local_.free[index] = freed;
            return;
        }
        release_other(memory, index);
    }

    /// Bytes this thread may take from the heap or the arena in all; 0, the default, is no limit.
    static void limit(std::size_t bytes) noexcept;

    /// Bytes taken from the heap or the arena and not given back, free blocks included. What
    /// another thread frees is counted there: exact while frames are freed where they were made.
    [[nodiscard]] static std::size_t reserved() noexcept;

    /// Bytes of reserved() in frames that live; counted by walking the free ones.
    [[nodiscard]] static std::size_t in_use() noexcept;

    /// A build without an operating system has no heap, and so no frames before this.
    ///
    /// Takes frames from `memory` instead of the heap from now on; the caller keeps it alive.
    /// Empty: from the heap again. Call it when no frame of this thread lives.
    static void use_arena(std::span<std::byte> memory) noexcept;

    /// Gives the heap back what this thread does not use; a thread that ends does so by itself.
    static void trim() noexcept;

  private:
    struct block {
        block* next;
    };
    /// Free memory of any size, in no class.
    struct region {
        region* next;
        std::size_t size;
    };
    static constexpr std::size_t classes = largest / granule + 1;
    /// What malloc adds to a block, so that block and addition together are whole granules.
    static constexpr std::size_t addition = sizeof(void*) >= 8 ? 8 : 0;

    static constexpr std::size_t class_of(std::size_t size) noexcept {
        return (size + addition + granule - 1) / granule;
    }

    // Under AddressSanitizer frames come straight from malloc, which finds whoever touches a
    // destroyed one; an arena poisons what is free.
#if defined(WEFT_ADDRESS_SANITIZER)
    static constexpr bool recycles = false;
#else
    static constexpr bool recycles = true;
#endif

    struct state {
        block* free[classes];
        region* regions;
        std::size_t reserved;
        std::size_t limit; // 0: none
        std::byte* arena;  // null: the heap
    };

    static void forget(std::size_t bytes) noexcept {
        local_.reserved -= bytes < local_.reserved ? bytes : local_.reserved;
    }
    static void* allocate_fresh(std::size_t index) noexcept;
    static void release_other(void* memory, std::size_t index) noexcept;
    static void* from_heap(std::size_t size) noexcept;
    static void* from_arena(std::size_t index) noexcept;
    static void add_region(void* memory, std::size_t size) noexcept;
    static void* carve(std::size_t size) noexcept;
    static void merge_free_blocks() noexcept;

#if defined(__STDCPP_THREADS__)
    static constinit inline thread_local state local_{};
#else
    static constinit inline state local_{};
#endif
};

} // namespace weft
