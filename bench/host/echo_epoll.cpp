// The reference: echo by hand over edge-triggered epoll, with nothing between the program and the
// calls. It does per event what a careful programmer would do: one recv, one send, and no second
// recv after a short read. The state of a connection is its mask in epoll: readable and nothing
// kept, or writable and bytes in `unsent`.

#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <vector>

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.hpp"

namespace {

constexpr std::uint32_t wants_to_receive = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t wants_to_send = EPOLLOUT | EPOLLET;

int live = 0;
int poller = -1;
std::unordered_map<int, std::vector<char>> unsent;

void watch(int fd, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(poller, operation, fd, &event);
}

void drop(int fd) {
    unsent.erase(fd);
    close(fd);
    --live;
}

// A send that took `sent` of `size` bytes, or failed.
[[gnu::noinline]] void keep(int fd, const char* bytes, ssize_t sent, ssize_t size) {
    if (sent < 0 && errno != EAGAIN)
        return drop(fd);
    unsent[fd].assign(bytes + (sent < 0 ? 0 : sent), bytes + size);
    watch(fd, wants_to_send, EPOLL_CTL_MOD);
}

[[gnu::noinline]] void flush(int fd) {
    auto& bytes = unsent[fd];
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return drop(fd);
    if (n > 0)
        bytes.erase(bytes.begin(), bytes.begin() + n);
    if (bytes.empty())
        watch(fd, wants_to_receive, EPOLL_CTL_MOD);
}

// Echoes until recv would block or, when nothing but data can be there, comes up short.
inline void serve(int fd, char* buffer, std::size_t size, bool only_data) {
    for (;;) {
        const ssize_t n = recv(fd, buffer, size, 0);
        if (n <= 0) [[unlikely]] {
            if (n == 0 || (errno != EAGAIN && errno != EINTR))
                drop(fd);
            return;
        }
        const ssize_t sent = send(fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL);
        if (sent != n) [[unlikely]]
            return keep(fd, buffer, sent, n);
        if (only_data && static_cast<std::size_t>(n) < size)
            return;
    }
}

void accept_all(int listener) {
    for (;;) {
        const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(fd, wants_to_receive, EPOLL_CTL_ADD);
        ++live;
    }
}

int listen_on(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    if (bind(fd, reinterpret_cast<sockaddr*>(&at), length) != 0 ||
        listen(fd, bench::backlog) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&at), &length) != 0)
        bench::fail("cannot listen", std::strerror(errno));
    bench::announce(ntohs(at.sin_port));
    return fd;
}

} // namespace

int main(int argc, char** argv) {
    const auto options = bench::parse(argc, argv);
    std::vector<char> storage(options.buffer);
    char* const buffer = storage.data();
    poller = epoll_create1(EPOLL_CLOEXEC);
    const int listener = listen_on(options.port);
    watch(listener, EPOLLIN | EPOLLET, EPOLL_CTL_ADD);

    std::array<epoll_event, 256> ready;
    bool accepted = false;
    while (!accepted || live > 0) {
        const int n = epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
        const epoll_event* const end = ready.data() + n;
        for (const epoll_event* event = ready.data(); event < end; ++event) {
            const int fd = event->data.fd;
            if (fd == listener) [[unlikely]] {
                accept_all(listener);
                accepted = accepted || live > 0;
            } else if (event->events == EPOLLIN) [[likely]] {
                serve(fd, buffer, options.buffer, true);
            } else if ((event->events & EPOLLOUT) != 0) {
                flush(fd);
            } else {
                serve(fd, buffer, options.buffer, false);
            }
        }
    }
    close(listener);
    close(poller);
}
