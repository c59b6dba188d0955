// A socket of lwIP until it is connected: binding, listening, accepting, connecting.

#include "stack/lwip/tcp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/random.hpp"
#include "stack/lwip/unreachable.hpp"

#include <new>

namespace weft::lwip {

// For port 0 one by RFC 6056; lwIP's own are the next in order. One that nobody has: SO_REUSEADDR
// is for ports that the program names, and listen() would find out.
errc tcp::bind_to(const address& at, std::uint16_t port) noexcept {
#if WEFT_ONE_STACK
    if (!core::instance().attached()) {
        return errc::network_down;
    }
#endif
    const bool any = at.is_any();
    const ip_addr_t ip = host_->local_ip(at);
    if (!any && !host_->has_address(ip)) {
        return errc::address_not_available;
    }
    const u8_t options = pcb_->so_options;
    const bool ephemeral = port == 0;
    int attempts_left = 0;
    if (ephemeral) {
        ip_reset_option(pcb_, SOF_REUSEADDR);
        attempts_left = 32;
    }
    err_t bound = ERR_OK;
    do {
        if (ephemeral) {
            port = random_source::instance().next_port();
        }
        bound = tcp_bind(pcb_, &ip, port);
    } while (bound == ERR_USE && --attempts_left > 0);
    pcb_->so_options = options;
    if (bound == ERR_OK) {
        leave_fresh(); // lwIP's lists have it
        port_ = port;
        bound_to_any(any);
    }
    return to_errc(bound);
}

result<> tcp::bind(const endpoint& at) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ != state::fresh || port_ != 0 || at.address.family() != family_) {
        return fail(errc::invalid_argument);
    }
    return as_result(bind_to(at.address, at.port));
}

result<> tcp::listen(std::size_t backlog) noexcept {
    return closed() ? fail(errc::bad_handle) : as_result(listen_now(backlog));
}

void tcp::listens(tcp_pcb* listening) noexcept {
    listener_ = reinterpret_cast<tcp_pcb_listen*>(listening);
    state_ = state::listening;
    port_ = listener_->local_port;
    listener_->callback_arg = this;
    listener_->accept = &on_accept;
}

errc tcp::listen_now(std::size_t backlog) noexcept {
    const u8_t limit = limit_of(backlog);
    if (state_ == state::listening) {
        listener_->backlog = limit != 0 ? limit : u8_t{1};
        return errc::ok;
    }
    if (state_ != state::fresh) {
        return errc::already_connected;
    }
    if (port_ == 0) {
        if (const errc bound = bind_ephemeral(); bound != errc::ok) {
            return bound;
        }
    }
    err_t error = ERR_OK;
    tcp_pcb* listening = tcp_listen_with_backlog_and_err(pcb_, limit, &error);
    if (listening != nullptr) {
        listens(listening); // the old pcb is freed
        lower(readiness::readable | readiness::writable | readiness::hangup);
    }
    return to_errc(error);
}

err_t tcp::on_accept(void* arg, tcp_pcb* fresh, err_t error) noexcept {
    if (error != ERR_OK) {
        return ERR_VAL; // lwIP had no pcb for it, so it is null; the peer tries again
    }
    auto* const self = static_cast<tcp*>(arg); // a listener that is closed is gone
    tcp* const connection = make(self->host_, self->family_);
    if (connection == nullptr) {
        return ERR_MEM; // lwIP resets it
    }
    connection->adopt(fresh); // recv is set here, or lwIP's default one throws data away
    connection->state_ = state::connected;
    connection->port_ = self->port_;
    connection->raise(readiness::writable);
    tcp_backlog_delayed(fresh); // it counts against the backlog until try_accept
    connection->listening_ = self;
    tcp** last = &self->first_pending_;
    while (*last != nullptr) {
        last = &(*last)->next_pending_;
    }
    *last = connection;
    self->raise(readiness::readable);
    return ERR_OK;
}

result<tcp_socket*> tcp::try_accept() noexcept {
    tcp_socket* next = nullptr;
    if (const errc failed = take_pending(next); failed != errc::ok) {
        return fail(failed);
    }
    return next;
}

errc tcp::take_pending(tcp_socket*& taken) noexcept {
    if (closed()) {
        return errc::bad_handle;
    }
    if (state_ != state::listening) {
        return errc::invalid_argument;
    }
    tcp* next = first_pending_;
    if (next == nullptr) {
        queue_emptied();
        return errc::would_block;
    }
    first_pending_ = next->next_pending_;
    if (first_pending_ == nullptr) {
        queue_emptied();
    }
    next->next_pending_ = nullptr;
    next->listening_ = nullptr;
    if (next->pcb_ != nullptr) {
        tcp_backlog_accepted(next->pcb_);
    }
    taken = next;
    return errc::ok;
}

result<> tcp::start_connect(const endpoint& to) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ == state::connecting) {
        return fail(errc::already);
    }
    if (state_ != state::fresh) {
        return fail(errc::already_connected);
    }
    if (to.address.family() != family_ || to.port == 0) {
        return fail(errc::invalid_argument);
    }
    address target = to.address;
    if (target.is_any()) {
        target = host_->own_address(family_); // what hosts do
    }
    if (port_ == 0) {
        if (const errc bound = bind_ephemeral(); bound != errc::ok) {
            return fail(bound);
        }
    }
    const ip_addr_t ip = to_lwip(target, &host_->interface());
    if (!host_->has_route(ip)) {
        return fail(errc::network_unreachable);
    }
    hear_of_unreachable();
    state_ = state::connecting;
    // An error here calls nothing back and leaves the pcb ours.
    const err_t started = tcp_connect(pcb_, &ip, to.port, &on_connected);
    if (started != ERR_OK) {
        state_ = state::fresh;
        return fail(to_errc(started));
    }
    lower(readiness::readable | readiness::writable | readiness::hangup);
    return fail(errc::in_progress);
}

result<> tcp::connect_result() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    switch (state_) {
    case state::connected:
    case state::half_closed:
        return {};
    case state::connecting:
        lower(readiness::writable);
        return fail(errc::would_block);
    case state::finished: {
        const errc why = tell_error();
        if (why == errc::ok) {
            return end_seen_ ? result<>(fail(errc::not_connected)) : result<>();
        }
        return fail(why);
    }
    default:
        return fail(errc::not_connected);
    }
}

err_t tcp::on_connected(void* arg, tcp_pcb*, err_t) noexcept {
    auto* self = static_cast<tcp*>(arg);
    if (self != nullptr && self->state_ == state::connecting) {
        self->state_ = state::connected;
        self->raise(readiness::writable);
    }
    return ERR_OK;
}

} // namespace weft::lwip
