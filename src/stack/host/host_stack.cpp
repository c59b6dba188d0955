#include <weft/host.hpp>

#include "stack/host/tcp.hpp"
#include "stack/host/udp.hpp"

#include <new>

namespace weft {

namespace {

// Sockets know the loop and its driver, never the stack: it may go before they do.
class host_stack final : public stack {
  public:
    explicit host_stack(weft::loop& home) noexcept : stack(home) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "host"; }
    result<tcp_socket*> open_tcp(family f) noexcept override { return host::tcp::open(loop(), f); }
    result<datagram_socket*> open_udp(family f) noexcept override {
        return host::udp::open(loop(), f);
    }
};

} // namespace

result<std::unique_ptr<stack>> make_host_stack(loop& home, descriptor_driver& driver) noexcept {
    if (&home.sleeper() != &driver) {
        return fail(errc::invalid_argument);
    }
    std::unique_ptr<stack> made(new (std::nothrow) host_stack(home));
    if (!made) {
        return fail(errc::no_memory);
    }
    return made;
}

result<std::unique_ptr<host_context>> make_host_context(poller kind) noexcept {
    result<std::unique_ptr<descriptor_driver>> driver = make_descriptor_driver(kind);
    if (!driver) {
        return fail(driver.error());
    }
    std::unique_ptr<host_context> made(new (std::nothrow) host_context(std::move(*driver)));
    if (!made) {
        return fail(errc::no_memory);
    }
    result<std::unique_ptr<stack>> net = make_host_stack(made->loop, *made->driver);
    if (!net) {
        return fail(net.error());
    }
    made->net = std::move(*net);
    return made;
}

} // namespace weft
