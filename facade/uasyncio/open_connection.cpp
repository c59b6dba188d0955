#include <uasyncio/open_connection.hpp>

namespace uasyncio {
namespace {

weft::task<stream> refuse(weft::errc why) {
    co_return weft::fail(why);
}

weft::task<stream> connect(weft::stack& net, weft::endpoint to) {
    auto connected = co_await net.connect(to);
    if (!connected) {
        co_return weft::fail(connected.error());
    }
    co_return stream::over(std::move(*connected));
}

} // namespace

weft::task<stream> open_connection(weft::stack& net, std::string_view host, std::uint16_t port) {
    const weft::result<weft::address> numeric = weft::address::parse(host);
    return numeric ? connect(net, weft::endpoint{*numeric, port}) : refuse(numeric.error());
}

weft::task<stream> open_connection(weft::stack& net, const weft::endpoint& to) {
    return connect(net, to);
}

} // namespace uasyncio
