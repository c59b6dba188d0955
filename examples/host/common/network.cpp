#include "network.hpp"

#include <weft/fmt.hpp>
#include <weft/host.hpp>
#include <weft/pcap.hpp>
#include <weft/tap.hpp>
#include <weft/unix_link.hpp>

#include <fmt/format.h>

#include <string_view>

namespace example {
namespace {

template <class... A>
[[noreturn]] void refuse(fmt::format_string<A...> text, A&&... arguments) {
    throw bad_choice(fmt::format(text, std::forward<A>(arguments)...));
}

/// What can be done about a link that could not be made.
std::string_view link_advice(weft::errc error) noexcept {
    switch (error) {
    case weft::errc::permission_denied:
    case weft::errc::not_permitted:
        return "run as root, or make the device for yourself: ip tuntap add NAME mode tap user YOU";
    case weft::errc::no_such_device:
        return "there is no /dev/net/tun here: use --link unix:MINE,PEER or --link wire";
    case weft::errc::busy:
        return "another program has it: stop that one, or make another device";
    case weft::errc::address_in_use:
        return "another program has it, or it was left behind: stop that one, or remove the file";
    case weft::errc::no_such_entry:
        return "the directory is not there: make it, or choose another path";
    default:
        return "see --help for what a link can be";
    }
}

std::string path_part(std::string_view text, std::size_t from, std::size_t to) {
    return std::string(text.substr(from, to - from));
}

} // namespace

network::network(const network_choice& choice, bool two_hosts_possible) {
    if (choice.stack != "host" && choice.stack != "lwip") {
        refuse("--stack {}: there is no such stack; choose host or lwip", choice.stack);
    }
    const auto poller =
        choice.poller.empty() ? weft::default_poller() : weft::poller_named(choice.poller);
    if (!poller) {
        refuse("--poller {}: there is no such poller; choose epoll, poll or select", choice.poller);
    }
    auto driver = weft::make_descriptor_driver(*poller);
    if (!driver) {
        refuse("--poller {}: {}; choose another", name(*poller), driver.error());
    }
    driver_ = std::move(*driver);
    loop_ = std::make_unique<weft::loop>(*driver_);

    if (choice.stack == "host") {
        if (!choice.link.empty() || !choice.address.empty() || !choice.pcap.empty()) {
            refuse(
                "--link, --address and --pcap are for lwip: add --stack lwip, or leave them out");
        }
        auto made = weft::make_host_stack(*loop_, *driver_);
        if (!made) {
            refuse("--stack host: {}", made.error());
        }
        stack_ = std::move(*made);
        return;
    }
    if (choice.link == "wire") {
        if (!two_hosts_possible) {
            refuse("--link wire: this program has no second host on it; use tap: or unix:");
        }
        join_wire(choice);
        return;
    }
    make_link(choice);
    capture(choice.pcap);
    stack_ = make_lwip(choice, *link_, choice.address.empty() ? "10.0.0.2/24" : choice.address);
}

void network::make_link(const network_choice& choice) {
    const std::string_view text = choice.link;
    weft::result<> made = weft::fail(weft::errc::invalid_argument);
    const auto keep = [&](auto link) {
        made = link ? weft::result<>() : weft::fail(link.error());
        if (link) {
            link_ = std::move(*link);
        }
    };
    if (choice.mtu < 68) { // RFC 791
        refuse("--mtu {}: IPv4 needs at least 68 bytes, and 1500 is usual", choice.mtu);
    }
    if (text.starts_with("tap:") && text.size() > 4) {
        keep(weft::make_tap_link({.name = text.substr(4), .mtu = choice.mtu}));
    } else if (const auto comma = text.find(','); text.starts_with("unix:") && comma != text.npos &&
                                                  comma > 5 && comma + 1 < text.size()) {
        const std::string mine = path_part(text, 5, comma);
        const std::string peer = path_part(text, comma + 1, text.size());
        keep(weft::make_unix_link({.path = mine, .peer = peer, .mtu = choice.mtu}));
    } else if (text.empty()) {
        refuse("--stack lwip needs a link: --link tap:NAME, --link unix:MINE,PEER or --link wire");
    } else {
        refuse("--link {}: write tap:NAME, unix:MINE,PEER or wire", text);
    }
    if (!made) {
        refuse(
            "--link {}: {} ({:n}); {}", text, made.error(), made.error(),
            link_advice(made.error()));
    }
}

void network::capture(const std::string& path) {
    if (path.empty()) {
        return;
    }
    auto captured = weft::make_pcap_link(
        std::move(link_), {.path = path.c_str(), .clock = weft::pcap_clock::wall});
    if (!captured) {
        refuse(
            "--pcap {}: {} ({:n}); choose a file that can be written", path, captured.error(),
            captured.error());
    }
    link_ = std::move(*captured);
}

void network::join_wire(const network_choice& choice) {
    if (!choice.address.empty() || !choice.gateway.empty()) {
        refuse("--address and --gateway: the hosts of --link wire have theirs; leave them out");
    }
    wire_ = std::make_unique<weft::wire>(weft::wire_options{.mtu = choice.mtu});
    auto mine = wire_->attach({2, 0, 0, 0, 0, 2});
    auto theirs = wire_->attach({2, 0, 0, 0, 0, 1});
    if (!mine || !theirs) {
        refuse("--link wire: {} with --mtu {}; 1500 is usual", mine.error(), choice.mtu);
    }
    link_ = std::move(*mine);
    capture(choice.pcap);
    other_link_ = std::move(*theirs);
    stack_ = make_lwip(choice, *link_, "10.0.0.2/24");
    other_ = make_lwip(choice, *other_link_, "10.0.0.1/24");
}

std::unique_ptr<weft::stack>
network::make_lwip(const network_choice& choice, weft::link& on, const std::string& address) {
    const auto ours = weft::interface_address::parse(address);
    if (!ours) {
        refuse("--address {}: write ADDR/PREFIX, as in 10.0.0.2/24 or fd00::2/64", address);
    }
    weft::lwip_options options;
    options.link = &on;
    options.driver = driver_.get();
    if (ours->address.is_v4()) {
        options.ipv4 = *ours;
    } else {
        options.ipv6 = {&*ours, 1};
    }
    if (!choice.gateway.empty()) {
        const auto gateway = weft::address::parse(choice.gateway);
        if (!gateway) {
            refuse("--gateway {}: write an address, as in 10.0.0.1", choice.gateway);
        }
        options.gateway = *gateway;
    }
    auto made = weft::make_lwip_stack(*loop_, options);
    if (!made) {
        refuse("--stack lwip: {} ({:n})", made.error(), made.error());
    }
    return std::move(*made);
}

} // namespace example
