// The C functions of TLS.

#include "c/convert.hpp"
#include "c/usocket.h"

#include "usocket/core/object.hpp"
#include "usocket/core/secure_options.hpp"
#include "usocket/error.hpp"

#include <memory>
#include <string_view>
#include <utility>

namespace {

using usocket::handles;
using usocket::secure;
using weft::errc;
using namespace usocket::c;

std::string_view text(const void* at, std::size_t size) noexcept {
    return {static_cast<const char*>(at), size};
}

weft::result<usocket::secure_options> options(const us_tls* how) noexcept {
    if (how == nullptr || !is_memory(how->key, how->key_size) ||
        !is_memory(how->cert, how->cert_size) || !is_memory(how->cadata, how->cadata_size) ||
        !is_memory(how->server_hostname, how->server_hostname_size)) {
        return weft::fail(errc::invalid_argument);
    }
    return usocket::secure_options{
        .which = how->server_side != 0 ? secure::end::server : secure::end::client,
        .cert_reqs = how->cert_reqs,
        .key = text(how->key, how->key_size),
        .cert = text(how->cert, how->cert_size),
        .authorities = text(how->cadata, how->cadata_size),
        .name = text(how->server_hostname, how->server_hostname_size),
    };
}

} // namespace

extern "C" {

int us_wrap(us_socket s, const us_tls* how) {
    const handles::found it = handles::find(s);
    if (it.target == nullptr) {
        return negative(it.why);
    }
    const weft::result<usocket::secure_options> given = options(how);
    if (!given) {
        return negative(given.error());
    }
    weft::result<std::unique_ptr<secure>> made = usocket::make_secure(*given);
    if (!made) {
        return negative(made.error());
    }
    return negative(it.target->wrap(std::move(*made), how->do_handshake != 0));
}

int us_do_handshake(us_socket s) {
    const handles::found it = handles::find(s);
    return negative(it.target != nullptr ? it.target->do_handshake() : it.why);
}

int us_tls_default(const us_tls* how) {
    const weft::result<usocket::secure_options> given = options(how);
    return negative(given ? usocket::secure_by_default(*given) : given.error());
}

int us_error_number(int64_t error) {
    return usocket::python_error(usocket::from_c_number(error)).number;
}
}
