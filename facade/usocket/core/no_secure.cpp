// A build without TLS.

#include "usocket/core/secure.hpp"

namespace usocket {

bool secure::is_there() noexcept {
    return false;
}

weft::result<std::unique_ptr<secure>> secure::by_default(end) noexcept {
    return weft::fail(weft::errc::protocol_not_supported);
}

} // namespace usocket
