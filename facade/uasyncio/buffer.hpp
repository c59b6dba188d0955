// buffer: bytes in the order in which they came, taken off the front. What a stream has received
// and nobody has read, and what it was given to send and the socket has not taken.
#pragma once

#include <uasyncio/bytes.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace uasyncio {

/// One block of memory, [begin, end) of it filled. Only reserve() and take() allocate; when they
/// cannot, nothing has changed.
class buffer {
  public:
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return end_ == begin_; }
    [[nodiscard]] std::span<const std::byte> filled() const noexcept {
        return {memory_.get() + begin_, size()};
    }

    /// Room behind what is filled; write there, then commit().
    [[nodiscard]] std::span<std::byte> room() noexcept {
        return {memory_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t count) noexcept { end_ += count; }

    /// Makes room() at least `count`; false: no memory.
    [[nodiscard]] bool reserve(std::size_t count) noexcept;

    /// Drops the first `count`.
    void consume(std::size_t count) noexcept {
        begin_ += count;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }
    /// Drops all, and gives a block back that is larger than what a stream may keep while idle.
    void clear() noexcept;

    /// The first `count` as a value: the block itself where that wastes little, a copy otherwise.
    /// errc::no_memory: they are all still here.
    [[nodiscard]] weft::result<bytes> take(std::size_t count) noexcept;

  private:
    static constexpr std::size_t most_kept = 64 * 1024;

    std::unique_ptr<std::byte[]> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace uasyncio
