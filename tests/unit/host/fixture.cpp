#include "fixture.hpp"

#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace host_test {

namespace {

struct name {
    explicit name(const endpoint& at) {
        if (at.address.is_v4()) {
            auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
            v4->sin_family = AF_INET;
            v4->sin_port = htons(at.port);
            std::memcpy(&v4->sin_addr, at.address.bytes().data(), 4);
            size = sizeof *v4;
        } else {
            auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons(at.port);
            std::memcpy(&v6->sin6_addr, at.address.bytes().data(), 16);
            size = sizeof *v6;
        }
    }
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    sockaddr_storage storage{};
    socklen_t size;
};

int domain(const endpoint& at) {
    return at.address.is_v4() ? AF_INET : AF_INET6;
}

std::string error_text() {
    return weft::name(static_cast<errc>(errno));
}

} // namespace

std::size_t open_descriptors() {
    DIR* all = ::opendir("/proc/self/fd");
    REQUIRE(all != nullptr);
    std::size_t count = 0;
    while (::readdir(all) != nullptr) {
        ++count;
    }
    ::closedir(all);
    return count;
}

void on_each_poller(task<> (*test)(weft::host_context&)) {
    for (const poller kind : {poller::epoll, poller::poll, poller::select}) {
        INFO("on ", std::string(weft::name(kind)));
        const std::size_t before = open_descriptors();
        {
            auto host = weft::make_host_context(kind);
            REQUIRE(error_of(host) == errc::ok);
            auto done =
                weft::sync_wait((*host)->loop, weft::as_task(weft::timeout(test(**host), 10s)));
            CHECK(error_of(done) == errc::ok);
        }
        CHECK(open_descriptors() == before);
    }
}

peer peer::listening(const endpoint& at, int backlog) {
    peer made(::socket(domain(at), SOCK_STREAM, 0));
    name n(at);
    REQUIRE(::bind(made.descriptor_, n.get(), n.size) == 0);
    REQUIRE(::listen(made.descriptor_, backlog) == 0);
    return made;
}

peer peer::connected(const endpoint& to) {
    peer made(::socket(domain(to), SOCK_STREAM, 0));
    name n(to);
    REQUIRE(::connect(made.descriptor_, n.get(), n.size) == 0);
    return made;
}

peer peer::udp(const endpoint& at) {
    peer made(::socket(domain(at), SOCK_DGRAM, 0));
    name n(at);
    REQUIRE(::bind(made.descriptor_, n.get(), n.size) == 0);
    return made;
}

peer peer::accept() const {
    peer made(::accept(descriptor_, nullptr, nullptr));
    REQUIRE(made.descriptor_ >= 0);
    return made;
}

endpoint peer::local() const {
    sockaddr_storage at{};
    socklen_t size = sizeof at;
    REQUIRE(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    if (at.ss_family == AF_INET) {
        return loopback(family::ipv4, ntohs(reinterpret_cast<sockaddr_in*>(&at)->sin_port));
    }
    return loopback(family::ipv6, ntohs(reinterpret_cast<sockaddr_in6*>(&at)->sin6_port));
}

void peer::send(std::string_view text) const {
    const auto sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    REQUIRE(sent == static_cast<ssize_t>(text.size()));
}

void peer::send_to(std::string_view text, const endpoint& to) const {
    name n(to);
    const auto sent = ::sendto(descriptor_, text.data(), text.size(), 0, n.get(), n.size);
    REQUIRE(sent == static_cast<ssize_t>(text.size()));
}

std::string peer::recv() const {
    char room[4096];
    const auto n = ::recv(descriptor_, room, sizeof room, 0);
    return n < 0 ? error_text() : std::string(room, static_cast<std::size_t>(n));
}

std::size_t peer::drain() const {
    std::size_t total = 0;
    char room[65536];
    while (true) {
        const auto n = ::recv(descriptor_, room, sizeof room, 0);
        REQUIRE(n >= 0);
        if (n == 0) {
            return total;
        }
        total += static_cast<std::size_t>(n);
    }
}

void peer::finish() const {
    REQUIRE(::shutdown(descriptor_, SHUT_WR) == 0);
}

void peer::reset() {
    const linger none{1, 0};
    REQUIRE(::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &none, sizeof none) == 0);
    close();
}

void peer::close() {
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
}

task<pair> connect_pair(weft::host_context& host, family f) {
    peer listener = peer::listening(loopback(f));
    auto stream = co_await host.net->connect(listener.local());
    REQUIRE(error_of(stream) == errc::ok);
    co_return pair{std::move(*stream), listener.accept()};
}

} // namespace host_test
