// Where coroutine frames live: recycled size classes, one pool a thread, so that a program in its
// steady state allocates nothing. On a board one static arena (weft/frame_arena.hpp).
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

template <std::size_t Bytes>
class frame_arena;

class frame_pool {
#if defined(__STDCPP_THREADS__)
    static constexpr bool on_board = false;
#else
    static constexpr bool on_board = true; // one thread, little memory
#endif

  public:
    /// Frames are aligned to this, as by malloc on most hosts: what a coroutine may keep in its
    /// frame is aligned to no more. Blocks are multiples of it.
    static constexpr std::size_t granule = on_board ? alignof(std::max_align_t) : 16;

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
        return allocate_fresh(index * granule);
    }

    static void release(void* memory, std::size_t size) noexcept {
        const std::size_t index = class_of(size);
        if (recycles && index < classes) [[likely]] {
            auto* freed = static_cast<block*>(memory);
            freed->next = local_.free[index];
            local_.free[index] = freed;
            return;
        }
        release_other(memory, index * granule);
    }

#if defined(__STDCPP_THREADS__)
    /// Bytes this thread may take from the heap or the arena in all; 0, the default, is no limit. A
    /// board's limit is its arena.
    static void limit(std::size_t bytes) noexcept;
#endif

    /// Bytes taken from the heap or the arena and not given back, free blocks included. What
    /// another thread frees is counted there: exact while frames are freed where they were made.
#if defined(__STDCPP_THREADS__)
    [[nodiscard]] static std::size_t reserved() noexcept { return local_.reserved; }
#else // of its arena: counted by walking what is free there
    [[nodiscard]] static std::size_t reserved() noexcept;
#endif

    /// Bytes of reserved() in frames that live; counted by walking the free ones.
    [[nodiscard]] static std::size_t in_use() noexcept;

    /// In an arena: where the highest byte lies that a frame ever had, counted from the arena's
    /// beginning. The lowest place that fits is taken, so an arena of just this size would have
    /// served the same program as well. On the heap: the most that reserved() ever was.
    [[nodiscard]] static std::size_t high_water() noexcept { return local_.high_water; }

    /// high_water() is what is taken now, and grows from there.
    static void reset_high_water() noexcept;

    /// How many frames there was no memory for.
    [[nodiscard]] static std::size_t refused() noexcept { return local_.refused; }

    /// A build without an operating system has no heap, and so no frames before this.
    ///
    /// Takes frames from `memory` instead of the heap from now on; the caller keeps it alive.
    /// Empty: from the heap again. Call it when no frame of this thread lives.
    static void use_arena(std::span<std::byte> memory) noexcept;

    /// Bytes of the arena; 0 without one.
    [[nodiscard]] static std::size_t arena_size() noexcept { return local_.arena_size; }

    /// Gives the heap back what this thread does not use; a thread that ends does so by itself.
    static void trim() noexcept;

  private:
    template <std::size_t Bytes>
    friend class frame_arena;
    /// Whole granules, aligned; none: use_arena({}).
    static void use_granules(std::byte* first, std::size_t size) noexcept;

    struct block {
        block* next;
    };
    /// Free memory of an arena.
    struct region {
        region* next;
        std::size_t size;
    };

    // Size classes: each multiple of the granule up to `largest` has a list of free blocks. A board
    // has none (they would take more RAM than a connection): its arena is quick while few frames
    // come and go, and merges what is free at once.
    //
    // Under AddressSanitizer frames come straight from malloc, which finds whoever touches a
    // destroyed one; an arena poisons what is free.
#if defined(WEFT_ADDRESS_SANITIZER)
    static constexpr bool recycles = false;
#else
    static constexpr bool recycles = !on_board;
#endif
    static constexpr std::size_t largest = recycles ? (sizeof(void*) >= 8 ? 4096 : 1024) : 0;
    static constexpr std::size_t classes = largest / granule + 1;
    /// What malloc adds to a block, so that block and addition together are whole granules.
    static constexpr std::size_t addition = sizeof(void*) >= 8 ? 8 : 0;

    static constexpr std::size_t class_of(std::size_t size) noexcept {
        return (size + addition + granule - 1) / granule;
    }

    struct state {
        block* free[classes];
        region head; // empty; behind it those of the arena, by address; no two of them touch
        std::size_t high_water;
        std::size_t refused;
#if defined(__STDCPP_THREADS__)
        std::size_t reserved;
        std::size_t limit; // 0: none
#endif
        std::byte* arena; // its first granule; null: the heap
        std::size_t arena_size;
    };

#if defined(__STDCPP_THREADS__)
    static void note(std::size_t bytes) noexcept { local_.reserved += bytes; }
    static void forget(std::size_t bytes) noexcept {
        // another thread may have taken them
        local_.reserved -= bytes < local_.reserved ? bytes : local_.reserved;
    }
#else
    static void note(std::size_t) noexcept {}
    static void forget(std::size_t) noexcept {}
#endif
    static void* allocate_fresh(std::size_t size) noexcept;
    static void release_other(void* memory, std::size_t size) noexcept;
    static void* take(std::size_t size) noexcept;
    static void* from_heap(std::size_t size) noexcept;
    static void* carve(std::size_t size) noexcept;
    static void add_region(void* memory, std::size_t size) noexcept;
    static void give_back(void* memory, std::size_t size) noexcept;

#if defined(__STDCPP_THREADS__)
    static constinit inline thread_local state local_{};
#else
    static constinit inline state local_{};
#endif
};

} // namespace weft
