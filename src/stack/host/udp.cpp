#include "stack/host/udp.hpp"

#include "stack/host/system_address.hpp"
#include "stack/host/system_errors.hpp"
#include "stack/host/system_options.hpp"

#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace weft::host {

namespace {

#if defined(MSG_NOSIGNAL)
constexpr int no_signal = MSG_NOSIGNAL;
#else
constexpr int no_signal = 0;
#endif

constexpr readiness both = readiness::readable | readiness::writable;

} // namespace

udp::udp(loop& home, int opened, family f) noexcept
    : datagram_socket(home), descriptor_watch(&told), family_(f) {
    descriptor = opened;
#if defined(SO_RXQ_OVFL)
    (void)set_flag(opened, SOL_SOCKET, SO_RXQ_OVFL, 1); // without it dropped() stays 0
#endif
    raise(both);
}

result<datagram_socket*> udp::open(loop& home, family f) noexcept {
    const result<int> opened = open_socket(f, SOCK_DGRAM);
    if (!opened) {
        return fail(opened.error());
    }
    auto* made = new (std::nothrow) udp(home, *opened, f);
    const result<> watching =
        made != nullptr ? made->driver().add(*made, *opened) : result<>(fail(errc::no_memory));
    if (!watching) {
        delete made;
        ::close(*opened);
        return fail(watching.error());
    }
    made->watched_ = true;
    return made;
}

void udp::told(descriptor_watch& watch, unsigned events) {
    auto& self = static_cast<udp&>(watch);
    readiness gained = readiness::none;
    if ((events & (readable | finished)) != 0) {
        gained |= readiness::readable;
    }
    if ((events & writable) != 0) {
        gained |= readiness::writable;
    }
    if ((events & failed) != 0) { // an ICMP error: the next receive tells it, the socket lives on
        gained |= both;
    }
    self.raise_and_run(gained);
}

void udp::spent(readiness bit) noexcept {
    lower(bit);
    if (watched_ && !driver().edges()) {
        driver().arm(*this, bit == readiness::readable ? readable : writable);
    }
}

readiness udp::confirmed() noexcept {
    if (closed()) {
        return ready();
    }
    const short now = poll_now(descriptor);
    const bool error = (now & POLLERR) != 0 || refused_;
    readiness found = readiness::none;
    if ((now & POLLIN) != 0) {
        found |= readiness::readable;
    }
    if ((now & POLLOUT) != 0) {
        found |= readiness::writable;
    }
    presume(error ? found | readiness::readable : found); // a receive tells the error
    if (!any(found & readiness::readable) && !error) {
        spent(readiness::readable);
    }
    if (!any(found & readiness::writable)) {
        spent(readiness::writable);
    }
    return error ? found | readiness::error : found;
}

errc udp::take_error() noexcept {
    if (closed()) {
        return errc::bad_handle;
    }
    if (refused_) {
        refused_ = false;
        return errc::connection_refused;
    }
    return pending_error(descriptor);
}

result<datagram> udp::receive_one(std::span<std::byte> into) noexcept {
    if (refused_) [[unlikely]] {
        refused_ = false;
        return fail(errc::connection_refused);
    }
    system_address from;
    alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(std::uint32_t))];
    iovec part{into.data(), into.size()};
    msghdr message{};
    message.msg_name = from.get();
    message.msg_namelen = from.size;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t n = 0;
    do {
        n = ::recvmsg(descriptor, &message, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            spent(readiness::readable);
            return fail(errc::would_block);
        }
        return fail(last_error());
    }
#if defined(SO_RXQ_OVFL)
    for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL) {
            std::uint32_t total = 0; // since the socket was made, modulo 2^32
            std::memcpy(&total, CMSG_DATA(at), sizeof total);
            dropped_ += total - static_cast<std::uint32_t>(dropped_);
        }
    }
#endif
    return datagram{
        static_cast<std::size_t>(n), from_system(from), (message.msg_flags & MSG_TRUNC) != 0};
}

io_count udp::send_one(std::span<const std::byte> from, const endpoint* to) noexcept {
    if (closed()) {
        return io_error(errc::bad_handle);
    }
    if (to != nullptr && (to->address.family() != family_ || to->port == 0)) {
        return io_error(errc::invalid_argument);
    }
    const system_address name = to != nullptr ? to_system(*to) : system_address{};
    while (true) {
        const ssize_t n =
            to != nullptr
                ? ::sendto(descriptor, from.data(), from.size(), no_signal, name.get(), name.size)
                : ::send(descriptor, from.data(), from.size(), no_signal);
        if (n >= 0) [[likely]] {
            return n;
        }
        switch (errno) {
        case EINTR:
            break;
        case ECONNREFUSED: // of an earlier datagram; this one was not sent
            refused_ = true;
            raise(readiness::readable);
            break;
        case EAGAIN:
#if EAGAIN != EWOULDBLOCK
        case EWOULDBLOCK:
#endif
            spent(readiness::writable);
            return io_error(errc::would_block);
        case ENOTCONN:
            return io_error(errc::destination_required);
        default:
            return io_error(last_error());
        }
    }
}

result<> udp::bind(const endpoint& at) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (at.address.family() != family_) {
        return fail(errc::invalid_argument);
    }
    const system_address name = to_system(at);
    if (::bind(descriptor, name.get(), name.size) != 0) {
        return fail(last_error());
    }
    return {};
}

result<> udp::connect(const endpoint& to) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (to.address.family() != family_) {
        return fail(errc::invalid_argument);
    }
    const system_address name = to_system(to);
    if (::connect(descriptor, name.get(), name.size) != 0) {
        return fail(last_error());
    }
    return {};
}

void udp::do_close() noexcept {
    const int own = descriptor;
    if (watched_) {
        driver().remove(*this);
        watched_ = false;
    }
    refused_ = false;
    descriptor = -1; // from here on every call says EBADF
    ::close(own);
}

result<endpoint> udp::local() const noexcept {
    return local_of(descriptor);
}
result<endpoint> udp::remote() const noexcept {
    return remote_of(descriptor);
}

// The kernel counts bytes, its own included: room for datagrams of a full Ethernet frame.
result<> udp::set_queue_limit(std::size_t datagrams) noexcept {
    if (datagrams == 0) {
        return fail(errc::invalid_argument);
    }
    constexpr std::size_t a_frame = 2304;
    const std::size_t most = (std::size_t{1} << 30) / a_frame;
    const std::size_t bytes = (datagrams < most ? datagrams : most) * a_frame;
    return set_flag(descriptor, SOL_SOCKET, SO_RCVBUF, static_cast<int>(bytes));
}
result<> udp::set_option(socket_option option, int value) noexcept {
    if (option == socket_option::keep_alive || option == socket_option::no_delay) {
        return fail(errc::not_supported);
    }
    return host::set_option(descriptor, option, value);
}
result<int> udp::get_option(socket_option option) const noexcept {
    if (option == socket_option::keep_alive || option == socket_option::no_delay) {
        return fail(errc::not_supported);
    }
    return host::get_option(descriptor, option);
}
result<> udp::bind_device(std::string_view name) noexcept {
    return host::bind_device(descriptor, name);
}
result<> udp::join_group(const address& group, const address& own) noexcept {
    return host::change_membership(descriptor, group, own, membership::joins);
}
result<> udp::leave_group(const address& group, const address& own) noexcept {
    return host::change_membership(descriptor, group, own, membership::leaves);
}

} // namespace weft::host
