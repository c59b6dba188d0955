#include <weft/address.hpp>

#include <algorithm>
#include <optional>

namespace weft {

namespace {

constexpr std::string_view digits = "0123456789";

/// A decimal number of 1 to `longest` digits, no sign, no leading zero but "0" itself.
std::optional<std::uint32_t>
decimal(std::string_view text, std::size_t longest, std::uint32_t largest) noexcept {
    if (text.empty() || text.size() > longest || (text.size() > 1 && text[0] == '0')) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : text) {
        if (digits.find(c) == std::string_view::npos) {
            return std::nullopt;
        }
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value > largest) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(value);
}

std::optional<std::array<std::uint8_t, 4>> dotted_quad(std::string_view text) noexcept {
    std::array<std::uint8_t, 4> quad{};
    for (std::size_t i = 0; i < 4; ++i) {
        const std::size_t dot = i < 3 ? text.find('.') : text.size();
        if (dot == std::string_view::npos) {
            return std::nullopt;
        }
        const auto part = decimal(text.substr(0, dot), 3, 255);
        if (!part) {
            return std::nullopt;
        }
        quad[i] = static_cast<std::uint8_t>(*part);
        text.remove_prefix(i < 3 ? dot + 1 : dot);
    }
    return quad;
}

std::optional<std::uint16_t> hex_group(std::string_view text) noexcept {
    if (text.empty() || text.size() > 4) {
        return std::nullopt;
    }
    unsigned value = 0;
    for (const char c : text) {
        unsigned digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<unsigned>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<unsigned>(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<unsigned>(c - 'A') + 10;
        } else {
            return std::nullopt;
        }
        value = value * 16 + digit;
    }
    return static_cast<std::uint16_t>(value);
}

/// Groups between single colons, written from the first byte on; the last may be a dotted quad if
/// these are the `last` of the address. How many bytes they are, or nothing.
std::optional<std::size_t>
put_groups(std::string_view text, std::array<std::uint8_t, 16>& bytes, bool last) noexcept {
    std::size_t at = 0;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const std::string_view group = text.substr(0, colon);
        if (last && colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
            const auto quad = dotted_quad(group);
            if (!quad || at + 4 > bytes.size()) {
                return std::nullopt;
            }
            std::copy(quad->begin(), quad->end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
            return at + 4;
        }
        const auto value = hex_group(group);
        if (!value || at + 2 > bytes.size()) {
            return std::nullopt;
        }
        bytes[at] = static_cast<std::uint8_t>(*value >> 8);
        bytes[at + 1] = static_cast<std::uint8_t>(*value & 0xff);
        at += 2;
        if (colon == std::string_view::npos) {
            break;
        }
        text.remove_prefix(colon + 1);
        if (text.empty()) {
            return std::nullopt; // ends in a single colon
        }
    }
    return at;
}

std::optional<std::array<std::uint8_t, 16>> ipv6_bytes(std::string_view text) noexcept {
    std::array<std::uint8_t, 16> bytes{};
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) {
        const auto end = put_groups(text, bytes, true);
        return end == 16U ? std::optional(bytes) : std::nullopt;
    }
    const std::string_view tail_text = text.substr(gap + 2);
    if (tail_text.find("::") != std::string_view::npos || tail_text.substr(0, 1) == ":") {
        return std::nullopt;
    }
    std::array<std::uint8_t, 16> tail{};
    const auto head_end = put_groups(text.substr(0, gap), bytes, false);
    const auto tail_size = put_groups(tail_text, tail, true);
    if (!head_end || !tail_size || *head_end + *tail_size > 14) {
        return std::nullopt; // "::" stands for at least one group
    }
    std::copy_n(tail.begin(), *tail_size, bytes.end() - static_cast<std::ptrdiff_t>(*tail_size));
    return bytes;
}

/// Appends into a span that is known to be large enough.
class writer {
  public:
    explicit writer(std::span<char> into) noexcept : into_(into) {}
    void put(char c) noexcept { into_[size_++] = c; }
    void put_decimal(std::uint32_t value) noexcept {
        char reversed[10];
        std::size_t n = 0;
        do {
            reversed[n++] = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value != 0);
        while (n != 0) {
            put(reversed[--n]);
        }
    }
    void put_hex(std::uint16_t value) noexcept {
        bool started = false;
        for (int shift = 12; shift >= 0; shift -= 4) {
            const unsigned digit = (value >> shift) & 0xfU;
            started = started || digit != 0 || shift == 0;
            if (started) {
                put("0123456789abcdef"[digit]);
            }
        }
    }
    void put_quad(std::span<const std::uint8_t> quad) noexcept {
        for (std::size_t i = 0; i < 4; ++i) {
            if (i != 0) {
                put('.');
            }
            put_decimal(quad[i]);
        }
    }
    [[nodiscard]] std::string_view text() const noexcept { return {into_.data(), size_}; }

  private:
    std::span<char> into_;
    std::size_t size_ = 0;
};

// RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of
// equals) as "::", IPv4-mapped addresses with a dotted quad.
void put_ipv6(writer& out, std::span<const std::uint8_t> bytes) noexcept {
    const auto group = [&](std::size_t i) {
        return static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
    };
    std::size_t run_start = 8;
    std::size_t run_size = 1;
    for (std::size_t i = 0; i < 8;) {
        std::size_t end = i;
        while (end < 8 && group(end) == 0) {
            ++end;
        }
        if (end - i > run_size) {
            run_start = i;
            run_size = end - i;
        }
        i = end == i ? i + 1 : end;
    }
    const bool mapped = run_start == 0 && run_size == 5 && group(5) == 0xffff;
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == run_start) {
            out.put(':');
            out.put(':');
            i += run_size - 1;
            continue;
        }
        if (i != 0 && i != run_start + run_size) {
            out.put(':');
        }
        if (mapped && i == 6) {
            out.put_quad(bytes.subspan(12));
            return;
        }
        out.put_hex(group(i));
    }
}

void put_address(writer& out, const address& a) noexcept {
    if (a.is_v4()) {
        out.put_quad(a.bytes());
        return;
    }
    put_ipv6(out, a.bytes());
    if (a.scope_id() != 0) {
        out.put('%');
        out.put_decimal(a.scope_id());
    }
}

} // namespace

result<address> address::parse(std::string_view text) noexcept {
    if (text.find(':') == std::string_view::npos) {
        const auto quad = dotted_quad(text);
        if (!quad) {
            return fail(errc::invalid_argument);
        }
        return v4((*quad)[0], (*quad)[1], (*quad)[2], (*quad)[3]);
    }
    std::uint32_t scope_id = 0;
    if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
        const auto number = decimal(text.substr(percent + 1), 10, 0xffffffffU);
        if (!number) {
            return fail(errc::invalid_argument);
        }
        scope_id = *number;
        text = text.substr(0, percent);
    }
    const auto bytes = ipv6_bytes(text);
    if (!bytes) {
        return fail(errc::invalid_argument);
    }
    return v6(*bytes, scope_id);
}

result<endpoint> endpoint::parse(std::string_view text) noexcept {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return fail(errc::invalid_argument);
    }
    const auto port = decimal(text.substr(colon + 1), 5, 65535);
    if (!port) {
        return fail(errc::invalid_argument);
    }
    endpoint at{weft::address{}, static_cast<std::uint16_t>(*port)};
    std::string_view host = text.substr(0, colon);
    if (host.empty()) {
        return at;
    }
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const result<weft::address> parsed = weft::address::parse(host);
    if (!parsed || parsed->is_v4() == bracketed) {
        return fail(errc::invalid_argument);
    }
    at.address = *parsed;
    return at;
}

std::string_view to_text(const address& a, std::span<char> into) noexcept {
    if (into.size() < endpoint_text_size) {
        return {};
    }
    writer out(into);
    put_address(out, a);
    return out.text();
}

std::string_view to_text(const endpoint& e, std::span<char> into) noexcept {
    if (into.size() < endpoint_text_size) {
        return {};
    }
    writer out(into);
    if (e.address.is_v4()) {
        put_address(out, e.address);
    } else {
        out.put('[');
        put_address(out, e.address);
        out.put(']');
    }
    out.put(':');
    out.put_decimal(e.port);
    return out.text();
}

} // namespace weft
