// lwIP's counters of its pools and heap, for who wants to see how much of them is ever used.

#include "stack/lwip/api.hpp"

#include <weft/lwip.hpp>

#include <array>
#include <cstddef>

extern "C" {
#include <lwip/memp.h>
#include <lwip/stats.h>
}

namespace weft {

#if LWIP_STATS && MEMP_STATS

namespace {

/// lwIP keeps names for its debug log only; its list of pools is made to be read again.
constexpr std::array<const char*, MEMP_MAX> names = {
#define LWIP_MEMPOOL(name, number, size, description) #name,
#include <lwip/priv/memp_std.h>
};

lwip_pool counted(const char* name, const stats_mem& by) noexcept {
    return {name, by.used, by.max, by.avail, by.err};
}

} // namespace

std::size_t lwip_pools::size() const noexcept {
    return names.size() + (MEM_STATS ? 1 : 0);
}

lwip_pool lwip_pools::operator[](std::size_t index) const noexcept {
#if MEM_STATS
    if (index == names.size()) {
        return counted("HEAP", lwip_stats.mem);
    }
#endif
    return counted(names[index], *memp_pools[index]->stats);
}

#else

std::size_t lwip_pools::size() const noexcept {
    return 0;
}

lwip_pool lwip_pools::operator[](std::size_t) const noexcept {
    return {};
}

#endif

} // namespace weft
