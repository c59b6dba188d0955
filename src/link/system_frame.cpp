#include "link/system_frame.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

namespace weft {

gathered_frame::gathered_frame(
    std::span<const std::span<const std::byte>> parts, std::span<std::byte> overflow) noexcept {
    std::size_t copied = 0;
    for (const auto part : parts) {
        if (part.empty()) {
            continue;
        }
        if (count_ < most - 1) {
            // writev does not write to what iov_base points to; POSIX gave it no const
            vectors_[count_++] = {const_cast<std::byte*>(part.data()), part.size()};
        } else {
            std::memcpy(overflow.data() + copied, part.data(), part.size());
            copied += part.size();
        }
    }
    if (copied > 0) {
        vectors_[count_++] = {overflow.data(), copied};
    }
}

std::size_t gathered_frame::size(std::span<const std::span<const std::byte>> parts) noexcept {
    std::size_t all = 0;
    for (const auto part : parts) {
        all += part.size();
    }
    return all;
}

errc check_frame_size(std::size_t size, std::size_t mtu) noexcept {
    if (size < link::header_size) {
        return errc::invalid_argument;
    }
    return size > mtu + link::header_size ? errc::message_too_long : errc::ok;
}

bool is_valid_mtu(std::size_t mtu) noexcept {
    return mtu > 0 && mtu <= 65535 - link::header_size;
}

errc link_error(int system_error) noexcept {
    switch (system_error) {
    case EAGAIN:
        return errc::would_block;
    case ENOBUFS:
    case ENOMEM:
        return errc::no_buffers;
    case EIO: // a TAP whose interface is not up
    case ENETDOWN:
    case EBADFD:
        return errc::network_down;
    case EPERM:
    case EACCES:
        return errc::permission_denied;
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return errc::no_such_device;
    case EBUSY:
        return errc::busy;
    case EMSGSIZE:
        return errc::message_too_long;
    case EMFILE:
        return errc::too_many_open;
    case ENFILE:
        return errc::too_many_in_system;
    case EINVAL:
    case ENAMETOOLONG:
        return errc::invalid_argument;
    default:
        return errc::io_error;
    }
}

bool choose_address(const hardware_address& wanted, hardware_address& chosen) noexcept {
    chosen = wanted;
    if (wanted != hardware_address{}) {
        return true;
    }
    if (getrandom(chosen.data(), chosen.size(), 0) != static_cast<ssize_t>(chosen.size())) {
        return false;
    }
    constexpr unsigned group = 1;
    constexpr unsigned local = 2;
    chosen[0] = static_cast<std::uint8_t>((chosen[0] & ~group) | local);
    return true;
}

} // namespace weft
