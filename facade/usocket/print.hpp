// print: Python's, for what the façade's calls return.
//
//     usocket::bytes data = s.recv(10);
//     usocket::print(data);                                           // b'rt-thread\r'
//     usocket::print("rcv:", data.size());                            // rcv: 10
//     usocket::print(usocket::getaddrinfo("10.0.0.1", 80)[0][-1]);    // ('10.0.0.1', 80)
//     usocket::print(usocket::repr("text"));                          // 'text'
#pragma once

#include <usocket/address.hpp>
#include <usocket/bytes.hpp>
#include <usocket/names.hpp>
#include <usocket/socket.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace usocket {

/// Text as Python's interpreter shows it: between quotes, with escapes.
struct quoted {
    std::string_view text;
};
[[nodiscard]] inline quoted repr(std::string_view text) noexcept {
    return {text};
}

/// How print() writes one value to the standard output. Nothing is allocated.
void print_one(std::string_view text) noexcept;
void print_one(std::int64_t number) noexcept;
void print_one(std::uint64_t number) noexcept;
void print_one(double number) noexcept;
void print_one(std::span<const std::byte> binary) noexcept;
void print_one(const quoted& text) noexcept;
void print_one(const sockaddr& address) noexcept;
void print_one(const addrinfo& entry) noexcept;
void print_one(const addrinfo_list& list) noexcept;
inline void print_one(const bytes& binary) noexcept {
    print_one(binary.span());
}
inline void print_one(const address_text& text) noexcept {
    print_one(text.view());
}
inline void print_one(const char* text) noexcept {
    print_one(std::string_view(text));
}
inline void print_one(std::nullopt_t) noexcept {
    print_one(std::string_view("None"));
}
inline void print_one(std::same_as<bool> auto truth) noexcept {
    print_one(std::string_view(truth ? "True" : "False"));
}
template <class T>
    requires(std::integral<T> && !std::same_as<T, bool>)
void print_one(T number) noexcept {
    if constexpr (std::is_signed_v<T>) {
        print_one(static_cast<std::int64_t>(number));
    } else {
        print_one(static_cast<std::uint64_t>(number));
    }
}
template <class T>
void print_one(const std::optional<T>& value) noexcept {
    if (value) {
        print_one(*value);
    } else {
        print_one(None);
    }
}

struct print_function {
    template <class... T>
    void operator()(const T&... values) const noexcept {
        [[maybe_unused]] bool first = true;
        ((print_one(std::string_view(first ? "" : " ")), first = false, print_one(values)), ...);
        print_one(std::string_view("\n"));
    }
};

/// The values with a space between each two, and a line feed. An object, so that a program's own
/// function of this name is not taken for it.
inline constexpr print_function print;

} // namespace usocket
