// A socket of the façade: options, and MicroPython's ioctl.

#include "usocket/core/object.hpp"

#include "usocket/constants.hpp"
#include "usocket/stream_requests.hpp"

#include <cstring>

namespace usocket {

using weft::fail;
using weft::socket_option;

namespace {

constexpr int SO_ACCEPTCONN = 0x0002;

struct known_option {
    int level;
    int option;
    socket_option name;
};
constexpr known_option ints[] = {
    {SOL_SOCKET, SO_REUSEADDR, socket_option::reuse_address},
    {SOL_SOCKET, SO_KEEPALIVE, socket_option::keep_alive},
    {SOL_SOCKET, SO_BROADCAST, socket_option::broadcast},
    {SOL_SOCKET, SO_SNDBUF, socket_option::send_buffer},
    {SOL_SOCKET, SO_RCVBUF, socket_option::receive_buffer},
    {IPPROTO_TCP, TCP_NODELAY, socket_option::no_delay},
};

const known_option* find(int level, int option) noexcept {
    for (const known_option& each : ints) {
        if (each.level == level && each.option == option) {
            return &each;
        }
    }
    return nullptr;
}

/// What a stack cannot do is no option of its sockets.
errc told(const result<>& done) noexcept {
    if (done) {
        return errc::ok;
    }
    return done.error() == errc::not_supported ? errc::bad_option : done.error();
}

template <class T>
T read_as(std::span<const std::byte> value) noexcept {
    T made{};
    std::memcpy(&made, value.data(), sizeof made);
    return made;
}

} // namespace

errc object::set_timeout(weft::duration limit) noexcept {
    if (limit < weft::duration::zero()) {
        return errc::invalid_argument;
    }
    limit_ = limit;
    choose_way();
    return errc::ok;
}

errc object::set_option(int level, int option, int value) noexcept {
    if (level == SOL_SOCKET && option == SO_LINGER) {
        if (value < 0) {
            return errc::invalid_argument;
        }
        resets_on_close_ = value == 0;
        return errc::ok;
    }
    const known_option* const known = find(level, option);
    if (known == nullptr) {
        const bool bytes = (level == IPPROTO_IP &&
                            (option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP)) ||
                           (level == SOL_SOCKET && option == SO_BINDTODEVICE);
        return bytes ? errc::invalid_argument : errc::bad_option;
    }
    if ((known->name == socket_option::send_buffer ||
         known->name == socket_option::receive_buffer) &&
        value < 0) {
        return errc::invalid_argument;
    }
    if (core_ != nullptr) {
        if (const errc error = told(core_->set_option(known->name, value)); error != errc::ok) {
            return error;
        }
    }
    switch (known->name) {
    case socket_option::no_delay:
        no_delay_ = value != 0;
        break;
    case socket_option::reuse_address:
        reuse_address_ = value != 0;
        break;
    case socket_option::keep_alive:
        keep_alive_ = value != 0;
        break;
    default:
        break;
    }
    return errc::ok;
}

errc object::set_option(int level, int option, std::span<const std::byte> value) noexcept {
    if (level == SOL_SOCKET && option == SO_LINGER && value.size() == 2 * sizeof(int)) {
        resets_on_close_ =
            read_as<int>(value) != 0 && read_as<int>(value.subspan(sizeof(int))) == 0;
        return errc::ok;
    }
    if (level == SOL_SOCKET && option == SO_BINDTODEVICE) {
        if (core_ == nullptr) {
            return errc::not_connected;
        }
        std::string_view name(reinterpret_cast<const char*>(value.data()), value.size());
        name = name.substr(0, name.find('\0'));
        return told(core_->bind_device(name));
    }
    if (level == IPPROTO_IP && (option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP)) {
        return change_membership(option == IP_ADD_MEMBERSHIP, value);
    }
    if (find(level, option) == nullptr && !(level == SOL_SOCKET && option == SO_LINGER)) {
        return errc::bad_option;
    }
    return value.size() == sizeof(int) ? set_option(level, option, read_as<int>(value))
                                       : errc::invalid_argument;
}

/// ip_mreq's form, and its twin for IPv6: the group's address, then the interface's.
errc object::change_membership(bool joins, std::span<const std::byte> value) noexcept {
    if (kind_ == kind::stream) {
        return errc::bad_option;
    }
    const std::size_t size = family_ == weft::family::ipv4 ? 4 : 16;
    if (value.size() != 2 * size) {
        return errc::invalid_argument;
    }
    const auto address_at = [&](std::size_t at) {
        if (size == 4) {
            const auto b = read_as<std::array<std::uint8_t, 4>>(value.subspan(at));
            return weft::address::v4(b[0], b[1], b[2], b[3]);
        }
        return weft::address::v6(read_as<std::array<std::uint8_t, 16>>(value.subspan(at)));
    };
    const weft::address group = address_at(0);
    const weft::address own = address_at(size);
    return told(joins ? udp().join_group(group, own) : udp().leave_group(group, own));
}

result<int> object::get_option(int level, int option) noexcept {
    if (level == SOL_SOCKET) {
        switch (option) {
        case SO_ERROR:
            return static_cast<int>(take_error());
        case SO_TYPE:
            return kind_ == kind::stream ? SOCK_STREAM : SOCK_DGRAM;
        case SO_ACCEPTCONN:
            return state_ == state::listening ? 1 : 0;
        case SO_LINGER:
            return resets_on_close_ ? 0 : -1;
        default:
            break;
        }
    }
    const known_option* const known = find(level, option);
    if (known == nullptr) {
        return fail(errc::bad_option);
    }
    if (core_ == nullptr) {
        switch (known->name) {
        case socket_option::no_delay:
            return no_delay_ ? 1 : 0;
        case socket_option::reuse_address:
            return reuse_address_ ? 1 : 0;
        case socket_option::keep_alive:
            return keep_alive_ ? 1 : 0;
        default:
            return fail(errc::not_connected);
        }
    }
    result<int> value = core_->get_option(known->name);
    if (!value) {
        return fail(value.error() == errc::not_supported ? errc::bad_option : value.error());
    }
    const bool flag =
        known->name != socket_option::send_buffer && known->name != socket_option::receive_buffer;
    return flag ? (*value != 0 ? 1 : 0) : *value;
}

std::size_t object::stream_ioctl(unsigned request, std::uintptr_t argument, int* error) noexcept {
    switch (request) {
    case stream_flush:
        push_out();
        return 0;
    case stream_poll:
        return poll(static_cast<unsigned>(argument));
    case stream_close:
        close();
        return 0;
    case stream_timeout: {
        const auto milliseconds = static_cast<std::intptr_t>(argument);
        if (milliseconds < -1) {
            break;
        }
        limit_ =
            milliseconds < 0 ? forever : weft::duration(std::chrono::milliseconds(milliseconds));
        choose_way();
        return 0;
    }
    default: // GET_FILENO too: the kernel knows nothing of the bytes that are held here
        break;
    }
    *error = static_cast<int>(errc::invalid_argument);
    return static_cast<std::size_t>(-1);
}

} // namespace usocket
