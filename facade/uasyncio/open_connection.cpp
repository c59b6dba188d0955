#include <uasyncio/open_connection.hpp>

#include <uasyncio/host_name.hpp>

#include <weft/resolve.hpp>
#include <weft/timeout.hpp>

namespace uasyncio {

using weft::errc;

namespace {

weft::task<stream> connect(weft::stack& net, weft::endpoint to) {
    auto connected = co_await net.connect(to);
    if (!connected) {
        co_return weft::fail(connected.error());
    }
    co_return stream::over(std::move(*connected));
}

/// Another address would not do better.
bool ends_trying(errc error) noexcept {
    return error == errc::canceled || error == errc::no_memory || error == errc::too_many_open ||
           error == errc::too_many_in_system;
}

weft::task<stream> connect_by_name(weft::stack& net, host_name host, std::uint16_t port) {
    auto found = co_await net.resolve(host.view());
    if (!found) {
        co_return weft::fail(found.error());
    }
    errc last = errc::name_no_address;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const bool is_last = i + 1 == found->size();
        const weft::duration limit =
            is_last ? weft::duration::max() : weft::duration(connection_attempt_limit);
        const weft::endpoint to{(*found)[i], port};
        auto connected = co_await weft::timeout(net.connect(to), limit);
        if (connected) {
            co_return stream::over(std::move(*connected));
        }
        last = connected.error();
        if (ends_trying(last)) {
            break;
        }
    }
    co_return weft::fail(last);
}

} // namespace

weft::task<stream> open_connection(weft::stack& net, std::string_view host, std::uint16_t port) {
    if (const weft::result<weft::address> numeric = weft::address::parse(host)) {
        return connect(net, weft::endpoint{*numeric, port});
    }
    return connect_by_name(net, host_name(host), port);
}

weft::task<stream> open_connection(weft::stack& net, const weft::endpoint& to) {
    return connect(net, to);
}

} // namespace uasyncio
