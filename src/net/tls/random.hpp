// Where TLS's keys come from: the system's random source, without a generator of our own between.
#pragma once

#include <cstddef>

namespace weft::tls {

/// What mbedTLS calls: 0, or an error of its own if the system has no random numbers.
int random(void* nothing, unsigned char* into, std::size_t size) noexcept;

} // namespace weft::tls
