#include "stack/host/names.hpp"

#include "stack/host/system_address.hpp"

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>
#include <string_view>

#include <netdb.h>
#include <sys/time.h>

namespace weft::host {

namespace {

/// Once a process; it counts, and there is nothing to give back.
bool library_is_ready() noexcept {
    static const bool ready = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
    return ready;
}

errc to_errc(int status) noexcept {
    switch (status) {
    case ARES_SUCCESS:
        return errc::ok;
    case ARES_ENODATA:
        return errc::name_no_address;
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME:
        return errc::name_not_found;
    case ARES_ESERVFAIL:
    case ARES_ENOTIMP:
    case ARES_EREFUSED:
    case ARES_ECONNREFUSED: // no server could be reached, or (before 1.19) the three above
    case ARES_ETIMEOUT:
        return errc::name_try_again;
    case ARES_EBADFAMILY:
        return errc::name_family_not_supported;
    case ARES_EBADFLAGS:
    case ARES_EBADHINTS:
        return errc::name_bad_flags;
    case ARES_ESERVICE:
        return errc::name_service_not_supported;
    case ARES_ENOMEM:
        return errc::name_no_memory;
    case ARES_EDESTRUCTION:
        return errc::network_down;
    default: // FORMERR, an answer that makes no sense
        return errc::name_failed;
    }
}

result<std::unique_ptr<char[]>> copy_of(const char* text) noexcept {
    const std::size_t size = std::strlen(text) + 1;
    std::unique_ptr<char[]> made(new (std::nothrow) char[size]);
    if (!made) {
        return fail(errc::no_memory);
    }
    std::memcpy(made.get(), text, size);
    return made;
}

/// "1.2.3.4:53,[::1]:53", as c-ares reads servers.
template <std::size_t N>
const char* to_csv(std::span<const endpoint> servers, std::array<char, N>& into) noexcept {
    std::size_t size = 0;
    for (const endpoint& each : servers) {
        std::array<char, endpoint_text_size> room{};
        const std::string_view text = to_text(each, room);
        if (size != 0) {
            into[size++] = ',';
        }
        std::memcpy(&into[size], text.data(), text.size());
        size += text.size();
    }
    into[size] = '\0';
    return into.data();
}

} // namespace

names::~names() {
    if (channel_ != nullptr) {
        ares_destroy(channel_); // answers every query, and closes every socket
    }
    watched_.for_each([this](watched& left) { forget_socket(left); });
    loop_->timers().cancel(*this);
}

result<> names::configure(const host_names& options) noexcept {
    if (options.servers.size() > most_servers || options.tries < 0 ||
        options.timeout < duration::zero() ||
        options.timeout > std::chrono::milliseconds(INT_MAX)) {
        return fail(errc::invalid_argument);
    }
    for (const endpoint& each : options.servers) {
        servers_[server_count_++] = {each.address, each.port != 0 ? each.port : std::uint16_t{53}};
    }
    timeout_ = options.timeout;
    tries_ = options.tries;
    if (options.resolv_conf != nullptr) {
        result<std::unique_ptr<char[]>> path = copy_of(options.resolv_conf);
        if (!path) {
            return fail(path.error());
        }
        resolv_conf_ = std::move(*path);
    }
    if (options.hosts_file != nullptr) {
#if defined(ARES_OPT_HOSTS_FILE)
        result<std::unique_ptr<char[]>> path = copy_of(options.hosts_file);
        if (!path) {
            return fail(path.error());
        }
        hosts_file_ = std::move(*path);
#else
        return fail(errc::not_supported);
#endif
    }
    return {};
}

errc names::open() noexcept {
    if (channel_ != nullptr) {
        return errc::ok;
    }
    ares_options options{};
    int mask = ARES_OPT_SOCK_STATE_CB;
    options.sock_state_cb = &socket_wants;
    options.sock_state_cb_data = this;
    if (timeout_ != duration::zero()) {
        mask |= ARES_OPT_TIMEOUTMS;
        options.timeout =
            static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(timeout_).count());
    }
    if (tries_ != 0) {
        mask |= ARES_OPT_TRIES;
        options.tries = tries_;
    }
    if (resolv_conf_) {
        mask |= ARES_OPT_RESOLVCONF;
        options.resolvconf_path = resolv_conf_.get();
    }
#if defined(ARES_OPT_HOSTS_FILE)
    if (hosts_file_) {
        mask |= ARES_OPT_HOSTS_FILE;
        options.hosts_path = hosts_file_.get();
    }
#endif
    int status = library_is_ready() ? ares_init_options(&channel_, &options, mask)
                                    : static_cast<int>(ARES_ENOTINITIALIZED);
    if (status != ARES_SUCCESS) {
        channel_ = nullptr;
        return to_errc(status);
    }
    if (server_count_ != 0) {
        std::array<char, most_servers*(endpoint_text_size + 1)> text;
        status = ares_set_servers_ports_csv(
            channel_, to_csv(std::span(servers_).first(server_count_), text));
    }
    if (status != ARES_SUCCESS) {
        ares_destroy(channel_);
        channel_ = nullptr;
        return to_errc(status);
    }
    ares_set_socket_callback(channel_, &socket_opened, this);
    return errc::ok;
}

void names::start(name_query& query) noexcept {
    std::array<char, 256> text;
    if (const errc opened = open(); opened != errc::ok) {
        query.complete(opened);
        return;
    }
    auto* asked = new (std::nothrow) question{&query};
    if (asked == nullptr) {
        query.complete(errc::name_no_memory);
        return;
    }
    query.slot = asked;
    const std::string_view name = query.name();
    std::memcpy(text.data(), name.data(), name.size());
    text[name.size()] = '\0';
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NOSORT; // which would ask the kernel for a route to each address
    switch (query.wanted()) {
    case families::any:
        hints.ai_family = AF_UNSPEC;
        break;
    case families::ipv4:
        hints.ai_family = AF_INET;
        break;
    case families::ipv6:
        hints.ai_family = AF_INET6;
        break;
    }
    ares_getaddrinfo(channel_, text.data(), nullptr, &hints, &answered, asked);
    schedule();
}

void names::forget(name_query& query) noexcept {
    static_cast<question*>(query.slot)->asker = nullptr;
}

void names::answered(void* arg, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<question> asked(static_cast<question*>(arg));
    if (asked->asker != nullptr) {
        for (const ares_addrinfo_node* each = found != nullptr ? found->nodes : nullptr;
             each != nullptr; each = each->ai_next) {
            system_address at;
            at.size = std::min(each->ai_addrlen, at.size);
            std::memcpy(&at.storage, each->ai_addr, at.size);
            asked->asker->add(from_system(at).address);
        }
        asked->asker->complete(to_errc(status));
    }
    if (found != nullptr) {
        ares_freeaddrinfo(found);
    }
}

names::watched* names::find(int descriptor) noexcept {
    watched* found = nullptr;
    watched_.for_each(
        [&](watched& each) { found = each.descriptor == descriptor ? &each : found; });
    return found;
}

void names::forget_socket(watched& watch) noexcept {
    driver().remove(watch);
    delete &watch;
}

/// A socket that cannot be watched (select, beyond FD_SETSIZE) is as good as a server that cannot
/// be reached: c-ares closes it.
int names::socket_opened(ares_socket_t descriptor, int, void* arg) {
    auto& self = *static_cast<names*>(arg);
    if (watched* const stale = self.find(descriptor)) { // closed, and c-ares had not said so
        self.forget_socket(*stale);
    }
    auto* made = new (std::nothrow) watched(self);
    if (made == nullptr) {
        return -1;
    }
    if (!self.driver().add(*made, descriptor)) {
        delete made;
        return -1;
    }
    self.watched_.push_back(*made);
    return 0;
}

void names::socket_wants(void* arg, ares_socket_t descriptor, int readable, int writable) {
    auto& self = *static_cast<names*>(arg);
    watched* const watch = self.find(descriptor);
    if (watch == nullptr) {
        return;
    }
    if (readable == 0 && writable == 0) { // about to be closed
        self.forget_socket(*watch);
        return;
    }
    const unsigned wanted = (readable != 0 ? descriptor_watch::readable : 0U) |
                            (writable != 0 ? descriptor_watch::writable : 0U);
    const unsigned gained = wanted & ~watch->wanted;
    watch->wanted = wanted;
    if (gained != 0) {
        self.driver().arm(*watch, gained);
    }
}

// c-ares expects to be told again as long as there is something, so every watch is armed again,
// also where the driver has edges: of a TCP answer it reads a part at a time.
void names::told(descriptor_watch& watch, unsigned events) {
    constexpr unsigned readable = descriptor_watch::readable;
    constexpr unsigned writable = descriptor_watch::writable;
    auto& tapped = static_cast<watched&>(watch);
    names& self = *tapped.owner;
    const int descriptor = tapped.descriptor;
    unsigned ready = events;
    if ((events & (descriptor_watch::failed | descriptor_watch::finished)) != 0) {
        ready |= readable | writable;
    }
    ready &= tapped.wanted;
    if (ready == 0) {
        return;
    }
    ares_process_fd(
        self.channel_, (ready & readable) != 0 ? descriptor : ARES_SOCKET_BAD,
        (ready & writable) != 0 ? descriptor : ARES_SOCKET_BAD);
    if (watched* const still = self.find(descriptor)) { // it may have been closed
        self.driver().arm(*still, still->wanted);
    }
    self.schedule();
}

void names::expire(timer& due) noexcept {
    auto& self = static_cast<names&>(due);
    ares_process_fd(self.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    self.schedule();
}

/// A millisecond late: c-ares counts whole ones and would find that it is not time yet.
void names::schedule() noexcept {
    loop_->timers().cancel(*this);
    timeval room{};
    if (const timeval* left = ares_timeout(channel_, nullptr, &room)) {
        const duration time = std::chrono::seconds(left->tv_sec) +
                              std::chrono::microseconds(left->tv_usec) +
                              std::chrono::milliseconds(1);
        loop_->timers().schedule(*this, deadline_after(loop_->read_clock(), time));
    }
}

} // namespace weft::host
