// getaddrinfo for C.

#include "c/convert.hpp"
#include "c/usocket.h"

#include "usocket/core/name_query.hpp"
#include "usocket/core/names.hpp"
#include "usocket/core/thread.hpp"

#include <algorithm>

using usocket::thread;
using weft::errc;
using weft::result;
using namespace usocket::c;

namespace {

/// The port of `service` or `port`, if all that C gave makes sense.
result<std::uint16_t>
checked_port(const char* host, size_t host_size, const char* service, int64_t port) noexcept {
    if (!is_memory(host, host_size) || port < 0 || port > 65535) {
        return weft::fail(errc::invalid_argument);
    }
    return service != nullptr ? usocket::port_of(service) : static_cast<std::uint16_t>(port);
}

int give(const usocket::address_entries& found, us_addrinfo* into, size_t capacity) noexcept {
    const std::size_t count = std::min(found.size, capacity);
    for (std::size_t i = 0; i != count; ++i) {
        const usocket::address_entry& each = found.entries[i];
        into[i] = {each.family, each.type, each.proto, {}};
        to_c(each.at, into[i].address);
    }
    return static_cast<int>(count);
}

} // namespace

extern "C" {

int us_getaddrinfo(
    const char* host, size_t host_size, const char* service, int64_t port, int family, int type,
    int proto, int flags, int64_t timeout_ms, us_addrinfo* into, size_t capacity) {
    const result<weft::duration> limit = limit_of(timeout_ms);
    const result<std::uint16_t> number = checked_port(host, host_size, service, port);
    if (!limit || (into == nullptr && capacity != 0)) {
        return negative(errc::invalid_argument);
    }
    if (!number) {
        return negative(number.error());
    }
    usocket::address_entries found;
    const errc error = usocket::look_up_now(
        thread::here(), std::string_view(host, host_size), *number, {family, type, proto, flags},
        *limit, found);
    return error == errc::ok ? give(found, into, capacity) : negative(error);
}

us_query us_getaddrinfo_start(
    const char* host, size_t host_size, const char* service, int64_t port, int family, int type,
    int proto, int flags, int64_t timeout_ms) {
    const result<weft::duration> limit = limit_of(timeout_ms);
    const result<std::uint16_t> number = checked_port(host, host_size, service, port);
    if (!limit || !number) {
        return negative(limit ? number.error() : errc::invalid_argument);
    }
    const result<std::int64_t> started = usocket::name_query::start(
        thread::here(), std::string_view(host, host_size), *number, {family, type, proto, flags},
        *limit);
    return started ? *started : negative(started.error());
}

int us_getaddrinfo_result(us_query q, us_addrinfo* into, size_t capacity) {
    if (into == nullptr && capacity != 0) {
        return negative(errc::invalid_argument);
    }
    usocket::address_entries found;
    const errc error = usocket::name_query::take(thread::here(), q, found);
    return error == errc::ok ? give(found, into, capacity) : negative(error);
}

int us_getaddrinfo_cancel(us_query q) {
    return negative(usocket::name_query::cancel(thread::here(), q));
}
}
