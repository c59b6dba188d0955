// host-epoll, host-poll, host-select: the kernel's sockets on both ends, over loopback.
#include "descriptors.hpp"
#include "network_namespace.hpp"
#include "world.hpp"

#include <weft/host.hpp>

#include <cstring>

namespace parity {
namespace {

class host_world final : public world {
  public:
    host_world(
        const char* name, std::uint64_t seed, std::unique_ptr<weft::descriptor_driver> driver)
        : world(name, seed), driver_(std::move(driver)), loop_(*driver_) {
        if (driver_->kind() == weft::poller::select) {
            facts_.connections = 450; // two descriptors each, below FD_SETSIZE
        }
    }

    std::string open() {
        facts_.isolated = enter_network_namespace().empty();
        result<std::unique_ptr<weft::stack>> made = weft::make_host_stack(loop_, *driver_);
        if (!made) {
            return std::string("cannot make a host stack: ") + weft::message(made.error());
        }
        net_ = std::move(*made);
        facts_.ipv6 = net_->listen(endpoint{address::loopback(family::ipv6), 0}).has_value();
        return "";
    }

    weft::loop& home() noexcept override { return loop_; }
    weft::stack& server_net() noexcept override { return *net_; }
    weft::stack& client_net() noexcept override { return *net_; }
    address server_address(family f) const noexcept override { return address::loopback(f); }
    address client_address(family f) const noexcept override { return address::loopback(f); }
    address nobody(family f) const noexcept override { return address::loopback(f); } // unused

    std::size_t open_sockets() const override { return open_descriptors(); }
    std::shared_ptr<void> ration_sockets(std::size_t more) override {
        return std::make_shared<descriptor_limit>(highest_descriptor() + 1 + more);
    }

  private:
    std::unique_ptr<weft::descriptor_driver> driver_;
    weft::loop loop_;
    std::unique_ptr<weft::stack> net_;
};

} // namespace

attempt make_host_world(const char* name, std::uint64_t seed) {
    const std::optional<weft::poller> kind = weft::poller_named(name + std::strlen("host-"));
    auto driver = weft::make_descriptor_driver(kind.value_or(weft::default_poller()));
    if (!driver) {
        return {nullptr, std::string("no such poller here: ") + weft::message(driver.error())};
    }
    allow_descriptors(4096);
    auto made = std::make_unique<host_world>(name, seed, std::move(*driver));
    std::string wrong = made->open();
    if (!wrong.empty()) {
        return {nullptr, std::move(wrong)};
    }
    return {std::move(made), ""};
}

} // namespace parity
