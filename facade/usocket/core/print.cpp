#include "usocket/print.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace usocket {

namespace {

void put(std::string_view text) noexcept {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

template <class T>
void put_number(T number) noexcept {
    std::array<char, 40> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
    put({text.data(), static_cast<std::size_t>(end.ptr - text.data())});
}

/// Python's: single quotes, unless the text has some and no double ones.
char quote_for(std::string_view text) noexcept {
    const bool single = text.find('\'') != std::string_view::npos;
    return single && text.find('"') == std::string_view::npos ? '"' : '\'';
}

/// What is beyond ASCII stays in text, and becomes \xnn in binary.
void put_quoted(std::string_view text, bool binary) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    const char quote = quote_for(text);
    put({&quote, 1});
    for (const char& c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (c == '\n' || c == '\r' || c == '\t') {
            put(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        } else if (c == quote || c == '\\') {
            const char escaped[] = {'\\', c};
            put({escaped, 2});
        } else if (code < 0x20 || code == 0x7f || (binary && code > 0x7f)) {
            const char escaped[] = {'\\', 'x', digits[code >> 4U], digits[code & 0xfU]};
            put({escaped, 4});
        } else {
            put({&c, 1});
        }
    }
    put({&quote, 1});
}

} // namespace

void print_one(std::string_view text) noexcept {
    put(text);
}

void print_one(std::int64_t number) noexcept {
    put_number(number);
}

void print_one(std::uint64_t number) noexcept {
    put_number(number);
}

void print_one(double number) noexcept {
    std::array<char, 32> text;
    const int size = std::snprintf(text.data(), text.size(), "%.16g", number);
    const std::string_view made(text.data(), static_cast<std::size_t>(size));
    put(made);
    if (made.find_first_not_of("-0123456789") == std::string_view::npos) {
        put(".0");
    }
}

void print_one(std::span<const std::byte> binary) noexcept {
    put("b");
    put_quoted({reinterpret_cast<const char*>(binary.data()), binary.size()}, true);
}

void print_one(const quoted& text) noexcept {
    put_quoted(text.text, false);
}

void print_one(const sockaddr& address) noexcept {
    put("(");
    put_quoted(address.host().view(), false);
    put(", ");
    put_number(address.port());
    if (address.family() == AF_INET6) {
        put(", ");
        put_number(address.flowinfo());
        put(", ");
        put_number(address.scope_id());
    }
    put(")");
}

void print_one(const addrinfo& entry) noexcept {
    put("(");
    for (const int number : {entry.family, entry.type, entry.proto}) {
        put_number(number);
        put(", ");
    }
    put_quoted(entry.canonname, false);
    put(", ");
    print_one(entry.sockaddr);
    put(")");
}

void print_one(const addrinfo_list& list) noexcept {
    put("[");
    for (std::size_t i = 0; i != list.size(); ++i) {
        put(i == 0 ? "" : ", ");
        print_one(list[i]);
    }
    put("]");
}

} // namespace usocket
