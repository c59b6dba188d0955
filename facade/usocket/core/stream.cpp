#include "usocket/stream.hpp"

#include "c/usocket.h"

namespace usocket {

std::size_t stream_read(const socket& s, void* into, std::size_t size, int* error) noexcept {
    return us_stream_read(s.number(), into, size, error);
}

std::size_t stream_write(const socket& s, const void* from, std::size_t size, int* error) noexcept {
    return us_stream_write(s.number(), from, size, error);
}

std::size_t
stream_ioctl(const socket& s, unsigned request, std::uintptr_t argument, int* error) noexcept {
    return us_stream_ioctl(s.number(), request, argument, error);
}

} // namespace usocket
