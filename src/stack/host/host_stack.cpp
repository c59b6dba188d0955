#include <weft/host.hpp>

#include "stack/host/names.hpp"
#include "stack/host/tcp.hpp"
#include "stack/host/udp.hpp"

#include <new>

namespace weft {

namespace {

// Sockets know the loop and its driver, never the stack: it may go before they do.
class host_stack final : public stack {
  public:
    explicit host_stack(weft::loop& home) noexcept : stack(home), names_(home) {}
    result<> configure(const host_names& o) noexcept { return names_.configure(o); }

    [[nodiscard]] std::string_view name() const noexcept override { return "host"; }
    result<tcp_socket*> open_tcp(family f) noexcept override { return host::tcp::open(loop(), f); }
    result<datagram_socket*> open_udp(family f) noexcept override {
        return host::udp::open(loop(), f);
    }
    void start_query(name_query& query) noexcept override { names_.start(query); }
    void forget_query(name_query& query) noexcept override { host::names::forget(query); }

  private:
    host::names names_;
};

} // namespace

result<std::unique_ptr<stack>>
make_host_stack(loop& home, descriptor_driver& driver, const host_names& names) noexcept {
    if (&home.sleeper() != &driver) {
        return fail(errc::invalid_argument);
    }
    std::unique_ptr<host_stack> made(new (std::nothrow) host_stack(home));
    if (!made) {
        return fail(errc::no_memory);
    }
    if (const result<> configured = made->configure(names); !configured) {
        return fail(configured.error());
    }
    return std::unique_ptr<stack>(std::move(made));
}

result<std::unique_ptr<host_context>>
make_host_context(poller kind, const host_names& names) noexcept {
    result<std::unique_ptr<descriptor_driver>> driver = make_descriptor_driver(kind);
    if (!driver) {
        return fail(driver.error());
    }
    std::unique_ptr<host_context> made(new (std::nothrow) host_context(std::move(*driver)));
    if (!made) {
        return fail(errc::no_memory);
    }
    result<std::unique_ptr<stack>> net = make_host_stack(made->loop, *made->driver, names);
    if (!net) {
        return fail(net.error());
    }
    made->net = std::move(*net);
    return made;
}

} // namespace weft
