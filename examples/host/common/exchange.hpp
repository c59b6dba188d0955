// A transfer through an echo server that is checked: what is sent on one side of the connection
// must come back on the other, byte for byte.
#pragma once

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <cstddef>

namespace example {

/// Connects, sends `bytes` bytes that no two offsets share a pattern of, receives them while it
/// sends, and compares. Shows a progress bar on a terminal, and the throughput at the end.
/// errc::protocol_error, after saying where, if a byte differs or the end comes too soon.
weft::task<> exchange(weft::stack& net, weft::endpoint to, std::size_t bytes);

} // namespace example
