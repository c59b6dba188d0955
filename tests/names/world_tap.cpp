// tap: lwIP's DNS client on one end of a TAP interface, dnsmasq and the name_server on the
// kernel's.
#include "../parity/descriptors.hpp"
#include "../parity/network_namespace.hpp"
#include "dnsmasq.hpp"
#include "files.hpp"
#include "world.hpp"

#include <weft/host.hpp>
#include <weft/lwip.hpp>
#include <weft/tap.hpp>

namespace names_test {
namespace {

constexpr char interface_name[] = "names0";
constexpr std::uint8_t lwips_number = 1;
constexpr std::uint8_t kernels_number = 2;

address in_network(family f, std::uint8_t host) {
    if (f == family::ipv4) {
        return address::v4(10, 78, 0, host);
    }
    return address::v6({0xfd, 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
}

class tap_world final : public world {
  public:
    explicit tap_world(std::unique_ptr<weft::descriptor_driver> driver)
        : world(std::move(driver), true) {}

    std::string open() {
        std::string wrong = parity::enter_network_namespace();
        if (!wrong.empty()) {
            return wrong;
        }
        auto tap = weft::make_tap_link({.name = interface_name});
        if (!tap) {
            return std::string("no TAP interface: ") + weft::message(tap.error());
        }
        tap_ = std::move(*tap);
        wrong = parity::set_up_interface(
            interface_name, in_network(family::ipv4, kernels_number), 24,
            in_network(family::ipv6, kernels_number), 64);
        if (wrong.empty()) {
            wrong = dnsmasq_.start(dnsmasq_at(), zone_.path());
        }
        if (auto made = weft::make_host_stack(home(), driver())) {
            kernel_ = std::move(*made);
        }
        return kernel_ ? wrong : "cannot make a host stack";
    }

    std::unique_ptr<weft::stack> asking(const endpoint& server) override {
        const weft::interface_address ipv6{in_network(family::ipv6, lwips_number), 64};
        weft::lwip_options options;
        options.link = tap_.get();
        options.driver = &driver();
        options.ipv4 = weft::interface_address{in_network(family::ipv4, lwips_number), 24};
        options.ipv6 = std::span(&ipv6, 1);
        options.name_servers = std::span(&server.address, 1);
        auto made = weft::make_lwip_stack(home(), options);
        REQUIRE(error_of(made) == errc::ok);
        return std::move(*made);
    }
    weft::stack& kernel() noexcept override { return *kernel_; }
    endpoint dnsmasq_at() const override { return {in_network(family::ipv4, kernels_number), 53}; }
    endpoint server_at() const override { return {in_network(family::ipv6, kernels_number), 53}; }
    std::size_t open_sockets() const override {
        return parity::open_descriptors() + weft::count_lwip_usage().udp;
    }

  private:
    std::unique_ptr<weft::tap_link> tap_;
    temporary_file zone_{zone()};
    dnsmasq dnsmasq_;
    std::unique_ptr<weft::stack> kernel_;
};

} // namespace

attempt make_tap_world() {
    auto driver = weft::make_descriptor_driver();
    if (!driver) {
        return {nullptr, std::string("no poller: ") + weft::message(driver.error())};
    }
    auto made = std::make_unique<tap_world>(std::move(*driver));
    std::string wrong = made->open();
    if (!wrong.empty()) {
        return {nullptr, std::move(wrong)};
    }
    return {std::move(made), ""};
}

} // namespace names_test
