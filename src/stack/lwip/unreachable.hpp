// Destinations that cannot be reached, as ICMP tells it.
#pragma once

namespace weft::lwip {

/// From now on sockets that connect, and connected UDP sockets, are told.
void hear_of_unreachable() noexcept;

} // namespace weft::lwip
