// Where objects of TLS live: on hosts the heap, on a board the arena that mbedTLS has, too.
#pragma once

#include <cstddef>
#include <new>

namespace weft::tls {

/// A base of what is made with new.
struct allocated {
#if !defined(__unix__) && !defined(__APPLE__)
    static void* operator new(std::size_t size, const std::nothrow_t&) noexcept;
    static void operator delete(void* memory) noexcept;
    static void operator delete(void* memory, const std::nothrow_t&) noexcept;
#endif
};

} // namespace weft::tls
