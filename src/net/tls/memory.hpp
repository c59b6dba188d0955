// Where objects of TLS live: on hosts the heap, on a board the arena that mbedTLS has, too.
#pragma once

#include <weft/errc.hpp>

#include <cstddef>
#include <new>

namespace weft::tls {

#if defined(__unix__) || defined(__APPLE__)

struct allocated {};

inline void* allocate(std::size_t size) noexcept {
    return ::operator new(size, std::nothrow);
}
inline void release(void* memory) noexcept {
    ::operator delete(memory);
}

/// Not known: the heap of a host is everybody's.
constexpr std::size_t refusals() noexcept {
    return 0;
}

#else

/// A base of what is made with new.
struct allocated {
    static void* operator new(std::size_t size, const std::nothrow_t&) noexcept;
    static void operator delete(void* memory) noexcept;
    static void operator delete(void* memory, const std::nothrow_t&) noexcept;
};

/// The same for bytes.
void* allocate(std::size_t size) noexcept;
void release(void* memory) noexcept;

/// How often there was no memory.
std::size_t refusals() noexcept;

#endif

/// Whether it was memory that a call of mbedTLS failed for. Its number often does not say: a key
/// is of no format that there was memory to try, and a certificate of nobody who is trusted.
class memory_watch {
  public:
    [[nodiscard]] errc or_memory(errc reason) const noexcept {
        return refusals() != before_ ? errc::no_memory : reason;
    }

  private:
    std::size_t before_ = refusals();
};

} // namespace weft::tls
