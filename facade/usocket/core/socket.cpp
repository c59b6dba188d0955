// The parts of usocket::socket that are the same with exceptions and without.

#include "usocket/socket.hpp"

#include "usocket/core/names.hpp"
#include "usocket/stack.hpp"

#include <cmath>

namespace usocket {

void leave(weft::loop& home) noexcept {
    thread& here = thread::here();
    here.close_all(&home);
    weft::stack* const chosen = here.existing_net();
    if (chosen != nullptr && &chosen->loop() == &home) {
        here.use(nullptr);
    }
}

sockaddr::sockaddr(
    std::string_view host, std::int64_t port, std::int64_t flowinfo, std::int64_t scope_id) noexcept
    : any_(host.empty()) {
    const result<weft::endpoint> made =
        endpoint_of(host, port, flowinfo, scope_id, weft::family::ipv4);
    wrong_ = !made;
    at_ = made.value_or(weft::endpoint{});
}

weft::result<handle> socket::make(int af, int type, int proto) noexcept {
    const weft::result<object*> opened = object::open(thread::here(), af, type, proto);
    if (!opened) {
        return fail(opened.error());
    }
    return (*opened)->number();
}

weft::result<std::optional<std::size_t>> socket::or_none(io_count n) noexcept {
    if (n >= 0) {
        return std::optional(static_cast<std::size_t>(n));
    }
    if (weft::would_block(n)) {
        return std::optional<std::size_t>();
    }
    return fail(weft::error_of(n));
}

weft::result<std::optional<std::size_t>>
socket::count_or_none(weft::errc error, std::size_t done) noexcept {
    return or_none(error == errc::ok ? static_cast<io_count>(done) : weft::io_error(error));
}

errc socket::set_timeout(object& o, std::optional<double> seconds) noexcept {
    if (!seconds) {
        return o.set_timeout(object::forever);
    }
    if (!(*seconds >= 0) || std::isinf(*seconds)) { // a NaN is not
        return errc::invalid_argument;
    }
    constexpr double most = 9e9; // seconds; some 285 years, what nanoseconds can count
    const double milliseconds = std::ceil((*seconds < most ? *seconds : most) * 1000);
    return o.set_timeout(
        weft::duration(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds))));
}

weft::result<std::optional<bytes>> socket::held(std::size_t n) const noexcept {
    return on([n](object& o) -> weft::result<std::optional<bytes>> {
        if (!o.is_stream()) { // a datagram, whatever its size
            weft::result<bytes> one = receive_from(
                o, static_cast<std::int64_t>(n < 65536 ? n : 65536),
                [](object& from, std::span<std::byte> into) { return from.recv(into); });
            if (!one && one.error() == errc::would_block) {
                return std::optional<bytes>();
            }
            if (!one) {
                return fail(one.error());
            }
            return std::optional<bytes>(std::move(*one));
        }
        return taken(o, o.hold(n));
    });
}

weft::result<std::optional<bytes>> socket::held_line() const noexcept {
    return on([](object& o) { return taken(o, o.hold_line()); });
}

/// `length` bytes that are held, as bytes; without memory they stay held.
weft::result<std::optional<bytes>> socket::taken(object& o, io_count length) noexcept {
    if (weft::would_block(length)) {
        return std::optional<bytes>();
    }
    if (length < 0) {
        return fail(weft::error_of(length));
    }
    weft::result<bytes> made = bytes::with_size(static_cast<std::size_t>(length));
    if (!made) {
        return fail(made.error());
    }
    o.take(std::span(made->data(), made->size()));
    return std::optional<bytes>(std::move(*made));
}

} // namespace usocket
