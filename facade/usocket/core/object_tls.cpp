// A socket of the façade: becoming TLS. Below it there is another socket then; all else is as it
// was.

#include "usocket/core/object.hpp"

#include <utility>

namespace usocket {

/// The socket below goes on inside a TLS one, which shakes hands.
errc object::begin_tls() noexcept {
    quick_ = false;
    place_->direct = nullptr;
    told_ = 0;
    readiness_observer::unlink();
    weft::tcp_stream below(static_cast<weft::tcp_socket*>(std::exchange(core_, nullptr)));
    const result<weft::tcp_socket*> made = secure_->over(std::move(below));
    if (!made) {
        state_ = state::failed;
        return made.error();
    }
    adopt(**made);
    secured_ = true;
    state_ = state::connecting;
    return errc::ok;
}

/// A socket of IPPROTO_SEC that nobody has wrapped needs a context now.
errc object::secure_by_default(secure::end which) noexcept {
    if (!becomes_tls_ || secure_) {
        return errc::ok;
    }
    result<std::unique_ptr<secure>> made = secure::by_default(which);
    if (!made) {
        if (made.error() == errc::invalid_argument) {
            thread::here().explain(
                {"a server of IPPROTO_SEC shows a certificate: ussl::wrap_socket(), or ussl::use() "
                 "of a context that has one, before accept()"});
        }
        return made.error();
    }
    secure_ = std::move(*made);
    by_default_ = true;
    return errc::ok;
}

/// An accepted connection does as its listener says.
errc object::wrap_as(const secure* listener) noexcept {
    if (listener == nullptr) {
        return errc::ok;
    }
    secure_ = listener->copy();
    return secure_ ? begin_tls() : errc::no_memory;
}

errc object::wrap(std::unique_ptr<secure> how, bool shake) noexcept {
    if (kind_ == kind::datagram) {
        return errc::not_supported;
    }
    const in_call alive(*this);
    if (state_ == state::connecting) {
        advance_connect();
    }
    if (secured_) {
        if (!by_default_ || !how->is_content()) {
            thread::here().explain({"it is TLS already, by the default context or an earlier "
                                    "wrap_socket(): wrap it before connect()"});
            return errc::already_connected;
        }
        return shake ? do_handshake() : errc::ok;
    }
    if (state_ == state::listening && how->which() != secure::end::server) {
        return errc::invalid_argument;
    }
    if (state_ == state::half_deaf) {
        return errc::not_connected;
    }
    if (state_ == state::connected && !held_.empty()) {
        thread::here().explain({"bytes that came before wrap_socket() were peeked at, or read as "
                                "part of a line, and nobody has taken them"});
        return errc::invalid_argument;
    }
    secure_ = std::move(how);
    by_default_ = false;
    if (state_ == state::connected) {
        if (const errc error = begin_tls(); error != errc::ok) {
            return error;
        }
    }
    const bool waits = state_ == state::connecting && limit_ != weft::duration::zero();
    return shake && waits ? do_handshake() : errc::ok;
}

errc object::do_handshake() noexcept {
    if (kind_ == kind::datagram) {
        return errc::not_supported;
    }
    const in_call alive(*this);
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "do_handshake", "tls_stream::client"); error != errc::ok) {
        return error;
    }
    while (true) {
        if (state_ == state::connecting) {
            advance_connect();
        }
        switch (state_) {
        case state::connecting:
            break;
        case state::connected:
        case state::half_deaf:
            return secured_ ? errc::ok : errc::invalid_argument;
        case state::refused:
            state_ = state::failed;
            return std::exchange(pending_, errc::ok);
        default:
            return errc::not_connected;
        }
        if (const errc waited = wait(p); waited != errc::ok) {
            return waited;
        }
    }
}

} // namespace usocket
