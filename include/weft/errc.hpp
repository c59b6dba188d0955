// Error numbers: every failure in weft is one of these values.
//
// The numbers are Linux's on every target and every libc (newlib's differ), so that a log from a
// board, a host and MicroPython name the same thing:
//
//     if (!received && received.error() == weft::errc::connection_reset) { ... }
#pragma once

namespace weft {

enum class errc : int {
    ok = 0,
    not_permitted = 1,           // EPERM: another thread's loop, or a privileged port
    no_such_entry = 2,           // ENOENT
    interrupted = 4,             // EINTR
    io_error = 5,                // EIO
    no_such_device = 19,         // ENODEV
    bad_handle = 9,              // EBADF: the socket is closed
    would_block = 11,            // EAGAIN: try again when ready
    no_memory = 12,              // ENOMEM: frames, pcbs, pbufs or heap
    permission_denied = 13,      // EACCES
    busy = 16,                   // EBUSY
    invalid_argument = 22,       // EINVAL
    too_many_in_system = 23,     // ENFILE
    too_many_open = 24,          // EMFILE
    out_of_range = 34,           // ERANGE: a descriptor beyond FD_SETSIZE
    broken_pipe = 32,            // EPIPE: sending after the end of the stream
    would_deadlock = 35,         // EDEADLK: nothing that could end this wait is left to happen
    end_of_stream = 61,          // ENODATA: the peer finished before all bytes came
    protocol_error = 71,         // EPROTO
    destination_required = 89,   // EDESTADDRREQ
    message_too_long = 90,       // EMSGSIZE
    bad_option = 92,             // ENOPROTOOPT
    protocol_not_supported = 93, // EPROTONOSUPPORT
    not_supported = 95,          // EOPNOTSUPP
    family_not_supported = 97,   // EAFNOSUPPORT
    address_in_use = 98,         // EADDRINUSE
    address_not_available = 99,  // EADDRNOTAVAIL
    network_down = 100,          // ENETDOWN
    network_unreachable = 101,   // ENETUNREACH
    connection_aborted = 103,    // ECONNABORTED
    connection_reset = 104,      // ECONNRESET
    no_buffers = 105,            // ENOBUFS
    already_connected = 106,     // EISCONN
    not_connected = 107,         // ENOTCONN
    timed_out = 110,             // ETIMEDOUT
    connection_refused = 111,    // ECONNREFUSED
    host_unreachable = 113,      // EHOSTUNREACH
    already = 114,               // EALREADY: a second reader or writer, a second connect
    in_progress = 115,           // EINPROGRESS
    canceled = 125,              // ECANCELED: the scope of this wait was cancelled

    // What no errno tells: TLS. Above Linux's numbers, which end at 133.
    tls_protocol = 301,     // the peer does not speak TLS, or broke its rules
    tls_alert = 302,        // the peer refused, by a fatal alert
    tls_truncated = 303,    // the connection ended and the peer had not said that it would
    tls_no_agreement = 304, // no version, cipher or application protocol that both ends have
    // Why a certificate was refused; the first of these that holds.
    certificate_missing = 311,
    certificate_untrusted = 312, // no known authority stands behind it
    certificate_revoked = 313,
    certificate_expired = 314,
    certificate_not_yet_valid = 315,
    certificate_wrong_name = 316,
    certificate_unfit = 317, // not for this use, or made with what is too weak

    // What resolve() says of a name: glibc's EAI_* numbers, which are negative.
    name_bad_flags = -1,                 // EAI_BADFLAGS
    name_not_found = -2,                 // EAI_NONAME: there is no such name
    name_try_again = -3,                 // EAI_AGAIN: no answer, or a server's failure
    name_failed = -4,                    // EAI_FAIL: asking again will not help
    name_no_address = -5,                // EAI_NODATA: the name is there, with none of this family
    name_family_not_supported = -6,      // EAI_FAMILY
    name_socket_type_not_supported = -7, // EAI_SOCKTYPE
    name_service_not_supported = -8,     // EAI_SERVICE: no such service, or not for this type
    name_no_memory = -10,                // EAI_MEMORY
};

/// The short name, as errno.h or netdb.h spells it ("ECONNRESET", "EAI_NONAME"), or "E?" for a
/// number outside the table. Static storage.
[[nodiscard]] const char* name(errc error) noexcept;

/// One lower-case phrase for people ("connection reset by peer"). Static storage.
[[nodiscard]] const char* message(errc error) noexcept;

} // namespace weft
