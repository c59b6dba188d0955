// A board's memory for TLS. On hosts mbedTLS is the system's, with its heap.
#include "net/tls/memory.hpp"

#include "net/tls/arena.hpp"

#include <weft/tls_arena.hpp>

#include <cstring>

namespace weft {

namespace {

constinit tls::arena heap;

} // namespace

void tls_memory::use_arena(std::span<std::byte> memory) noexcept {
    heap.use(memory);
}
std::size_t tls_memory::arena_size() noexcept {
    return heap.size();
}
std::size_t tls_memory::in_use() noexcept {
    return heap.in_use();
}
std::size_t tls_memory::high_water() noexcept {
    return heap.high_water();
}
void tls_memory::reset_high_water() noexcept {
    heap.reset_high_water();
}
std::size_t tls_memory::refused() noexcept {
    return heap.refused();
}

namespace tls {

void* allocate(std::size_t size) noexcept {
    return heap.allocate(size);
}
void release(void* memory) noexcept {
    heap.release(memory);
}
void* allocated::operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return heap.allocate(size);
}
void allocated::operator delete(void* memory) noexcept {
    heap.release(memory);
}
void allocated::operator delete(void* memory, const std::nothrow_t&) noexcept {
    heap.release(memory);
}

std::size_t refusals() noexcept {
    return heap.refused();
}

} // namespace tls

} // namespace weft

// What mbedTLS calls: mbedtls_board.h.

extern "C" void* weft_tls_allocate(std::size_t count, std::size_t size);
extern "C" void weft_tls_release(void* memory);

void* weft_tls_allocate(std::size_t count, std::size_t size) {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return nullptr;
    }
    void* const given = weft::heap.allocate(bytes);
    if (given != nullptr) {
        std::memset(given, 0, bytes);
    }
    return given;
}

void weft_tls_release(void* memory) {
    weft::heap.release(memory);
}
