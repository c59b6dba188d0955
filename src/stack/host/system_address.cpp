#include "stack/host/system_address.hpp"

#include "stack/host/system_errors.hpp"
#include "stack/host/system_options.hpp"

#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace weft::host {

system_address to_system(const endpoint& e) noexcept {
    system_address made;
    if (e.address.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(made.storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(e.port);
        std::memcpy(&v4.sin_addr, e.address.bytes().data(), 4);
        made.size = sizeof(sockaddr_in);
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(made.storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(e.port);
        v6.sin6_scope_id = e.address.scope_id();
        std::memcpy(&v6.sin6_addr, e.address.bytes().data(), 16);
        made.size = sizeof(sockaddr_in6);
    }
    return made;
}

endpoint from_system(const system_address& a) noexcept {
    if (a.storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(a.storage);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, 16);
        return {address::v6(bytes, v6.sin6_scope_id), ntohs(v6.sin6_port)};
    }
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(a.storage);
    std::array<std::uint8_t, 4> b{};
    std::memcpy(b.data(), &v4.sin_addr, 4);
    return {address::v4(b[0], b[1], b[2], b[3]), ntohs(v4.sin_port)};
}

result<endpoint> local_of(int descriptor) noexcept {
    system_address a;
    if (::getsockname(descriptor, a.get(), &a.size) != 0) {
        return fail(last_error());
    }
    return from_system(a);
}

result<endpoint> remote_of(int descriptor) noexcept {
    system_address a;
    if (::getpeername(descriptor, a.get(), &a.size) != 0) {
        return fail(last_error());
    }
    return from_system(a);
}

result<int> open_socket(family f, int type) noexcept {
    const int domain = f == family::ipv4 ? AF_INET : AF_INET6;
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
    const int descriptor = ::socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    const int descriptor = ::socket(domain, type, 0);
#endif
    if (descriptor < 0) {
        return fail(last_error());
    }
#if !defined(SOCK_NONBLOCK) || !defined(SOCK_CLOEXEC)
    ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
#endif
    if (f == family::ipv6) {
        if (const result<> only = set_flag(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1); !only) {
            ::close(descriptor);
            return fail(only.error());
        }
    }
    return descriptor;
}

short poll_now(int descriptor) noexcept {
    pollfd asked{descriptor, POLLIN | POLLOUT, 0};
    int told = 0;
    do {
        told = ::poll(&asked, 1, 0);
    } while (told < 0 && errno == EINTR);
    return told > 0 ? asked.revents : short{0};
}

} // namespace weft::host
