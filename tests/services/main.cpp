// services_test [doctest's options]. Exit status 77, Meson's SKIP, where this machine cannot have
// it; a failure if CI=true.
#include <doctest/doctest.h>

#include "../parity/network_namespace.hpp"
#include "world.hpp"

#include <weft/lwip.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace services_test {

namespace {
std::unique_ptr<world> the_world;
} // namespace

world& here() {
    return *the_world;
}

std::string world::open() {
    std::string wrong = parity::enter_network_namespace();
    if (!wrong.empty()) {
        return wrong;
    }
    auto driver = weft::make_descriptor_driver();
    if (!driver) {
        return std::string("no poller: ") + weft::message(driver.error());
    }
    driver_ = std::move(*driver);
    loop_ = std::make_unique<weft::loop>(*driver_);
    auto tap = weft::make_tap_link({.name = interface_name});
    if (!tap) {
        return std::string("no TAP interface: ") + weft::message(tap.error());
    }
    tap_ = std::move(*tap);
    wrong = parity::set_up_interface(interface_name, kernels_ipv4, 24, kernels_ipv6, 64);
    if (wrong.empty()) {
        wrong = dnsmasq_.start(
            {kernels_ipv4, 53}, hosts_.path(),
            {std::string("--interface=") + interface_name, "--domain=test",
             "--dhcp-range=10.79.0.50,10.79.0.99,255.255.255.0,1h", "--no-ping",
             "--dhcp-authoritative", "--leasefile-ro", "--enable-ra",
             "--dhcp-range=fd79::,ra-only,64,1h"});
    }
    if (auto made = weft::make_host_stack(*loop_, *driver_)) {
        kernel_ = std::move(*made);
    }
    return kernel_ ? wrong : "cannot make a host stack";
}

std::unique_ptr<weft::stack> world::device() {
    weft::lwip_options options;
    options.link = tap_.get();
    options.driver = driver_.get();
    auto made = weft::make_lwip_stack(*loop_, options);
    REQUIRE(made);
    return std::move(*made);
}

namespace {

int unavailable(const std::string& why) {
    const char* ci = std::getenv("CI");
    const bool must_run = ci != nullptr && std::string_view(ci) == "true";
    std::fprintf(
        stderr, "services_test: %s: %s\n", must_run ? "FAILED (CI=true)" : "SKIP", why.c_str());
    return must_run ? 1 : 77;
}

} // namespace

} // namespace services_test

int main(int argc, char** argv) {
    services_test::the_world = std::make_unique<services_test::world>();
    if (const std::string why = services_test::the_world->open(); !why.empty()) {
        services_test::the_world.reset();
        return services_test::unavailable(why);
    }
    doctest::Context context(argc, argv);
    const int failed = context.run();
    services_test::the_world.reset();
    return failed;
}
