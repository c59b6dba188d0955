#include "sensor.hpp"

#include <cstddef>
#include <string_view>

namespace programs {
namespace {

/// "-3.5" to -350. False for anything else, and beyond a thousand degrees.
bool to_hundredths(std::string_view text, std::int32_t& number) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    std::int32_t value = 0;
    int digits = 0;
    int behind_point = -1;
    for (const char c : text) {
        if (c == '.' && behind_point < 0 && digits != 0) {
            behind_point = 0;
        } else if (c < '0' || c > '9' || value >= 10000 || behind_point >= 2) {
            return false;
        } else {
            value = value * 10 + (c - '0');
            ++digits;
            behind_point += behind_point >= 0 ? 1 : 0;
        }
    }
    for (int given = behind_point < 0 ? 0 : behind_point; given < 2; ++given) {
        value *= 10;
    }
    number = negative ? -value : value;
    return digits != 0;
}

std::int64_t understand(std::string_view answer, std::int32_t& degrees) {
    if (answer.empty()) {
        return sensor_hung_up;
    }
    if (!answer.ends_with('\n')) {
        return sensor_says_what;
    }
    answer.remove_suffix(1);
    if (answer.ends_with('\r')) {
        answer.remove_suffix(1);
    }
    if (answer.starts_with("ERROR")) {
        return sensor_says_error;
    }
    if (!answer.starts_with("T ") || !to_hundredths(answer.substr(2), degrees)) {
        return sensor_says_what;
    }
    return 0;
}

std::int64_t ask(us_socket s, const sensor& from, std::int32_t& degrees) {
    constexpr std::string_view question = "MEASURE\n";
    char answer[32];
    if (const int error = us_settimeout(s, from.timeout); error != 0) {
        return error;
    }
    if (const int error = us_connect(s, &from.at); error != 0) {
        return error;
    }
    if (const int error = us_sendall(s, question.data(), question.size(), nullptr); error != 0) {
        return error;
    }
    const std::int64_t size = us_readline(s, answer, sizeof answer);
    return size < 0 ? size : understand({answer, static_cast<std::size_t>(size)}, degrees);
}

std::int64_t read_once(const sensor& from, std::int32_t& degrees) {
    const us_socket s = us_open(from.at.family, US_SOCK_STREAM, 0);
    if (s < 0) {
        return s;
    }
    const std::int64_t error = ask(s, from, degrees);
    us_close(s);
    return error;
}

} // namespace

std::int64_t sensor_read(const sensor& from, std::int32_t& degrees) {
    std::int64_t error = 0;
    for (int attempt = 0; attempt < from.tries; ++attempt) {
        error = attempt != 0 ? from.sleep(from.pause) : 0;
        if (error == 0) {
            error = read_once(from, degrees);
        }
        if (error == 0 || error == sensor_interrupted) {
            break;
        }
        if (from.failed != nullptr) {
            from.failed(error);
        }
    }
    return error;
}

} // namespace programs
