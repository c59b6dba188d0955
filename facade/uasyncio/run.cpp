#include "uasyncio/run.hpp"

namespace uasyncio {

namespace {

template <class T>
weft::task<T> failed(weft::errc why) {
    co_return weft::fail(why);
}

} // namespace

weft::task<stream> open_connection(std::string_view host, std::uint16_t port) {
    const weft::result<weft::stack*> net = usocket::thread::here().net();
    return net ? open_connection(**net, host, port) : failed<stream>(net.error());
}

weft::task<server> start_listening_here(
    std::unique_ptr<connection_callback> callback, host_name host, std::uint16_t port,
    std::size_t backlog) {
    const weft::result<weft::stack*> net = usocket::thread::here().net();
    return net ? start_listening(**net, std::move(callback), host, port, backlog)
               : failed<server>(net.error());
}

} // namespace uasyncio
