#include <weft/unix_link.hpp>

#include "link/system_frame.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>

namespace weft {

namespace {
bool is_valid_path(std::string_view path, std::size_t size) noexcept {
    return !path.empty() && path.size() < size && path.find('\0') == std::string_view::npos;
}

sockaddr_un socket_address(const char (&path)[sizeof(sockaddr_un::sun_path)]) noexcept {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, sizeof(path)); // ends with a zero: is_valid_path()
    return address;
}

int open_socket() noexcept {
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/// A socket file that nobody listens on any more: connecting to it is refused.
bool is_stale(const sockaddr_un& address) noexcept {
    const int probe = open_socket();
    if (probe < 0) {
        return false;
    }
    const bool refused =
        connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 &&
        errno == ECONNREFUSED;
    close(probe);
    return refused;
}

bool same_file(const struct stat& a, const struct stat& b) noexcept {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

errc bind_error(int system_error) noexcept {
    switch (system_error) {
    case EADDRINUSE:
        return errc::address_in_use;
    case ENOENT:
    case ENOTDIR:
        return errc::no_such_entry;
    case EROFS:
        return errc::permission_denied;
    default:
        return link_error(system_error);
    }
}

void set_buffer(int descriptor, int which, std::size_t bytes) noexcept {
    const int wanted = static_cast<int>(std::min<std::size_t>(bytes, INT_MAX));
    // the system caps it (net.core.rmem_max): then the link works with less
    (void)setsockopt(descriptor, SOL_SOCKET, which, &wanted, sizeof(wanted));
}
} // namespace

result<std::unique_ptr<unix_link>> make_unix_link(const unix_link_options& options) noexcept {
    static_assert(unix_link::path_size == sizeof(sockaddr_un::sun_path));
    if (!is_valid_path(options.path, unix_link::path_size) ||
        !is_valid_path(options.peer, unix_link::path_size) || !is_valid_mtu(options.mtu) ||
        (options.address[0] & 1) != 0) {
        return fail(errc::invalid_argument);
    }
    std::unique_ptr<unix_link> made(new (std::nothrow) unix_link);
    std::unique_ptr<std::byte[]> overflow(new (std::nothrow)
                                              std::byte[options.mtu + link::header_size]);
    if (made == nullptr || overflow == nullptr) {
        return fail(errc::no_memory);
    }
    made->overflow_ = std::move(overflow);
    made->mtu_ = options.mtu;
    std::copy(options.path.begin(), options.path.end(), made->path_);
    std::copy(options.peer.begin(), options.peer.end(), made->peer_);
    if (!choose_address(options.address, made->address_)) {
        return fail(errc::io_error);
    }
    made->descriptor_ = open_socket();
    if (made->descriptor_ < 0) {
        return fail(link_error(errno));
    }
    set_buffer(made->descriptor_, SO_SNDBUF, options.buffer_bytes);
    set_buffer(made->descriptor_, SO_RCVBUF, options.buffer_bytes);
    if (const errc error = made->bind_path(); error != errc::ok) {
        return fail(error);
    }
    return made;
}

errc unix_link::bind_path() noexcept {
    const sockaddr_un address = socket_address(path_);
    const auto* const raw = reinterpret_cast<const sockaddr*>(&address);
    if (bind(descriptor_, raw, sizeof(address)) < 0) {
        struct stat before;
        struct stat now;
        if (errno != EADDRINUSE) {
            return bind_error(errno);
        }
        // Unlink only what was found dead: another process may be replacing it as well.
        if (lstat(path_, &before) < 0 || !S_ISSOCK(before.st_mode) || !is_stale(address) ||
            lstat(path_, &now) < 0 || !same_file(before, now) || unlink(path_) < 0) {
            return errc::address_in_use;
        }
        if (bind(descriptor_, raw, sizeof(address)) < 0) {
            return bind_error(errno);
        }
    }
    bound_ = true;
    struct stat mine;
    if (lstat(path_, &mine) == 0) {
        device_ = mine.st_dev;
        inode_ = mine.st_ino;
    }
    return errc::ok;
}

unix_link::~unix_link() {
    struct stat now;
    if (bound_ && lstat(path_, &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) {
        unlink(path_);
    }
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

// The peer's path is looked up for each frame: a connected socket would keep sending to a peer that
// has been replaced, and would refuse what its successor sends.
result<> unix_link::send(std::span<const std::span<const std::byte>> parts) noexcept {
    const std::size_t size = gathered_frame::size(parts);
    if (const errc wrong = check_frame_size(size, mtu_); wrong != errc::ok) {
        ++counters_.send_failures;
        return fail(wrong);
    }
    gathered_frame whole(parts, {overflow_.get(), size});
    sockaddr_un to = socket_address(peer_);
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof(to);
    message.msg_iov = whole.vectors();
    message.msg_iovlen = static_cast<std::size_t>(whole.count());
    ssize_t written = 0;
    do {
        written = sendmsg(descriptor_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (written < 0 && errno == EINTR);
    if (written >= 0) {
        ++counters_.sent;
        return {};
    }
    if (errno == ENOENT || errno == ECONNREFUSED) {
        ++counters_.no_peer;
        return {};
    }
    const errc error = link_error(errno);
    ++(error == errc::would_block ? counters_.would_block : counters_.send_failures);
    return fail(error);
}

std::size_t unix_link::receive(std::span<std::byte> frame) noexcept {
    for (;;) {
        // MSG_TRUNC: the whole size, even of what did not fit
        const ssize_t read =
            recv(descriptor_, frame.data(), frame.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (read < 0 && errno == EINTR) {
            continue;
        }
        if (read < 0) {
            return 0;
        }
        const auto size = static_cast<std::size_t>(read);
        if (size == 0) {
            continue; // an empty datagram is no frame
        }
        if (size <= frame.size()) {
            ++counters_.received;
            return size;
        }
        ++counters_.received_too_long;
    }
}

} // namespace weft
