// The options of a stack: what is wrong with them, and those parts that few programs use.
#pragma once

#include "stack/lwip/api.hpp"

#include <weft/lwip.hpp>

namespace weft::lwip {

/// errc::ok, or what is wrong with them.
[[nodiscard]] errc check(const lwip_options& o) noexcept;

template <class T>
inline errc use(const option_list<T>& list, host* by) noexcept {
#if WEFT_ONE_STACK
    return list.use(by);
#else
    return use_option(list, by);
#endif
}

} // namespace weft::lwip
