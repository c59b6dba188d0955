// wire, lossy-wire: two hosts of the one lwIP on one memory wire, in virtual time.
#include "world.hpp"

#include <weft/lwip.hpp>
#include <weft/wire.hpp>

#include <cstring>

namespace parity {
namespace {

constexpr weft::hardware_address server_mac = {2, 0, 0, 0, 0, 1};
constexpr weft::hardware_address client_mac = {2, 0, 0, 0, 0, 2};

address in_network(family f, std::uint8_t host) {
    if (f == family::ipv4) {
        return address::v4(10, 77, 0, host);
    }
    return address::v6({0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
}

class wire_world final : public world {
  public:
    wire_world(const char* name, std::uint64_t seed)
        : world(name, seed), cable_(weft::wire_options{.seed = seed}), loop_(clock_) {
        const bool lossy = std::strcmp(name, "lossy-wire") == 0;
        facts_.virtual_time = true;
        facts_.lossy = lossy;
        facts_.connections = 200;
        facts_.most_in_flight = 2 * 1024 * 1024;
        facts_.exhausted = errc::no_memory;
        facts_.server_peeks = true;
        facts_.nobody_is_noticed = true;
        facts_.isolated = true;
        facts_.can_cut = true;
        facts_.names_go_unanswered = true;
        weft::impairments path;
        path.delay = 2ms;
        if (lossy) {
            path.loss = 0.05;
            path.reorder = 0.05;
            path.reorder_delay = 7ms;
            path.jitter = 1ms;
        }
        cable_.impair(path);
    }

    std::string open() {
        result<std::unique_ptr<weft::link>> server_end = cable_.attach(server_mac);
        result<std::unique_ptr<weft::link>> client_end = cable_.attach(client_mac);
        if (!server_end || !client_end) {
            return "cannot attach to the wire";
        }
        server_end_ = std::move(*server_end);
        client_end_ = std::move(*client_end);
        server_ = host(*server_end_, 1);
        client_ = host(*client_end_, 2);
        return server_ && client_ ? "" : "cannot make two lwIP stacks";
    }

    weft::loop& home() noexcept override { return loop_; }
    weft::stack& server_net() noexcept override { return *server_; }
    weft::stack& client_net() noexcept override { return *client_; }
    address server_address(family f) const noexcept override { return in_network(f, 1); }
    address client_address(family f) const noexcept override { return in_network(f, 2); }
    address nobody(family f) const noexcept override { return in_network(f, 99); }

    std::size_t open_sockets() const override {
        const weft::lwip_usage used = weft::count_lwip_usage();
        return used.tcp_active + used.tcp_bound + used.tcp_listening + used.udp;
    }
    /// The pools are as large as they are, and 4,096 are soon taken.
    std::shared_ptr<void> ration_sockets(std::size_t) override { return nullptr; }

    void cut(bool interrupted) override {
        const auto done = interrupted ? cable_.partition(server_mac, client_mac)
                                      : cable_.heal(server_mac, client_mac);
        (void)done;
    }

  private:
    std::unique_ptr<weft::stack> host(weft::link& end, std::uint8_t number) {
        const weft::interface_address ipv6{in_network(family::ipv6, number), 64};
        weft::lwip_options options;
        options.link = &end;
        options.ipv4 = weft::interface_address{in_network(family::ipv4, number), 24};
        options.ipv6 = std::span(&ipv6, 1);
        const address name_server = nobody(family::ipv4);
        options.name_servers = std::span(&name_server, 1);
        options.seed = seed();
        result<std::unique_ptr<weft::stack>> made = weft::make_lwip_stack(loop_, options);
        return made ? std::move(*made) : nullptr;
    }

    weft::wire cable_;
    weft::virtual_driver clock_;
    weft::loop loop_;
    std::unique_ptr<weft::link> server_end_;
    std::unique_ptr<weft::link> client_end_;
    std::unique_ptr<weft::stack> server_;
    std::unique_ptr<weft::stack> client_;
};

} // namespace

attempt make_wire_world(const char* name, std::uint64_t seed) {
    auto made = std::make_unique<wire_world>(name, seed);
    std::string wrong = made->open();
    if (!wrong.empty()) {
        return {nullptr, std::move(wrong)};
    }
    return {std::move(made), ""};
}

} // namespace parity
