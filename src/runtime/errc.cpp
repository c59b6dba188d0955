#include <weft/errc.hpp>
#include <weft/one_stack.hpp>

namespace weft {

namespace {
struct entry {
    errc error;
    const char* name;
    const char* message;
};
constexpr entry table[] = {
    {errc::ok, "OK", "no error"},
    {errc::not_permitted, "EPERM", "operation not permitted"},
    {errc::no_such_entry, "ENOENT", "no such entry"},
    {errc::interrupted, "EINTR", "interrupted"},
    {errc::io_error, "EIO", "input/output error"},
    {errc::no_such_device, "ENODEV", "no such device"},
    {errc::bad_handle, "EBADF", "the socket is closed"},
    {errc::would_block, "EAGAIN", "would block"},
    {errc::no_memory, "ENOMEM", "out of memory"},
    {errc::permission_denied, "EACCES", "permission denied"},
    {errc::busy, "EBUSY", "busy"},
    {errc::invalid_argument, "EINVAL", "invalid argument"},
    {errc::too_many_in_system, "ENFILE", "too many open files in the system"},
    {errc::too_many_open, "EMFILE", "too many open files"},
    {errc::broken_pipe, "EPIPE", "broken pipe"},
    {errc::out_of_range, "ERANGE", "out of range"},
    {errc::would_deadlock, "EDEADLK", "would wait for itself for ever"},
    {errc::end_of_stream, "ENODATA", "end of stream"},
    {errc::protocol_error, "EPROTO", "protocol error"},
    {errc::destination_required, "EDESTADDRREQ", "destination address required"},
    {errc::message_too_long, "EMSGSIZE", "message too long"},
    {errc::bad_option, "ENOPROTOOPT", "no such option"},
    {errc::protocol_not_supported, "EPROTONOSUPPORT", "protocol not supported"},
    {errc::not_supported, "EOPNOTSUPP", "operation not supported"},
    {errc::family_not_supported, "EAFNOSUPPORT", "address family not supported"},
    {errc::address_in_use, "EADDRINUSE", "address in use"},
    {errc::address_not_available, "EADDRNOTAVAIL", "address not available"},
    {errc::network_down, "ENETDOWN", "network is down"},
    {errc::network_unreachable, "ENETUNREACH", "network is unreachable"},
    {errc::connection_aborted, "ECONNABORTED", "connection aborted"},
    {errc::connection_reset, "ECONNRESET", "connection reset by peer"},
    {errc::no_buffers, "ENOBUFS", "no buffer space"},
    {errc::already_connected, "EISCONN", "already connected"},
    {errc::not_connected, "ENOTCONN", "not connected"},
    {errc::timed_out, "ETIMEDOUT", "timed out"},
    {errc::connection_refused, "ECONNREFUSED", "connection refused"},
    {errc::host_unreachable, "EHOSTUNREACH", "host is unreachable"},
    {errc::already, "EALREADY", "another operation of that kind is under way"},
    {errc::in_progress, "EINPROGRESS", "in progress"},
    {errc::canceled, "ECANCELED", "canceled"},
#if !WEFT_ONE_STACK // a board with TLS has the waist of a host
    {errc::tls_protocol, "TLS_PROTOCOL", "the peer broke the rules of TLS"},
    {errc::tls_alert, "TLS_ALERT", "the peer refused by a TLS alert"},
    {errc::tls_truncated, "TLS_TRUNCATED", "the connection ended without TLS's goodbye"},
    {errc::tls_no_agreement, "TLS_NO_AGREEMENT", "no TLS version, cipher or protocol in common"},
    {errc::certificate_missing, "CERT_MISSING", "the peer has no certificate"},
    {errc::certificate_untrusted, "CERT_UNTRUSTED", "no known authority signed the certificate"},
    {errc::certificate_revoked, "CERT_REVOKED", "the certificate is revoked"},
    {errc::certificate_expired, "CERT_EXPIRED", "the certificate has expired"},
    {errc::certificate_not_yet_valid, "CERT_NOT_YET_VALID", "the certificate is not valid yet"},
    {errc::certificate_wrong_name, "CERT_WRONG_NAME", "the certificate is for another name"},
    {errc::certificate_unfit, "CERT_UNFIT", "the certificate is not fit for this use"},
#endif
    {errc::name_bad_flags, "EAI_BADFLAGS", "invalid flags for a name"},
    {errc::name_not_found, "EAI_NONAME", "name not found"},
    {errc::name_try_again, "EAI_AGAIN", "temporary failure in name resolution"},
    {errc::name_failed, "EAI_FAIL", "failure in name resolution"},
    {errc::name_no_address, "EAI_NODATA", "no address of this family for the name"},
    {errc::name_family_not_supported, "EAI_FAMILY", "address family not supported for names"},
    {errc::name_socket_type_not_supported, "EAI_SOCKTYPE", "socket type not supported"},
    {errc::name_service_not_supported, "EAI_SERVICE", "service not supported for the socket type"},
    {errc::name_no_memory, "EAI_MEMORY", "out of memory in name resolution"},
};

const entry* find(errc error) noexcept {
    for (const entry& each : table) {
        if (each.error == error) {
            return &each;
        }
    }
    return nullptr;
}
} // namespace

const char* name(errc error) noexcept {
    const entry* found = find(error);
    return found != nullptr ? found->name : "E?";
}

const char* message(errc error) noexcept {
    const entry* found = find(error);
    return found != nullptr ? found->message : "unknown error";
}

} // namespace weft
