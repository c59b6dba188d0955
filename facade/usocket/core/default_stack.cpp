// The one place of the façade that knows stacks by name: what a thread gets that chose none, and
// what the words of WEFT_STACK mean (usocket/stack.hpp).

#include "usocket/core/thread.hpp"

#include <weft/descriptor_driver.hpp>
#if defined(WEFT_FACADE_HOST)
#include <weft/host.hpp>
#endif
#if defined(WEFT_FACADE_LWIP)
#include <weft/lwip.hpp>
#include <weft/tap.hpp>
#include <weft/unix_link.hpp>
#endif

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace usocket {

using weft::errc;
using weft::fail;
using weft::result;

namespace {

/// One line of text into `why`.
errc refuse(
    std::span<char> why, errc error, std::string_view a, std::string_view b,
    std::string_view c = {}) noexcept {
    std::size_t at = 0;
    for (const std::string_view part : {std::string_view("WEFT_STACK: "), a, b, c}) {
        at += part.copy(why.data() + at, why.size() - 1 - at);
    }
    why[at] = '\0';
    return error;
}

#if defined(WEFT_FACADE_HOST)
class on_host final : public default_stack {
  public:
    explicit on_host(std::unique_ptr<weft::host_context> made) noexcept
        : context_(std::move(made)) {}
    [[nodiscard]] weft::stack& net() noexcept override { return *context_->net; }

  private:
    std::unique_ptr<weft::host_context> context_;
};

result<std::unique_ptr<default_stack>> make_on_host(std::span<char> why) noexcept {
    result<std::unique_ptr<weft::host_context>> context = weft::make_host_context();
    if (!context) {
        return fail(refuse(
            why, context.error(),
            "the host's sockets cannot be had: ", weft::message(context.error())));
    }
    auto* const made = new (std::nothrow) on_host(std::move(*context));
    if (made == nullptr) {
        return fail(errc::no_memory);
    }
    return std::unique_ptr<default_stack>(made);
}
#endif

#if defined(WEFT_FACADE_LWIP)
constexpr auto draining_time = std::chrono::seconds(2);

class on_lwip final : public default_stack {
  public:
    explicit on_lwip(std::unique_ptr<weft::descriptor_driver> driver) noexcept
        : driver_(std::move(driver)), loop_(*driver_) {}
    ~on_lwip() override {
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

    errc open(std::string_view settings, std::span<char> why) noexcept;
    [[nodiscard]] weft::stack& net() noexcept override { return *net_; }

  private:
    errc open_link(std::string_view name, std::span<char> why) noexcept;

    std::unique_ptr<weft::descriptor_driver> driver_;
    weft::loop loop_;
    std::unique_ptr<weft::link> link_;
    std::unique_ptr<weft::stack> net_;
};

errc on_lwip::open_link(std::string_view name, std::span<char> why) noexcept {
    constexpr std::string_view unix_sockets = "unix:";
    if (name.starts_with(unix_sockets)) {
        const std::string_view paths = name.substr(unix_sockets.size());
        const std::size_t colon = paths.find(':');
        if (colon == std::string_view::npos) {
            return refuse(why, errc::invalid_argument, "no two paths in ", name);
        }
        result<std::unique_ptr<weft::unix_link>> made =
            weft::make_unix_link({.path = paths.substr(0, colon), .peer = paths.substr(colon + 1)});
        if (!made) {
            return refuse(why, made.error(), name, ": ", weft::message(made.error()));
        }
        link_ = std::move(*made);
        return errc::ok;
    }
    result<std::unique_ptr<weft::tap_link>> made = weft::make_tap_link({.name = name});
    if (!made) {
        return refuse(why, made.error(), name, ": ", weft::message(made.error()));
    }
    link_ = std::move(*made);
    return errc::ok;
}

errc on_lwip::open(std::string_view settings, std::span<char> why) noexcept {
    weft::lwip_options options;
    std::array<weft::interface_address, 3> ipv6;
    std::size_t ipv6_count = 0;
    std::array<weft::address, 4> servers;
    std::size_t server_count = 0;
    if (!settings.empty()) {
        const std::size_t end = std::min(settings.find('+'), settings.size());
        if (const errc error = open_link(settings.substr(0, end), why); error != errc::ok) {
            return error;
        }
        settings.remove_prefix(end);
        while (!settings.empty()) {
            settings.remove_prefix(1); // the plus sign
            const std::string_view each = settings.substr(0, settings.find('+'));
            settings.remove_prefix(each.size());
            constexpr std::string_view dns = "dns:";
            if (each.starts_with(dns)) {
                const result<weft::address> server = weft::address::parse(each.substr(dns.size()));
                if (!server || server_count == servers.size()) {
                    return refuse(
                        why, errc::invalid_argument, each,
                        " is no name server's address, or one too many");
                }
                servers[server_count++] = *server;
                continue;
            }
            const result<weft::interface_address> own = weft::interface_address::parse(each);
            const result<weft::address> gateway = weft::address::parse(each);
            if (own && own->address.is_v4() && !options.ipv4) {
                options.ipv4 = *own;
            } else if (own && !own->address.is_v4() && ipv6_count != ipv6.size()) {
                ipv6[ipv6_count++] = *own;
            } else if (gateway && gateway->is_v4() && !options.gateway) {
                options.gateway = *gateway;
            } else {
                return refuse(
                    why, errc::invalid_argument, each,
                    " is no address with a prefix, no gateway and no dns:ADDRESS, or one too many");
            }
        }
    }
    if (link_) {
        facts_.address = weft::address::any(weft::family::ipv4);
        facts_.prefix = 0;
        if (options.ipv4) {
            facts_.address = options.ipv4->address;
            facts_.prefix = options.ipv4->prefix;
        }
        facts_.gateway = options.gateway.value_or(facts_.gateway);
        facts_.name_server = server_count != 0 ? servers[0] : facts_.name_server;
    }
    options.link = link_.get();
    options.driver = driver_.get();
    options.ipv6 = std::span(ipv6).first(ipv6_count);
    options.name_servers = std::span(servers).first(server_count);
    result<std::unique_ptr<weft::stack>> made = weft::make_lwip_stack(loop_, options);
    if (!made) {
        return made.error() == errc::busy
                   ? refuse(why, errc::busy, "lwIP runs already, on another thread's loop", "")
                   : refuse(why, made.error(), "lwIP: ", weft::message(made.error()));
    }
    net_ = std::move(*made);
    return errc::ok;
}

result<std::unique_ptr<default_stack>>
make_on_lwip(std::string_view settings, std::span<char> why) noexcept {
    result<std::unique_ptr<weft::descriptor_driver>> driver = weft::make_descriptor_driver();
    if (!driver) {
        return fail(refuse(why, driver.error(), "no driver: ", weft::message(driver.error())));
    }
    std::unique_ptr<on_lwip> made(new (std::nothrow) on_lwip(std::move(*driver)));
    if (!made) {
        return fail(errc::no_memory);
    }
    if (const errc error = made->open(settings, why); error != errc::ok) {
        return fail(error);
    }
    return std::unique_ptr<default_stack>(std::move(made));
}
#endif

} // namespace

result<std::unique_ptr<default_stack>>
make_named_stack([[maybe_unused]] std::string_view name, std::span<char> why) noexcept {
#if defined(WEFT_FACADE_HOST)
    if (name.empty() || name == "host") {
        return make_on_host(why);
    }
#endif
#if defined(WEFT_FACADE_LWIP)
    constexpr std::string_view lwip = "lwip";
    if (name == lwip) {
        return make_on_lwip({}, why);
    }
    if (name.starts_with("lwip:")) {
        return make_on_lwip(name.substr(lwip.size() + 1), why);
    }
#endif
    return fail(refuse(why, errc::invalid_argument, "this build has no stack named '", name, "'"));
}

result<std::unique_ptr<default_stack>> make_default_stack(std::span<char> why) noexcept {
    const char* const set = std::getenv("WEFT_STACK");
    return make_named_stack(set != nullptr ? set : "", why);
}

} // namespace usocket
