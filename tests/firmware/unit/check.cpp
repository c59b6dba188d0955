#include "check.hpp"

#include "board.h"

#include <weft/frame_pool.hpp>

#include <array>

namespace check {

namespace {

int failures; // of the test that runs
constexpr int most_told = 5;

bool told(const char* what, const char* file, int line) noexcept {
    if (++failures > most_told) {
        return false;
    }
    print("# ");
    print(file);
    print(":");
    print(line);
    print(": ");
    print(what);
    return true;
}

bool held(const test& one) noexcept {
    failures = 0;
    one.run();
    // Frames and what counts itself are gone, whatever the test is about.
    CHECK_EQUAL(weft::frame_pool::in_use(), 0);
    CHECK_EQUAL(probe::live, 0);
    print(failures == 0 ? "ok - " : "not ok - ");
    print(one.name);
    print("\n");
    return failures == 0;
}

} // namespace

void print(std::string_view text) noexcept {
    board_write(text.data(), text.size());
}

void print(std::int64_t number) noexcept {
    std::array<char, 20> digits;
    std::size_t first = digits.size();
    auto left = static_cast<std::uint64_t>(number < 0 ? -number : number);
    do {
        digits[--first] = static_cast<char>('0' + left % 10);
        left /= 10;
    } while (left != 0);
    if (number < 0) {
        digits[--first] = '-';
    }
    print(std::string_view(&digits[first], digits.size() - first));
}

void that(bool holds, const char* what, const char* file, int line) noexcept {
    if (!holds && told(what, file, line)) {
        print("\n");
    }
}

void equal(
    std::int64_t left, std::int64_t right, const char* what, const char* file, int line) noexcept {
    if (left != right && told(what, file, line)) {
        print(" (");
        print(left);
        print(", ");
        print(right);
        print(")\n");
    }
}

bool run(std::span<const std::span<const test>> all) noexcept {
    std::int64_t count = 0;
    for (const auto& each : all) {
        count += static_cast<std::int64_t>(each.size());
    }
    print("1..");
    print(count);
    print("\n");
    bool good = true;
    for (const auto& each : all) {
        for (const test& one : each) {
            good = held(one) && good;
        }
    }
    return good;
}

} // namespace check
