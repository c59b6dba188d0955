// errno as weft::errc. Linux's numbers are weft's; elsewhere they are translated by name.
#pragma once

#include <weft/errc.hpp>

#include <cerrno>

namespace weft::host {

[[nodiscard]] errc error_from_errno(int number) noexcept;
[[nodiscard]] inline errc last_error() noexcept {
    return error_from_errno(errno);
}

} // namespace weft::host
