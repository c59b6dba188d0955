// tls::socket and the socket below: what mbedTLS reads from and writes to, and the calls that go
// straight through.
#include "net/tls/socket.hpp"

#include <cstring>
#include <utility>

namespace weft::tls {

// --- what mbedTLS calls

int socket::take_in(void* self, unsigned char* into, std::size_t size) noexcept {
    auto& here = *static_cast<socket*>(self);
    const io_count n = here.below_->try_recv({reinterpret_cast<std::byte*>(into), size});
    if (n == 0 && here.lost_ != errc::ok) {
        here.below_error_ = here.lost_;
        return below_failed;
    }
    if (n >= 0) {
        here.below_ended_ = n == 0;
        return static_cast<int>(n);
    }
    if (would_block(n)) {
        here.blocked_ = true;
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    here.below_error_ = error_of(n);
    return below_failed;
}

int socket::give_out(void* self, const unsigned char* from, std::size_t size) noexcept {
    auto& here = *static_cast<socket*>(self);
    here.spoke_ = true;
    std::span<const std::byte> rest(reinterpret_cast<const std::byte*>(from), size);
    if (here.give_spilled()) {
        while (!rest.empty()) {
            const io_count n = here.below_->try_send(rest);
            if (n <= 0) {
                here.below_error_ = n == 0 || would_block(n) ? errc::ok : error_of(n);
                break;
            }
            rest = rest.subspan(static_cast<std::size_t>(n));
        }
    }
    if (here.below_error_ != errc::ok) {
        const bool gone =
            here.below_error_ == errc::connection_reset || here.below_error_ == errc::broken_pipe;
        if (here.state_ != state::handshake || !gone) {
            return below_failed;
        }
        // a peer that refuses says so, and goes while this end still speaks: reading tells why
        here.lost_ = std::exchange(here.below_error_, errc::ok);
        rest = {};
    }
    const bool may_spill = here.state_ == state::open && !here.sending_ && here.unsent_ == 0;
    if (may_spill && !rest.empty()) {
        if (rest.size() > here.spill_.size() - here.spilled_) {
            here.below_error_ = errc::no_buffers; // a peer that provokes answers and takes none
            return below_failed;
        }
        std::memcpy(here.spill_.data() + here.spilled_, rest.data(), rest.size());
        here.spilled_ += rest.size();
        rest = {};
    }
    here.left_ = rest.size();
    if (rest.size() == size) {
        here.blocked_ = true;
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    return static_cast<int>(size - rest.size());
}

/// True if nothing is spilled any more.
bool socket::give_spilled() noexcept {
    while (spilled_ > 0) {
        const io_count n = below_->try_send({spill_.data(), spilled_});
        if (n <= 0) {
            below_error_ = n == 0 || would_block(n) ? errc::ok : error_of(n);
            return false;
        }
        spilled_ -= static_cast<std::size_t>(n);
        std::memmove(spill_.data(), spill_.data() + n, spilled_);
    }
    return true;
}

// --- what a connected TCP socket says

result<> socket::bind(const endpoint&) noexcept {
    return fail(closed() ? errc::bad_handle : errc::invalid_argument);
}
result<> socket::listen(std::size_t) noexcept {
    return fail(closed() ? errc::bad_handle : errc::already_connected);
}
result<tcp_socket*> socket::try_accept() noexcept {
    return fail(closed() ? errc::bad_handle : errc::invalid_argument);
}
result<> socket::start_connect(const endpoint&) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    return fail(state_ == state::handshake ? errc::already : errc::already_connected);
}

result<> socket::connect_result() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    switch (state_) {
    case state::handshake:
        return fail(errc::would_block);
    case state::open:
        return {};
    case state::failed:
        break;
    }
    untold_ = errc::ok;
    return fail(output_end_);
}

result<> socket::set_option(socket_option option, int value) noexcept {
    if (below_ == nullptr) {
        return fail(errc::bad_handle);
    }
    if (option == socket_option::no_delay && state_ == state::handshake) {
        gathers_ = value == 0;
        return {};
    }
    return below_->set_option(option, value);
}
result<int> socket::get_option(socket_option option) const noexcept {
    if (below_ == nullptr) {
        return fail(errc::bad_handle);
    }
    if (option == socket_option::no_delay && state_ == state::handshake) {
        return gathers_ ? 0 : 1;
    }
    return below_->get_option(option);
}
result<endpoint> socket::local() const noexcept {
    return below_ != nullptr ? below_->local() : fail(errc::bad_handle);
}
result<endpoint> socket::remote() const noexcept {
    return below_ != nullptr ? below_->remote() : fail(errc::bad_handle);
}

} // namespace weft::tls
