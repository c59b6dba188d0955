// What the status pages say: texts with places for values, expanded piece by piece, so that a page
// of any length needs no buffer of its own.
//
//     programs::status_text text(programs::html, values, shown);
//     while (auto n = text.fill(room)) { ... send n bytes ... }
#pragma once

#include "status_page.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace programs {

/// `@` and a letter is a value's place. `row` is there once for each pool.
struct status_format {
    std::string_view type; // of its content
    std::string_view front;
    std::string_view row;
    std::string_view back;
    std::string_view unknown; // what stands for a number that nobody knows
};
extern const status_format html;
extern const status_format json;

/// What the server itself knows.
struct status_values {
    std::uint32_t uptime = 0; // seconds
    std::uint32_t frames_in_use = 0;
    std::uint32_t frames_reserved = 0;
    std::uint32_t frames_most = 0;
    std::uint32_t frames_refused = 0;
    status_counters server;
};

class status_text {
  public:
    status_text(const status_format& format, const status_values& values, device& shown) noexcept;

    /// As much as there is room for; how much: less than that only at the end of the page.
    std::size_t fill(std::span<char> room) noexcept;

  private:
    enum class part : std::uint8_t { front, rows, back };

    /// The next piece, `piece_`; false at the end of the page.
    bool next() noexcept;
    std::string_view value(char name) noexcept;
    std::string_view number(std::uint32_t value) noexcept;

    const status_format* format_;
    const status_values* values_;
    device* shown_;
    std::string_view rest_;  // of the format's part
    std::string_view piece_; // in the format, in digits_, or a name of the device's
    std::array<char, 10> digits_;
    pool_usage row_;
    std::uint8_t rows_ = 0; // that were begun
    part part_ = part::front;
};

} // namespace programs
