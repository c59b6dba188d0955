// Addresses as the façade's callers give them, and getaddrinfo.
#pragma once

#include "usocket/core/thread.hpp"

#include <weft/address.hpp>
#include <weft/task.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace usocket {

inline constexpr weft::duration default_name_limit = std::chrono::seconds(15);

/// "" is any address of `any_of`. errc::invalid_argument: a host that is no number, a port outside
/// 0..65535, a flowinfo other than 0.
[[nodiscard]] weft::result<weft::endpoint> endpoint_of(
    std::string_view host, std::int64_t port, std::int64_t flowinfo, std::int64_t scope_id,
    weft::family any_of) noexcept;

/// A number, or one of the services that /etc/services has had since RFC 1700 ("http").
/// errc::name_service_not_supported (EAI_SERVICE).
[[nodiscard]] weft::result<std::uint16_t> port_of(std::string_view service) noexcept;

struct name_filter {
    int family = 0;
    int type = 0;
    int proto = 0;
    int flags = 0;
};

/// One entry of getaddrinfo's list.
struct address_entry {
    int family = 0;
    int type = 0;
    int proto = 0;
    weft::endpoint at;
};

/// At most two types of socket for each address.
struct address_entries {
    static constexpr std::size_t capacity = 32;
    std::array<address_entry, capacity> entries;
    std::size_t size = 0;
};

/// `host` must stay until it completes. The errors of stack::resolve(), which have EAI_* numbers,
/// and of the filter: name_family_not_supported,
/// name_socket_type_not_supported, name_bad_flags.
[[nodiscard]] weft::task<address_entries> look_up(
    weft::stack& net, std::string_view host, weft::result<std::uint16_t> port,
    name_filter filter) noexcept;

/// The same for callers outside the loop, who wait here. Numbers never wait.
/// errc::name_try_again when `limit` is over, would_deadlock, interrupted.
[[nodiscard]] weft::errc look_up_now(
    thread& here, std::string_view host, std::uint16_t port, name_filter filter,
    weft::duration limit, address_entries& into) noexcept;

} // namespace usocket
