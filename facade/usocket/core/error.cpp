#include "usocket/error.hpp"

#include "usocket/core/thread.hpp"

#include <charconv>
#include <string_view>

namespace usocket {

const char* explanation() noexcept {
    return thread::here().explanation();
}

OSError::OSError(weft::errc error, const char* call, std::size_t count) noexcept
    : args{static_cast<int>(error)}, call_(call), count_(count) {
    char number[12];
    const auto digits = std::to_chars(std::begin(number), std::end(number), args[0]);
    thread& here = thread::here();
    const std::string_view more = here.explanation();
    std::size_t at = 0;
    for (const std::string_view part :
         {std::string_view("[Errno "), std::string_view(number, digits.ptr), std::string_view("] "),
          std::string_view(weft::name(error)), std::string_view(": "), std::string_view(call),
          std::string_view(": "), more.empty() ? std::string_view(weft::message(error)) : more}) {
        at += part.copy(text_.data() + at, text_.size() - 1 - at);
    }
    text_[at] = '\0';
    here.forget_explanation();
}

} // namespace usocket
