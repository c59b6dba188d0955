#include "stack/host/system_errors.hpp"

namespace weft::host {

errc error_from_errno(int number) noexcept {
#if defined(__linux__)
    return static_cast<errc>(number);
#else
    switch (number) {
    case 0:
        return errc::ok;
    case EPERM:
        return errc::not_permitted;
    case EINTR:
        return errc::interrupted;
    case EBADF:
        return errc::bad_handle;
    case EAGAIN:
        return errc::would_block;
    case ENOMEM:
        return errc::no_memory;
    case EACCES:
        return errc::permission_denied;
    case EINVAL:
        return errc::invalid_argument;
    case ENFILE:
        return errc::too_many_in_system;
    case EMFILE:
        return errc::too_many_open;
    case EPIPE:
        return errc::broken_pipe;
    case EDESTADDRREQ:
        return errc::destination_required;
    case EMSGSIZE:
        return errc::message_too_long;
    case ENOPROTOOPT:
        return errc::bad_option;
    case EOPNOTSUPP:
        return errc::not_supported;
    case EAFNOSUPPORT:
        return errc::family_not_supported;
    case EADDRINUSE:
        return errc::address_in_use;
    case EADDRNOTAVAIL:
        return errc::address_not_available;
    case ENETDOWN:
        return errc::network_down;
    case ENETUNREACH:
        return errc::network_unreachable;
    case ECONNABORTED:
        return errc::connection_aborted;
    case ECONNRESET:
        return errc::connection_reset;
    case ENOBUFS:
        return errc::no_buffers;
    case EISCONN:
        return errc::already_connected;
    case ENOTCONN:
        return errc::not_connected;
    case ETIMEDOUT:
        return errc::timed_out;
    case ECONNREFUSED:
        return errc::connection_refused;
    case EHOSTUNREACH:
        return errc::host_unreachable;
    case EALREADY:
        return errc::already;
    case EINPROGRESS:
        return errc::in_progress;
    default:
        return errc::io_error;
    }
#endif
}

} // namespace weft::host
