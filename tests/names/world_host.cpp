// host-epoll, host-poll, host-select: c-ares on the kernel's sockets, over loopback.
#include "../parity/descriptors.hpp"
#include "../parity/network_namespace.hpp"
#include "dnsmasq.hpp"
#include "files.hpp"
#include "world.hpp"

#include <weft/host.hpp>

namespace names_test {
namespace {

class host_world final : public world {
  public:
    explicit host_world(std::unique_ptr<weft::descriptor_driver> driver)
        : world(std::move(driver), false) {}

    std::string open() {
        std::string wrong = parity::enter_network_namespace();
        if (wrong.empty()) {
            wrong = replace_hosts_file(hosts_.path());
        }
        if (wrong.empty()) {
            wrong = dnsmasq_.start(dnsmasq_at(), zone_.path());
        }
        if (auto made = weft::make_host_stack(home(), driver())) {
            kernel_ = std::move(*made);
        }
        return kernel_ ? wrong : "cannot make a host stack";
    }

    std::unique_ptr<weft::stack> asking(const endpoint& server) override {
        weft::host_names names;
        names.servers = std::span(&server, 1);
        names.timeout = server == dnsmasq_at() ? 5s : 1s; // the second try waits twice as long
        names.tries = 2;
        auto made = weft::make_host_stack(home(), driver(), names);
        REQUIRE(error_of(made) == errc::ok);
        return std::move(*made);
    }
    weft::stack& kernel() noexcept override { return *kernel_; }
    endpoint dnsmasq_at() const override { return {address::loopback(), 53}; }
    endpoint server_at() const override { return {address::loopback(family::ipv6), 5353}; }
    std::size_t open_sockets() const override { return parity::open_descriptors(); }

  private:
    temporary_file hosts_{"127.0.0.1 localhost\n10.1.2.3 printer printer.lan\nfd00::3 printer\n"};
    temporary_file zone_{zone()};
    dnsmasq dnsmasq_;
    std::unique_ptr<weft::stack> kernel_;
};

} // namespace

attempt make_host_world(weft::poller kind) {
    auto driver = weft::make_descriptor_driver(kind);
    if (!driver) {
        return {nullptr, std::string("no such poller here: ") + weft::message(driver.error())};
    }
    auto made = std::make_unique<host_world>(std::move(*driver));
    std::string wrong = made->open();
    if (!wrong.empty()) {
        return {nullptr, std::move(wrong)};
    }
    return {std::move(made), ""};
}

} // namespace names_test
