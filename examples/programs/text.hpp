// Text put together in a buffer of fixed size, without a formatting library: what a board can
// afford, and a host may use as well.
//
//     std::array<char, 32> room;
//     programs::text_writer out(room);
//     out.put("seq ").put(42U);
//     ... out.view() ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace programs {

class text_writer {
  public:
    explicit text_writer(std::span<char> room) noexcept : room_(room) {}

    text_writer& put(std::string_view text) noexcept {
        for (const char each : text) {
            put(each);
        }
        return *this;
    }
    text_writer& put(char each) noexcept {
        if (size_ < room_.size()) {
            room_[size_++] = each;
        } else {
            complete_ = false;
        }
        return *this;
    }
    text_writer& put(std::uint32_t number) noexcept {
        std::uint32_t scale = 1;
        while (number / scale >= 10) {
            scale *= 10;
        }
        for (; scale != 0; scale /= 10) {
            put(static_cast<char>('0' + number / scale % 10));
        }
        return *this;
    }
    /// "-21.05" for -2105.
    text_writer& put_hundredths(std::int32_t number) noexcept {
        const auto bits = static_cast<std::uint32_t>(number);
        const std::uint32_t size = number < 0 ? 0U - bits : bits;
        if (number < 0) {
            put('-');
        }
        put(size / 100).put('.');
        put(static_cast<char>('0' + size / 10 % 10)).put(static_cast<char>('0' + size % 10));
        return *this;
    }

    [[nodiscard]] std::string_view view() const noexcept { return {room_.data(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// False if something did not fit, and was left out.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

  private:
    std::span<char> room_;
    std::size_t size_ = 0;
    bool complete_ = true;
};

} // namespace programs
