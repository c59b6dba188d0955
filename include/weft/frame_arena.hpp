// frame_arena: static memory for coroutine frames, of a size chosen at compile time.
//
//     constinit weft::frame_arena<4096> frames;      // at namespace scope
//     int main() {
//         frames.use();                              // before the first task is made
//     }
//
// A frame that finds no room is errc::no_memory; frame_pool::refused() counts them, and
// frame_pool::high_water() tells how many bytes would have been enough.
#pragma once

#include <weft/frame_pool.hpp>

#include <cstddef>

namespace weft {

/// Destroy it when no frame lives, or never. All of it is for frames, whole granules each.
template <std::size_t Bytes>
class frame_arena {
    static_assert(Bytes >= 2 * frame_pool::granule, "no frame has room there");

  public:
    static constexpr std::size_t size = Bytes / frame_pool::granule * frame_pool::granule;

    constexpr frame_arena() noexcept = default;
    frame_arena(const frame_arena&) = delete;
    frame_arena& operator=(const frame_arena&) = delete;

    /// Frames of this thread live here from now on. Call it when none lives.
    void use() noexcept { frame_pool::use_granules(memory_, size); }

  private:
    alignas(frame_pool::granule) std::byte memory_[size]{};
};

} // namespace weft
