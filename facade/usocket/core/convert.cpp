#include "usocket/core/convert.hpp"

#include "usocket/constants.hpp"

#include <algorithm>
#include <cstring>

namespace usocket {

using weft::address;
using weft::errc;
using weft::fail;
using weft::result;

result<std::size_t>
text_to_bytes(int af, std::string_view text, std::span<std::uint8_t, 16> into) noexcept {
    if (af != AF_INET && af != AF_INET6) {
        return fail(errc::family_not_supported);
    }
    const result<address> parsed = address::parse(text);
    if (!parsed || parsed->is_v4() != (af == AF_INET) || parsed->scope_id() != 0) {
        return fail(errc::invalid_argument);
    }
    std::copy(parsed->bytes().begin(), parsed->bytes().end(), into.begin());
    return parsed->bytes().size();
}

result<std::string_view> bytes_to_text(
    int af, std::span<const std::byte> bytes,
    std::span<char, weft::endpoint_text_size> into) noexcept {
    if (af != AF_INET && af != AF_INET6) {
        return fail(errc::family_not_supported);
    }
    const std::size_t size = af == AF_INET ? 4 : 16;
    if (bytes.size() != size) {
        return fail(errc::invalid_argument);
    }
    std::array<std::uint8_t, 16> b{};
    std::memcpy(b.data(), bytes.data(), size);
    return weft::to_text(
        af == AF_INET ? address::v4(b[0], b[1], b[2], b[3]) : address::v6(b), into);
}

} // namespace usocket
