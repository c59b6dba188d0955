#include "stack/host/tcp.hpp"

#include "stack/host/system_address.hpp"
#include "stack/host/system_errors.hpp"
#include "stack/host/system_options.hpp"

#include <algorithm>
#include <climits>
#include <memory>
#include <new>

#include <fcntl.h>
#include <poll.h>
#if defined(__linux__)
#include <linux/sockios.h>
#endif
#include <sys/ioctl.h>
#include <unistd.h>

namespace weft::host {

namespace {

constexpr auto accept_pause = std::chrono::milliseconds(50);
constexpr std::size_t drained_at_close = std::size_t{16} << 20;

#if defined(MSG_NOSIGNAL)
constexpr int no_signal = MSG_NOSIGNAL;
#else
constexpr int no_signal = 0; // SO_NOSIGPIPE is set instead
#endif

constexpr readiness both = readiness::readable | readiness::writable;

int accept_descriptor(int listener) noexcept {
#if defined(__linux__) || defined(__FreeBSD__)
    return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    const int accepted = ::accept(listener, nullptr, nullptr);
    if (accepted >= 0) {
        ::fcntl(accepted, F_SETFL, O_NONBLOCK);
        ::fcntl(accepted, F_SETFD, FD_CLOEXEC);
    }
    return accepted;
#endif
}

bool is_retry(int number) noexcept {
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

/// The connection that was to be accepted has gone, or its own network failed (accept(2)): the next
/// one may be fine.
bool is_of_one_connection(int number) noexcept {
    switch (number) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
        return true;
    default:
        return false;
    }
}

} // namespace

struct tcp::accept_again : timer {
    explicit accept_again(tcp& owner) noexcept : timer(&fire), listener(&owner) {}
    static void fire(timer& due) noexcept {
        static_cast<accept_again&>(due).listener->raise(readiness::readable);
    }
    tcp* listener;
};

tcp::tcp(loop& home, int opened, state begin) noexcept
    : tcp_socket(home), descriptor_watch(&told), state_(begin),
      short_reads_(driver().edges() ? 0 : levels) {
    descriptor = opened;
#if defined(SO_NOSIGPIPE)
    (void)set_flag(opened, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
    raise(both); // every try tells something: bytes, EAGAIN, or that it is not connected
}

result<tcp_socket*> tcp::open(loop& home, family f) noexcept {
    const result<int> opened = open_socket(f, SOCK_STREAM);
    if (!opened) {
        return fail(opened.error());
    }
    auto* made = new (std::nothrow) tcp(home, *opened, state::fresh);
    if (made == nullptr) {
        ::close(*opened);
        return fail(errc::no_memory);
    }
    return made;
}

result<> tcp::watch() noexcept {
    if (watched_) {
        return {};
    }
    const int own = descriptor;
    const result<> added = driver().add(*this, own);
    descriptor = own; // a driver that refuses it forgets it
    watched_ = added.has_value();
    return added;
}

// --- readiness

void tcp::told(descriptor_watch& watch, unsigned events) {
    auto& self = static_cast<tcp&>(watch);
    static_assert((readable | writable) == static_cast<unsigned>(both));
    if ((events & ~(readable | writable)) == 0) [[likely]] {
        self.raise_and_run(static_cast<readiness>(events));
    } else {
        self.told_an_end(events);
    }
}

void tcp::told_an_end(unsigned events) noexcept {
    short_reads_ |= after_an_end;
    readiness gained = static_cast<readiness>(events & writable) | readiness::readable;
    if ((events & failed) != 0) {
        gained |= both | readiness::error | readiness::hangup;
    }
    raise(gained);
}

/// A try would block now.
inline void tcp::spent(readiness bit) noexcept {
    lower(bit);
    if ((short_reads_ & levels) != 0) [[unlikely]] {
        arm(bit);
    }
}

void tcp::arm(readiness bit) noexcept {
    if (watched_) {
        driver().arm(*this, bit == readiness::readable ? readable : writable);
    }
}

readiness tcp::confirmed() noexcept {
    if (closed()) {
        return ready();
    }
    const short now = poll_now(descriptor);
    readiness found = readiness::none;
    if ((now & POLLIN) != 0) {
        found |= readiness::readable;
    }
    if ((now & POLLOUT) != 0 && state_ != state::listening) {
        found |= readiness::writable;
    }
    presume(found);
    if (state_ != state::fresh) { // there every try tells that it is not connected
        if (!any(found & readiness::readable)) {
            spent(readiness::readable);
        }
        if (!any(found & readiness::writable) && state_ != state::listening) {
            spent(readiness::writable);
        }
    }
    found |= (now & POLLERR) != 0 ? readiness::error : readiness::none;
    found |= (now & POLLHUP) != 0 ? readiness::hangup : readiness::none;
    return found;
}

errc tcp::take_error() noexcept {
    return closed() ? errc::bad_handle : pending_error(descriptor);
}

// --- bytes

io_count tcp::receive_some(std::byte* into, std::size_t size) noexcept {
    const ssize_t n = ::recv(descriptor, into, size, 0);
    if (n > 0) [[likely]] {
        if (static_cast<std::size_t>(n) < size) [[likely]] {
            if (short_reads_ != 0) [[unlikely]] {
                read_short();
            } else {
                lower(readiness::readable);
            }
        }
        return n;
    }
    return n == 0 ? 0 : receive_failed(size);
}

void tcp::read_short() noexcept {
    if ((short_reads_ & after_an_end) == 0) {
        spent(readiness::readable);
    }
}

io_count tcp::receive_failed(std::size_t asked) noexcept {
    const int number = errno;
    if (is_retry(number)) {
        short_reads_ &= levels;
        blocked(readiness::readable, number);
        return asked == 0 ? 0 : io_error(errc::would_block);
    }
    return io_error(final_error(number));
}

io_count tcp::send_some(const std::byte* from, std::size_t size) noexcept {
    const ssize_t n = ::send(descriptor, from, size, no_signal);
    if (n == static_cast<ssize_t>(size)) [[likely]] {
        return n;
    }
    return sent_less(n);
}

io_count tcp::sent_less(io_count n) noexcept {
    if (n >= 0) {
        spent(readiness::writable);
        return n;
    }
    const int number = errno;
    if (is_retry(number)) {
        blocked(readiness::writable, number);
        return io_error(errc::would_block);
    }
    return io_error(final_error(number));
}

/// A call said that it would have to wait, or was interrupted: then, whatever the driver, it must
/// be asked for the event once more.
void tcp::blocked(readiness bit, int number) noexcept {
    lower(bit);
    if (number == EINTR || (short_reads_ & levels) != 0) {
        arm(bit);
    }
}

/// What a call that failed for good says; a connection attempt has ended with it.
errc tcp::final_error(int number) noexcept {
    if (number == EPIPE && (state_ == state::fresh || state_ == state::listening)) {
        return errc::not_connected;
    }
    if (state_ == state::connecting) {
        state_ = state::fresh;
    }
    return error_from_errno(number);
}

result<std::span<const std::byte>> tcp::peek() noexcept {
    return fail(closed() ? errc::bad_handle : errc::not_supported);
}

// --- listening

result<> tcp::bind(const endpoint& at) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (at.address.family() != own_family()) {
        return fail(errc::invalid_argument);
    }
    const system_address name = to_system(at);
    if (::bind(descriptor, name.get(), name.size) != 0) {
        return fail(last_error());
    }
    return {};
}

result<> tcp::listen(std::size_t backlog) noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ == state::connecting || state_ == state::connected) {
        return fail(errc::already_connected);
    }
    if (::listen(descriptor, static_cast<int>(std::min<std::size_t>(backlog, INT_MAX))) != 0) {
        return fail(last_error());
    }
    state_ = state::listening;
    return watch();
}

result<tcp_socket*> tcp::try_accept() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ != state::listening) {
        return fail(errc::invalid_argument);
    }
    if (!any(ready() & readiness::readable)) {
        return fail(errc::would_block);
    }
    // memory first: a connection is left in the queue rather than lost
    std::unique_ptr<tcp> fresh(new (std::nothrow) tcp(home(), -1, state::connected));
    if (!fresh) {
        return accept_failed(ENOMEM);
    }
    int accepted = -1;
    do {
        accepted = accept_descriptor(descriptor);
    } while (accepted < 0 && is_of_one_connection(errno));
    if (accepted < 0) {
        return accept_failed(errno);
    }
    fresh->descriptor = accepted;
    if (const result<> watching = fresh->watch(); !watching) {
        ::close(accepted);
        return fail(watching.error());
    }
    return fresh.release();
}

result<tcp_socket*> tcp::accept_failed(int number) noexcept {
    if (number == EAGAIN || number == EWOULDBLOCK) {
        spent(readiness::readable);
        return fail(errc::would_block);
    }
    if (number != EMFILE && number != ENFILE && number != ENOMEM && number != ENOBUFS) {
        return fail(error_from_errno(number));
    }
    if (again_ == nullptr) {
        again_ = new (std::nothrow) accept_again(*this);
    }
    if (again_ == nullptr) {
        return fail(errc::no_memory);
    }
    lower(readiness::readable); // and not armed: the connection that waits would tell at once
    home().timers().cancel(*again_);
    home().timers().schedule(*again_, deadline_after(home().now(), accept_pause));
    return fail(errc::would_block);
}

// --- connecting

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
    if (to.address.family() != own_family() || to.port == 0) {
        return fail(errc::invalid_argument);
    }
    const system_address name = to_system(to);
    bool done = ::connect(descriptor, name.get(), name.size) == 0;
    if (!done && errno == ECONNABORTED) { // Linux: once, of an earlier attempt that failed
        done = ::connect(descriptor, name.get(), name.size) == 0;
    }
    if (!done && errno != EINPROGRESS && errno != EINTR) { // EINTR: it goes on by itself
        return fail(last_error());
    }
    state_ = done ? state::connected : state::connecting;
    if (const result<> watching = watch(); !watching) {
        return watching;
    }
    if (done) {
        return {};
    }
    // Bits go down after the attempt began, and are never raised in here: the waiter that called
    // would be made runnable while it runs.
    lower(readiness::error | readiness::hangup);
    spent(readiness::readable);
    spent(readiness::writable);
    return fail(errc::in_progress);
}

result<> tcp::connect_result() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ == state::connected) {
        return {};
    }
    if (state_ != state::connecting) {
        return fail(errc::not_connected);
    }
    if (!any(ready() & (readiness::writable | readiness::error | readiness::hangup))) {
        return fail(errc::would_block);
    }
    if (const errc error = pending_error(descriptor); error != errc::ok) {
        state_ = state::fresh;
        return fail(error);
    }
    if (!remote_of(descriptor)) { // an event of an earlier attempt
        lower(readiness::error | readiness::hangup);
        spent(readiness::writable);
        return fail(errc::would_block);
    }
    state_ = state::connected;
    return {};
}

// --- ending

result<> tcp::shutdown_send() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ == state::listening) {
        return fail(errc::not_connected); // Linux would stop listening
    }
    if (::shutdown(descriptor, SHUT_WR) != 0) {
        return fail(last_error());
    }
    return {};
}

/// Input that nobody reads would make close(2) send RST, and drop what was not yet sent.
void tcp::drain() noexcept {
    std::size_t drained = 0;
    while (drained < drained_at_close) {
#if defined(__linux__)
        constexpr std::size_t at_a_time = std::size_t{1} << 20; // MSG_TRUNC: nothing is copied
        const ssize_t n = ::recv(descriptor, nullptr, at_a_time, MSG_TRUNC | MSG_DONTWAIT);
#else
        std::byte unread[4096];
        const ssize_t n = ::recv(descriptor, unread, sizeof unread, MSG_DONTWAIT);
#endif
        if (n <= 0) {
            return;
        }
        drained += static_cast<std::size_t>(n);
    }
}

void tcp::do_close() noexcept {
    if (again_ != nullptr) {
        home().timers().cancel(*again_);
        delete again_;
        again_ = nullptr;
    }
    const int own = descriptor;
    if (state_ == state::connected) {
        drain();
    }
    if (watched_) {
        driver().remove(*this);
        watched_ = false;
    }
    descriptor = -1; // from here on every call says EBADF
    ::close(own);
}

void tcp::abort() noexcept {
    if (closed()) {
        return;
    }
    const linger none{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    if (state_ == state::connected) {
        state_ = state::fresh; // nothing to drain
    }
    close();
}

// --- the rest

family tcp::own_family() const noexcept {
    const result<endpoint> at = local_of(descriptor);
    return at ? at->address.family() : family::ipv4;
}

result<endpoint> tcp::local() const noexcept {
    return local_of(descriptor);
}
result<endpoint> tcp::remote() const noexcept {
    return remote_of(descriptor);
}

result<> tcp::set_option(socket_option option, int value) noexcept {
    return option == socket_option::broadcast ? fail(errc::not_supported)
                                              : host::set_option(descriptor, option, value);
}
result<int> tcp::get_option(socket_option option) const noexcept {
    if (option == socket_option::broadcast) {
        return fail(errc::not_supported);
    }
    return host::get_option(descriptor, option);
}
result<> tcp::bind_device(std::string_view name) noexcept {
    return host::bind_device(descriptor, name);
}

/// The kernel counts its own overhead too: half of the buffer is sure to hold as many bytes.
std::size_t tcp::send_space() noexcept {
#if defined(SIOCOUTQ)
    int queued = 0;
    const result<int> whole = host::get_option(descriptor, socket_option::send_buffer);
    if (whole && ::ioctl(descriptor, SIOCOUTQ, &queued) == 0 && queued < *whole / 2) {
        return static_cast<std::size_t>(*whole / 2 - queued);
    }
#endif
    return 0;
}

static_assert(sizeof(void*) != 8 || sizeof(tcp) <= 136, "10,000 idle connections count");

} // namespace weft::host
