// secure_options: wrap_socket()'s arguments, for bindings of other languages.
#pragma once

#include "usocket/core/secure.hpp"

#include <memory>
#include <string_view>

namespace usocket {

struct secure_options {
    secure::end which = secure::end::client;
    int cert_reqs = 0; // 1 optional, 2 required
    std::string_view key = {};
    std::string_view cert = {};
    std::string_view authorities = {};
    std::string_view name = {};
};

/// errc::invalid_argument: what cannot be read, cert_reqs without authorities, or 2 of a client
/// without `name`: it would believe whomever the authorities know. protocol_not_supported: a build
/// without TLS; no_memory.
[[nodiscard]] weft::result<std::unique_ptr<secure>> make_secure(const secure_options& how) noexcept;

/// The same, for this thread's sockets of IPPROTO_SEC that nobody wraps from now on. Of clients
/// `name` is whom each of them expects; empty: anybody.
[[nodiscard]] weft::errc secure_by_default(const secure_options& how) noexcept;

} // namespace usocket
