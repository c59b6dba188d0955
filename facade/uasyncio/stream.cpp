#include <uasyncio/stream.hpp>

namespace uasyncio {

weft::result<stream> stream::over(weft::tcp_stream connected) noexcept {
    connection_share made = connection::make(std::move(connected));
    if (!made) {
        return weft::fail(weft::errc::no_memory);
    }
    return stream(std::move(made));
}

std::optional<weft::endpoint> stream::get_extra_info(std::string_view name) const noexcept {
    if (on_ && name == "peername") {
        return on_->peer();
    }
    if (on_ && on_->socket() != nullptr && name == "sockname") {
        if (const weft::result<weft::endpoint> local = on_->socket()->local()) {
            return *local;
        }
    }
    return std::nullopt;
}

} // namespace uasyncio
