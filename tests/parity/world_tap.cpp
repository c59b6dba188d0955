// tap, tap-reversed: lwIP on one end of a TAP interface, the kernel on the other, in a network
// namespace that this process makes; both stacks on one loop. "tap" serves from lwIP,
// "tap-reversed" from the kernel.
#include "descriptors.hpp"
#include "network_namespace.hpp"
#include "world.hpp"

#include <weft/host.hpp>
#include <weft/lwip.hpp>
#include <weft/tap.hpp>

#include <cstring>

namespace parity {
namespace {

constexpr char interface_name[] = "parity0";

address in_network(family f, std::uint8_t host) {
    if (f == family::ipv4) {
        return address::v4(10, 78, 0, host);
    }
    return address::v6({0xfd, 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
}

class tap_world final : public world {
  public:
    tap_world(const char* name, std::uint64_t seed, std::unique_ptr<weft::descriptor_driver> driver)
        : world(name, seed), serves_from_lwip_(std::strcmp(name, "tap") == 0),
          driver_(std::move(driver)), loop_(*driver_) {
        facts_.connections = 200;
        facts_.isolated = true;
        facts_.exhausted = serves_from_lwip_ ? errc::no_memory : errc::too_many_open;
        facts_.server_peeks = serves_from_lwip_;
        facts_.nobody_is_noticed = serves_from_lwip_; // by the kernel, in 3 s
    }

    std::string open() {
        std::string wrong = enter_network_namespace();
        if (!wrong.empty()) {
            return wrong;
        }
        result<std::unique_ptr<weft::tap_link>> tap = weft::make_tap_link({.name = interface_name});
        if (!tap) {
            return std::string("no TAP interface: ") + weft::message(tap.error());
        }
        tap_ = std::move(*tap);
        wrong = set_up_interface(
            interface_name, in_network(family::ipv4, kernel), 24, in_network(family::ipv6, kernel),
            64);
        if (!wrong.empty()) {
            return std::string(interface_name) + ": " + wrong;
        }
        const weft::interface_address ipv6{in_network(family::ipv6, lwip), 64};
        weft::lwip_options options;
        options.link = tap_.get();
        options.driver = driver_.get();
        options.ipv4 = weft::interface_address{in_network(family::ipv4, lwip), 24};
        options.ipv6 = std::span(&ipv6, 1);
        result<std::unique_ptr<weft::stack>> ours = weft::make_lwip_stack(loop_, options);
        result<std::unique_ptr<weft::stack>> kernels = weft::make_host_stack(loop_, *driver_);
        if (!ours || !kernels) {
            return "cannot make the two stacks";
        }
        lwip_ = std::move(*ours);
        kernel_ = std::move(*kernels);
        return "";
    }

    weft::loop& home() noexcept override { return loop_; }
    weft::stack& server_net() noexcept override { return serves_from_lwip_ ? *lwip_ : *kernel_; }
    weft::stack& client_net() noexcept override { return serves_from_lwip_ ? *kernel_ : *lwip_; }
    address server_address(family f) const noexcept override {
        return in_network(f, serves_from_lwip_ ? lwip : kernel);
    }
    address client_address(family f) const noexcept override {
        return in_network(f, serves_from_lwip_ ? kernel : lwip);
    }
    address nobody(family f) const noexcept override { return in_network(f, 99); }

    std::size_t open_sockets() const override {
        const weft::lwip_usage used = weft::count_lwip_usage();
        return open_descriptors() + used.tcp_active + used.tcp_bound + used.tcp_listening +
               used.udp;
    }
    std::shared_ptr<void> ration_sockets(std::size_t more) override {
        if (serves_from_lwip_) {
            return nullptr; // its pools are as large as they are
        }
        return std::make_shared<descriptor_limit>(highest_descriptor() + 1 + more);
    }

  private:
    static constexpr std::uint8_t lwip = 1;
    static constexpr std::uint8_t kernel = 2;

    bool serves_from_lwip_;
    std::unique_ptr<weft::descriptor_driver> driver_;
    weft::loop loop_;
    std::unique_ptr<weft::tap_link> tap_;
    std::unique_ptr<weft::stack> lwip_;
    std::unique_ptr<weft::stack> kernel_;
};

} // namespace

attempt make_tap_world(const char* name, std::uint64_t seed) {
    auto driver = weft::make_descriptor_driver();
    if (!driver) {
        return {nullptr, std::string("no poller: ") + weft::message(driver.error())};
    }
    auto made = std::make_unique<tap_world>(name, seed, std::move(*driver));
    std::string wrong = made->open();
    if (!wrong.empty()) {
        return {nullptr, std::move(wrong)};
    }
    return {std::move(made), ""};
}

} // namespace parity
