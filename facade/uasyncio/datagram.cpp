#include <uasyncio/datagram.hpp>

namespace uasyncio {

weft::io_count receiving::attempt() noexcept {
    if (core()->closed()) {
        return weft::io_error(weft::errc::bad_handle);
    }
    if (!weft::any(core()->ready() & weft::readiness::readable)) {
        return weft::io_error(weft::errc::would_block);
    }
    if (data_.size() < size_) {
        weft::result<bytes> room = bytes::with_size(size_);
        if (!room) {
            return weft::io_error(room.error());
        }
        data_ = std::move(*room);
    }
    const weft::result<weft::datagram> got =
        static_cast<weft::datagram_socket*>(core())->try_recv_from({data_.data(), data_.size()});
    if (!got) {
        return weft::io_error(got.error());
    }
    got_ = *got;
    return 0;
}

weft::result<received> receiving::await_resume() noexcept {
    if (const weft::errc error = finish_error(); error != weft::errc::ok) {
        return weft::fail(error);
    }
    data_.shrink(got_.size);
    return received{std::move(data_), got_.from, got_.truncated};
}

std::optional<weft::endpoint>
datagram_endpoint::get_extra_info(std::string_view name) const noexcept {
    if (socket_.socket() == nullptr) {
        return std::nullopt;
    }
    weft::result<weft::endpoint> found = weft::fail(weft::errc::invalid_argument);
    if (name == "sockname") {
        found = socket_.socket()->local();
    } else if (name == "peername") {
        found = socket_.socket()->remote();
    }
    return found ? std::optional(*found) : std::nullopt;
}

weft::result<datagram_endpoint> create_datagram_endpoint(
    weft::stack& net, std::optional<weft::endpoint> local,
    std::optional<weft::endpoint> remote) noexcept {
    if (!local && !remote) {
        return weft::fail(weft::errc::invalid_argument);
    }
    const weft::endpoint at =
        local ? *local : weft::endpoint{weft::address::any(remote->address.family()), 0};
    if (remote && remote->address.family() != at.address.family()) {
        return weft::fail(weft::errc::invalid_argument);
    }
    weft::result<weft::udp_socket> socket = net.bind_udp(at);
    if (!socket) {
        return weft::fail(socket.error());
    }
    if (remote) {
        if (const weft::result<> connected = socket->connect(*remote); !connected) {
            return weft::fail(connected.error());
        }
    }
    return datagram_endpoint(std::move(*socket));
}

} // namespace uasyncio
