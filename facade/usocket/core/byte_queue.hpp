// byte_queue: received bytes that a call has taken from the stack and not handed out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace usocket {

class byte_queue {
  public:
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return {memory_.get() + begin_, size()};
    }

    /// Room for at least `n` bytes behind the last one; empty if there is no memory.
    [[nodiscard]] std::span<std::byte> room(std::size_t n) noexcept;
    /// The first `n` bytes of room() were filled.
    void commit(std::size_t n) noexcept { end_ += n; }

    /// Moves up to into.size() bytes out; how many.
    std::size_t take(std::span<std::byte> into) noexcept;
    void drop(std::size_t n) noexcept;
    /// False: no memory, and nothing has changed.
    [[nodiscard]] bool put_front(std::span<const std::byte> bytes) noexcept;

  private:
    bool regrow(std::size_t before, std::size_t behind) noexcept;

    std::unique_ptr<std::byte[]> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace usocket
