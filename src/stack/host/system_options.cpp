#include "stack/host/system_options.hpp"

#include "stack/host/system_errors.hpp"

#include <cstring>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace weft::host {

namespace {

struct level_and_name {
    int level;
    int name;
};

level_and_name of_system(socket_option option) noexcept {
    switch (option) {
    case socket_option::reuse_address:
        return {SOL_SOCKET, SO_REUSEADDR};
    case socket_option::keep_alive:
        return {SOL_SOCKET, SO_KEEPALIVE};
    case socket_option::no_delay:
        return {IPPROTO_TCP, TCP_NODELAY};
    case socket_option::broadcast:
        return {SOL_SOCKET, SO_BROADCAST};
    case socket_option::send_buffer:
        return {SOL_SOCKET, SO_SNDBUF};
    case socket_option::receive_buffer:
        return {SOL_SOCKET, SO_RCVBUF};
    }
    return {SOL_SOCKET, -1};
}

template <class T>
result<> set_value(int descriptor, int level, int option, const T& value) noexcept {
    if (::setsockopt(descriptor, level, option, &value, sizeof value) != 0) {
        return fail(last_error());
    }
    return {};
}

} // namespace

result<> set_flag(int descriptor, int level, int option, int value) noexcept {
    return set_value(descriptor, level, option, value);
}

result<> set_option(int descriptor, socket_option option, int value) noexcept {
    const level_and_name system = of_system(option);
    return set_flag(descriptor, system.level, system.name, value);
}

result<int> get_option(int descriptor, socket_option option) noexcept {
    const level_and_name system = of_system(option);
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(descriptor, system.level, system.name, &value, &size) != 0) {
        return fail(last_error());
    }
    return value;
}

errc pending_error(int descriptor) noexcept {
    int number = 0;
    socklen_t size = sizeof number;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) != 0) {
        return last_error();
    }
    return error_from_errno(number);
}

result<> bind_device(int descriptor, std::string_view name) noexcept {
#if defined(SO_BINDTODEVICE)
    if (name.size() >= IFNAMSIZ) {
        return fail(errc::no_such_device);
    }
    const auto size = static_cast<socklen_t>(name.size());
    if (::setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name.data(), size) != 0) {
        return fail(last_error());
    }
    return {};
#else
    (void)descriptor;
    (void)name;
    return fail(errc::not_supported);
#endif
}

result<> change_membership(
    int descriptor, const address& group, const address& own, membership change) noexcept {
    const bool joins = change == membership::joins;
    if (group.is_v4()) {
        ip_mreq request{};
        std::memcpy(&request.imr_multiaddr, group.bytes().data(), 4);
        if (own.is_v4()) {
            std::memcpy(&request.imr_interface, own.bytes().data(), 4);
        }
        return set_value(
            descriptor, IPPROTO_IP, joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, request);
    }
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.bytes().data(), 16);
    request.ipv6mr_interface = group.scope_id() != 0 ? group.scope_id() : own.scope_id();
    return set_value(descriptor, IPPROTO_IPV6, joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, request);
}

} // namespace weft::host
