// The readings that a collector has not acknowledged: a ring that forgets the oldest when it is
// full, and remembers which of them are on their way.
//
//     | first: sent, not acknowledged | not sent yet | room |
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace programs {

struct reading {
    std::uint32_t sequence = 0;
    std::uint32_t uptime = 0; // ms
    std::int32_t value = 0;   // hundredths
};

template <std::size_t N>
class reading_queue {
  public:
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bool has_unsent() const noexcept { return sent_ < size_; }
    /// Some are on their way.
    [[nodiscard]] bool has_sent() const noexcept { return sent_ != 0; }

    /// False if the oldest had to go.
    bool push(const reading& next) noexcept {
        const bool fits = size_ < N;
        if (!fits) {
            pop();
        }
        all_[(first_ + size_) % N] = next;
        ++size_;
        return fits;
    }

    /// The oldest that is not on its way, from now on is.
    const reading& send() noexcept { return all_[(first_ + sent_++) % N]; }

    /// A new connection: what was on its way goes again.
    void resend() noexcept { sent_ = 0; }

    /// Forgets all up to this number; how many. Numbers grow by one and may wrap.
    std::uint32_t acknowledge(std::uint32_t sequence) noexcept {
        std::uint32_t gone = 0;
        while (sent_ != 0 && static_cast<std::int32_t>(sequence - all_[first_].sequence) >= 0) {
            pop();
            ++gone;
        }
        return gone;
    }

  private:
    void pop() noexcept {
        first_ = (first_ + 1) % N;
        --size_;
        sent_ -= sent_ != 0 ? 1 : 0;
    }

    std::array<reading, N> all_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    std::size_t sent_ = 0; // of size_, from the first
};

} // namespace programs
