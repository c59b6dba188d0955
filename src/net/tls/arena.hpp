// arena: a heap in memory that it is given, for blocks of all sizes that come and go in any order.
#pragma once

#include <cstddef>
#include <span>

namespace weft::tls {

/// The lowest place that fits is taken, so that high_water() tells how small an arena would have
/// done; what is free is merged at once. A block costs one size_t more than what was asked for.
class arena {
  public:
    /// Whole granules of it. Call it when nothing is allocated.
    void use(std::span<std::byte> memory) noexcept;

    /// Aligned for every type; null: there is no place for it.
    [[nodiscard]] void* allocate(std::size_t size) noexcept;
    /// Null is nothing.
    void release(void* memory) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }
    /// Where the highest byte lies that ever was taken, from the beginning.
    [[nodiscard]] std::size_t high_water() const noexcept { return high_water_; }
    void reset_high_water() noexcept { high_water_ = in_use_; }
    /// How often there was no place.
    [[nodiscard]] std::size_t refused() const noexcept { return refused_; }

  private:
    static constexpr std::size_t granule = alignof(std::max_align_t);
    /// In front of each block, taken or free; the rest of its granule belongs to the block.
    struct block {
        std::size_t size; // with this
        block* next;      // of the free ones, by address
    };
    static_assert(sizeof(block) <= granule);

    std::byte* first_ = nullptr;
    block* free_ = nullptr;
    std::size_t size_ = 0;
    std::size_t in_use_ = 0;
    std::size_t high_water_ = 0;
    std::size_t refused_ = 0;
};

} // namespace weft::tls
