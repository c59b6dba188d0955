// The one place of the façade that knows stacks by name: what a thread gets that chose none, and
// what the words of WEFT_STACK mean (usocket/stack.hpp).

#include "usocket/core/on_lwip.hpp"
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
result<std::unique_ptr<weft::link>>
make_named_link(std::string_view name, std::span<char> why) noexcept {
    constexpr std::string_view unix_sockets = "unix:";
    if (name.starts_with(unix_sockets)) {
        const std::string_view paths = name.substr(unix_sockets.size());
        const std::size_t colon = paths.find(':');
        if (colon == std::string_view::npos) {
            return fail(refuse(why, errc::invalid_argument, "no two paths in ", name));
        }
        result<std::unique_ptr<weft::unix_link>> made =
            weft::make_unix_link({.path = paths.substr(0, colon), .peer = paths.substr(colon + 1)});
        if (!made) {
            return fail(refuse(why, made.error(), name, ": ", weft::message(made.error())));
        }
        return std::unique_ptr<weft::link>(std::move(*made));
    }
    result<std::unique_ptr<weft::tap_link>> made = weft::make_tap_link({.name = name});
    if (!made) {
        return fail(refuse(why, made.error(), name, ": ", weft::message(made.error())));
    }
    return std::unique_ptr<weft::link>(std::move(*made));
}

result<std::unique_ptr<default_stack>> make_on_lwip(
    std::unique_ptr<weft::link> cable, std::string_view settings, std::span<char> why) noexcept {
    result<std::unique_ptr<weft::descriptor_driver>> driver = weft::make_descriptor_driver();
    if (!driver) {
        return fail(refuse(why, driver.error(), "no driver: ", weft::message(driver.error())));
    }
    weft::descriptor_driver* const descriptors = driver->get();
    std::unique_ptr<on_lwip> made(
        new (std::nothrow) on_lwip(std::unique_ptr<weft::driver>(std::move(*driver)), descriptors));
    if (!made) {
        return fail(errc::no_memory);
    }
    if (const errc error = made->open(std::move(cable), settings, why); error != errc::ok) {
        return fail(error);
    }
    return std::unique_ptr<default_stack>(std::move(made));
}

/// "tap0+10.0.0.2/24": the link, then what lwip_settings has.
result<std::unique_ptr<default_stack>>
make_on_lwip(std::string_view settings, std::span<char> why) noexcept {
    const std::size_t end = std::min(settings.find('+'), settings.size());
    result<std::unique_ptr<weft::link>> cable = make_named_link(settings.substr(0, end), why);
    if (!cable) {
        return fail(cable.error());
    }
    return make_on_lwip(
        std::move(*cable), settings.substr(std::min(end + 1, settings.size())), why);
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
        return make_on_lwip(nullptr, {}, why);
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
