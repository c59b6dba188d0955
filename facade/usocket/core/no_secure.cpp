// A build without TLS.

#include "usocket/core/secure_options.hpp"

namespace usocket {

bool secure::is_there() noexcept {
    return false;
}

weft::result<std::unique_ptr<secure>> secure::by_default(end) noexcept {
    return weft::fail(weft::errc::protocol_not_supported);
}

weft::result<std::unique_ptr<secure>> make_secure(const secure_options&) noexcept {
    return weft::fail(weft::errc::protocol_not_supported);
}

weft::errc secure_by_default(const secure_options&) noexcept {
    return weft::errc::protocol_not_supported;
}

} // namespace usocket
