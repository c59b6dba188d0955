// tls_arena: static memory for all that TLS needs on a board, of a size chosen at compile time.
//
//     constinit weft::tls_arena<40 * 1024> secrets;  // at namespace scope
//     int main() {
//         secrets.use();                             // before the first tls_context is made
//     }
//
// What finds no room there is errc::no_memory to the handshake, and nothing else of the board
// notices; tls_memory tells how many bytes would have been enough. On hosts TLS has the heap.
#pragma once

#include <cstddef>
#include <span>

namespace weft {

/// Contexts, connections and handshakes of a board, all of them.
class tls_memory {
  public:
    /// The caller keeps it alive. Call it when there is no context, or never again.
    static void use_arena(std::span<std::byte> memory) noexcept;

    [[nodiscard]] static std::size_t arena_size() noexcept;
    /// Bytes that are taken now, their administration included.
    [[nodiscard]] static std::size_t in_use() noexcept;
    /// Where the highest byte lies that ever was taken, counted from the arena's beginning: an
    /// arena of this size would have served the same.
    [[nodiscard]] static std::size_t high_water() noexcept;
    /// high_water() is what is taken now, and grows from there.
    static void reset_high_water() noexcept;
    /// How often there was no room.
    [[nodiscard]] static std::size_t refused() noexcept;
};

template <std::size_t Bytes>
class tls_arena {
  public:
    static constexpr std::size_t size = Bytes;

    constexpr tls_arena() noexcept = default;
    tls_arena(const tls_arena&) = delete;
    tls_arena& operator=(const tls_arena&) = delete;

    void use() noexcept { tls_memory::use_arena(memory_); }

  private:
    alignas(std::max_align_t) std::byte memory_[Bytes]{};
};

} // namespace weft
