// fmt for weft's values: addresses, endpoints and errors print as people write them.
//
//     fmt::print("{}: {}\n", at, weft::errc::connection_refused); // [::1]:80: connection refused
//     fmt::print("{:n}\n", weft::errc::connection_refused);       // ECONNREFUSED
#pragma once

#include <weft/address.hpp>
#include <weft/errc.hpp>

#include <fmt/format.h>

#include <array>
#include <string_view>

template <>
struct fmt::formatter<weft::address> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const weft::address& a, Context& context) const {
        std::array<char, weft::endpoint_text_size> text{};
        return fmt::formatter<std::string_view>::format(weft::to_text(a, text), context);
    }
};

template <>
struct fmt::formatter<weft::endpoint> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const weft::endpoint& e, Context& context) const {
        std::array<char, weft::endpoint_text_size> text{};
        return fmt::formatter<std::string_view>::format(weft::to_text(e, text), context);
    }
};

/// "{}" prints message(), "{:n}" the name as errno.h spells it.
template <>
struct fmt::formatter<weft::errc> {
    constexpr auto parse(fmt::format_parse_context& context) {
        auto at = context.begin();
        if (at != context.end() && *at == 'n') {
            by_name = true;
            ++at;
        }
        return at;
    }
    template <class Context>
    auto format(weft::errc error, Context& context) const {
        return fmt::format_to(
            context.out(), "{}", by_name ? weft::name(error) : weft::message(error));
    }
    bool by_name = false;
};
