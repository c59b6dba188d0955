// bytes: what a read returns, the same as usocket's.
//
//     auto line = co_await peer.readline();       // weft::result<uasyncio::bytes>
//     if (line && *line == "quit\n") { co_return; }
//     std::string_view text = *line;              // or std::span<const std::byte>
#pragma once

#include <usocket/bytes.hpp>

namespace uasyncio {

using bytes = usocket::bytes;

} // namespace uasyncio
