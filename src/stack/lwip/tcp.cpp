#include "stack/lwip/tcp.hpp"

#include "stack/lwip/convert.hpp"
#include "stack/lwip/host.hpp"
#include "stack/lwip/retransmission.hpp"

#include <new>

namespace weft::lwip {

tcp::tcp(host& on, family f) noexcept : tcp_socket(on.loop()), host_(&on), family_(f) {}

result<tcp_socket*> tcp::open(host& on, family f) noexcept {
#if !LWIP_IPV6
    if (f == family::ipv6) {
        return fail(errc::family_not_supported);
    }
#endif
    tcp_pcb* pcb = tcp_new_ip_type(f == family::ipv4 ? IPADDR_TYPE_V4 : IPADDR_TYPE_V6);
    if (pcb == nullptr) {
        return fail(errc::no_memory);
    }
    auto* made = new (std::nothrow) tcp(on, f);
    if (made == nullptr) {
        tcp_abort(pcb);
        return fail(errc::no_memory);
    }
    tcp_bind_netif(pcb, &on.interface());
    made->adopt(pcb);
    on.fresh_sockets().push_back(*made);
    made->raise(readiness::readable | readiness::writable | readiness::hangup);
    return made;
}

void tcp::adopt(tcp_pcb* pcb) noexcept {
    pcb_ = pcb;
    tcp_arg(pcb, this);
    tcp_err(pcb, &on_error);
    tcp_recv(pcb, &on_received);
    tcp_poll(pcb, &on_poll, poll_interval);
}

// From here on lwIP calls nothing of this socket.
tcp_pcb* tcp::forget_pcb() noexcept {
    tcp_pcb* pcb = pcb_;
    pcb_ = nullptr;
    if (pcb != nullptr) {
        tcp_arg(pcb, nullptr);
        tcp_err(pcb, nullptr);
        tcp_recv(pcb, nullptr);
        tcp_sent(pcb, nullptr);
        tcp_poll(pcb, &mend_retransmission, poll_interval); // it may have much to deliver yet
    }
    return pcb;
}

result<> tcp::usable() const noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    return {};
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
    return peer_;
}

result<> tcp::set_no_delay(bool on) noexcept {
    if (const result<> ok = usable(); !ok) {
        return ok;
    }
    if (pcb_ == nullptr || state_ == state::listening) {
        return {};
    }
    if (on) {
        tcp_nagle_disable(pcb_);
    } else {
        tcp_nagle_enable(pcb_);
    }
    return {};
}

result<> tcp::set_reuse_address(bool on) noexcept {
    if (const result<> ok = usable(); !ok) {
        return ok;
    }
    if (pcb_ != nullptr) {
        if (on) {
            ip_set_option(pcb_, SOF_REUSEADDR);
        } else {
            ip_reset_option(pcb_, SOF_REUSEADDR);
        }
    }
    return {};
}

result<> tcp::set_keep_alive(bool on) noexcept {
    if (const result<> ok = usable(); !ok) {
        return ok;
    }
    if (pcb_ != nullptr) {
        if (on) {
            ip_set_option(pcb_, SOF_KEEPALIVE);
        } else {
            ip_reset_option(pcb_, SOF_KEEPALIVE);
        }
    }
    return {};
}

// lwIP's buffers are the profile's, the same for every socket.
result<> tcp::set_receive_buffer(std::size_t) noexcept {
    return fail(errc::not_supported);
}
result<> tcp::set_send_buffer(std::size_t) noexcept {
    return fail(errc::not_supported);
}

} // namespace weft::lwip
