#include "stack/lwip/tcp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/retransmission.hpp"

#include <new>
#include <utility>

namespace weft::lwip {

#if WEFT_ONE_STACK
// What a connection takes of the arena beside its coroutine: two nodes that wait, and 40 bytes.
static_assert(sizeof(void*) != 4 || sizeof(tcp) == 72);

tcp::tcp(family f) noexcept {
    family_ = f;
}

[[gnu::noinline]] tcp* tcp::make(host*, family f) noexcept {
    return new (std::nothrow) tcp(f);
}

void tcp::host_is(host& h) noexcept {
    home_is(h.loop());
    host_ = &h;
}
#else
tcp::tcp(host& on, family f) noexcept : tcp_socket(on.loop()), host_(&on), family_(f) {}

tcp* tcp::make(host* on, family f) noexcept {
    return new (std::nothrow) tcp(*on, f);
}
#endif

result<tcp_socket*> tcp::open(host& on, family f) noexcept {
#if !LWIP_IPV6
    if (f == family::ipv6) {
        return fail(errc::family_not_supported);
    }
#endif
    tcp_pcb* pcb = tcp_new_ip_type(type_of(f));
    if (pcb == nullptr) {
        return fail(errc::no_memory);
    }
    tcp* const made = make(&on, f);
    if (made == nullptr) {
        tcp_abort(pcb);
        return fail(errc::no_memory);
    }
    tcp_bind_netif(pcb, &on.interface());
    made->adopt(pcb);
    made->enter_fresh();
    made->raise(readiness::readable | readiness::writable | readiness::hangup);
    return made;
}

void tcp::adopt(tcp_pcb* pcb) noexcept {
    pcb_ = pcb;
    hear(*pcb, this, &on_received, &on_error, &on_poll);
}

// From here on lwIP calls nothing of this socket.
WEFT_SMALL tcp_pcb* tcp::forget_pcb() noexcept {
    tcp_pcb* pcb = pcb_;
    pcb_ = nullptr;
    if (pcb != nullptr) {
        hear( // it may have much to deliver yet
            *pcb, nullptr, &on_received_after_close, nullptr, &on_poll_after_close);
#if !WEFT_ONE_STACK
        tcp_sent(pcb, nullptr);
#endif
    }
    return pcb;
}

result<endpoint> tcp::local() const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    endpoint at{address::any(family_), port_};
    if (state_ == state::listening) {
        at.address = wildcard_ ? at.address : from_lwip(listener_->local_ip);
    } else if (pcb_ != nullptr && (!wildcard_ || has_peer())) {
        at.address = from_lwip(pcb_->local_ip);
    }
    return at;
}

result<endpoint> tcp::remote() const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (!has_peer()) {
        return fail(errc::not_connected);
    }
    return endpoint{from_lwip(pcb_->remote_ip), pcb_->remote_port};
}

bool tcp::can_send() const noexcept {
    return state_ == state::connected && tcp_sndbuf(pcb_) != 0 &&
           any(ready() & readiness::writable);
}

readiness tcp::confirmed() noexcept {
#if WEFT_ONE_STACK
    if (state_ == state::listening && first_pending_ == nullptr) {
        lower(readiness::readable);
    }
#endif
    if (closed() || state_ == state::listening || state_ == state::connecting) {
        return ready();
    }
    if (state_ == state::fresh) {
        return readiness::writable | readiness::hangup;
    }
    if (state_ == state::connected && any(ready() & readiness::writable) && tcp_sndbuf(pcb_) == 0) {
        (void)no_room(); // no try has met that yet: it is told when there is some
    }
    readiness found = readiness::none;
    if (first_ != nullptr || end_seen_) {
        found |= readiness::readable;
    }
    if (state_ != state::connected || can_send()) { // else a try tells that nothing can be sent
        found |= readiness::writable;
    }
    if (state_ == state::finished) {
        found |= readiness::hangup;
        found |= pending_error_ != 0 ? readiness::error : readiness::none;
    }
    return found;
}

errc tcp::take_error() noexcept {
    return closed() ? errc::bad_handle : tell_error();
}

// --- options

namespace {

void put_option(tcp_pcb* pcb, u8_t bit, bool on) noexcept {
    if (on) {
        ip_set_option(pcb, bit);
    } else {
        ip_reset_option(pcb, bit);
    }
}

} // namespace

result<> tcp::set_option(socket_option option, int value) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    const bool on = value != 0;
    switch (option) {
    case socket_option::reuse_address:
    case socket_option::keep_alive:
        if (pcb_ != nullptr) {
            put_option(
                pcb_, option == socket_option::keep_alive ? SOF_KEEPALIVE : SOF_REUSEADDR, on);
        }
        return {};
    case socket_option::no_delay:
        if (pcb_ != nullptr && state_ != state::listening) {
            if (on) {
                tcp_nagle_disable(pcb_);
            } else {
                tcp_nagle_enable(pcb_);
            }
        }
        return {};
    default: // lwIP's buffers are the profile's, the same for every socket
        return fail(errc::not_supported);
    }
}

result<> tcp::set_reuse_address(bool on) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (pcb_ != nullptr) {
        put_option(pcb_, SOF_REUSEADDR, on);
    }
    return {};
}

result<int> tcp::get_option(socket_option option) const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    switch (option) {
    case socket_option::reuse_address:
        return pcb_ != nullptr && ip_get_option(pcb_, SOF_REUSEADDR) != 0 ? 1 : 0;
    case socket_option::keep_alive:
        return pcb_ != nullptr && ip_get_option(pcb_, SOF_KEEPALIVE) != 0 ? 1 : 0;
    case socket_option::no_delay:
        return pcb_ != nullptr && state_ != state::listening && tcp_nagle_disabled(pcb_) ? 1 : 0;
    case socket_option::send_buffer:
        return TCP_SND_BUF;
    case socket_option::receive_buffer:
        return TCP_WND;
    default:
        return fail(errc::not_supported);
    }
}

std::size_t tcp::send_space() noexcept {
    return state_ == state::connected ? tcp_sndbuf(pcb_) : 0;
}

} // namespace weft::lwip
