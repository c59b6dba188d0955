#include "usocket/core/on_lwip.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace usocket {

using weft::errc;
using weft::result;

namespace {
constexpr auto draining_time = std::chrono::seconds(2);
} // namespace

on_lwip::~on_lwip() {
    if (net_) {
        const weft::time_point end = weft::deadline_after(loop_.read_clock(), draining_time);
        while (!net_->drained() && loop_.read_clock() < end) {
            if (!loop_.step(end)) {
                break;
            }
        }
    }
    net_.reset();
}

errc on_lwip::open(own_link cable, std::string_view settings, std::span<char> why) noexcept {
    lwip_settings parsed;
    if (const errc error = parsed.parse(settings, why); error != errc::ok) {
        return error;
    }
    link_ = std::move(cable);
    weft::lwip_options options = parsed.options();
    if (link_) {
        facts_.address = weft::address::any(weft::family::ipv4);
        facts_.prefix = 0;
        if (options.ipv4) {
            facts_.address = options.ipv4->address;
            facts_.prefix = options.ipv4->prefix;
        }
        facts_.gateway = options.gateway.value_or(facts_.gateway);
        facts_.name_server =
            options.name_servers.empty() ? facts_.name_server : options.name_servers.front();
    }
    options.link = link_ ? &*link_ : nullptr;
    options.driver = descriptors_;
    result<std::unique_ptr<weft::stack>> made = weft::make_lwip_stack(loop_, options);
    if (!made) {
        return made.error() == errc::busy
                   ? refuse(why, errc::busy, "lwIP runs already, on another thread's loop")
                   : refuse(why, made.error(), "lwIP: ", weft::message(made.error()));
    }
    net_ = std::move(*made);
    return errc::ok;
}

bool lwip_settings::take(std::string_view each) noexcept {
    constexpr std::string_view dns = "dns:";
    if (each.starts_with(dns)) {
        const result<weft::address> server = weft::address::parse(each.substr(dns.size()));
        if (!server || server_count_ == servers_.size()) {
            return false;
        }
        servers_[server_count_++] = *server;
        return true;
    }
    const result<weft::interface_address> own = weft::interface_address::parse(each);
    const result<weft::address> gateway = weft::address::parse(each);
    if (own && own->address.is_v4() && !ipv4_) {
        ipv4_ = *own;
    } else if (own && !own->address.is_v4() && ipv6_count_ != ipv6_.size()) {
        ipv6_[ipv6_count_++] = *own;
    } else if (gateway && gateway->is_v4() && !gateway_) {
        gateway_ = *gateway;
    } else {
        return false;
    }
    return true;
}

errc lwip_settings::parse(std::string_view text, std::span<char> why) noexcept {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('+'), text.size());
        const std::string_view each = text.substr(0, end);
        if (!take(each)) {
            const bool is_server = each.starts_with("dns:");
            return refuse(
                why, errc::invalid_argument, each,
                is_server
                    ? " is no name server's address, or one too many"
                    : " is no address with a prefix, no gateway and no dns:ADDRESS, or one too "
                      "many");
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return errc::ok;
}

weft::lwip_options lwip_settings::options() const noexcept {
    weft::lwip_options made;
    made.ipv4 = ipv4_;
    made.gateway = gateway_;
    made.ipv6 = std::span(ipv6_).first(ipv6_count_);
    made.name_servers = std::span(servers_).first(server_count_);
    return made;
}

} // namespace usocket
