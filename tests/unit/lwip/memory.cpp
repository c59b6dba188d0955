#include "memory.hpp"

#include "stack/lwip/api.hpp"

#include <weft/seeded_random.hpp>

#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <utility>

namespace memory {
namespace {

unsigned failing = 0;
bool by_chance = false;
double chance = 0;
std::size_t left = 0;
std::size_t failed = 0;
weft::seeded_random dice{1};
usage now;
std::ptrdiff_t peak = 0;
std::size_t write_calls = 0;
int depth = 0;
bool inside_pool = false; // a pool that is on the heap is still a pool

bool fails(unsigned k) noexcept {
    if ((failing & k) == 0) {
        return false;
    }
    const bool yes = by_chance ? dice.chance(chance) : left == 0;
    left -= !by_chance && left != 0 ? 1 : 0;
    failed += yes ? 1 : 0;
    return yes;
}

unsigned kind_of(memp_t type) noexcept {
    switch (type) {
    case MEMP_TCP_PCB:
    case MEMP_TCP_PCB_LISTEN:
    case MEMP_UDP_PCB:
        return of_pcbs;
    case MEMP_TCP_SEG:
        return of_segments;
    case MEMP_PBUF:
    case MEMP_PBUF_POOL:
        return of_pbufs;
    default:
        return 0;
    }
}

void count(memp_t type, int by) noexcept {
    switch (kind_of(type)) {
    case of_pcbs:
        now.pcbs += by;
        break;
    case of_segments:
        now.segments += by;
        break;
    case of_pbufs:
        now.pbufs += by;
        break;
    default:
        break;
    }
}

} // namespace

void fail_at_random(unsigned kinds, double probability, std::uint64_t seed) noexcept {
    failing = kinds;
    by_chance = true;
    chance = probability;
    dice = weft::seeded_random(seed);
    failed = 0;
}

void fail_after(unsigned kinds, std::size_t count) noexcept {
    failing = kinds;
    by_chance = false;
    left = count;
    failed = 0;
}

void recover() noexcept {
    failing = 0;
}
std::size_t failures() noexcept {
    return failed;
}
usage in_use() noexcept {
    return now;
}
std::ptrdiff_t heap_peak() noexcept {
    return std::exchange(peak, now.heap_bytes);
}
std::size_t writes() noexcept {
    return write_calls;
}
bool inside_lwip() noexcept {
    return depth != 0;
}

namespace {
struct inside {
    inside() noexcept { ++depth; }
    ~inside() { --depth; }
};
} // namespace

} // namespace memory

using namespace memory;

// Each wrapped function is the linker's to name.
#pragma GCC diagnostic ignored "-Wmissing-declarations"
extern "C" {

void* __real_mem_malloc(mem_size_t size);
void* __wrap_mem_malloc(mem_size_t size) {
    if (inside_pool) {
        return __real_mem_malloc(size);
    }
    void* block = fails(of_heap) ? nullptr : __real_mem_malloc(size);
    if (block != nullptr) {
        ++now.heap_blocks;
#if MEM_LIBC_MALLOC
        now.heap_bytes += static_cast<std::ptrdiff_t>(malloc_usable_size(block));
#endif
        peak = std::max(peak, now.heap_bytes);
    }
    return block;
}

void __real_mem_free(void* block);
void __wrap_mem_free(void* block) {
    if (block != nullptr && !inside_pool) {
        --now.heap_blocks;
#if MEM_LIBC_MALLOC
        now.heap_bytes -= static_cast<std::ptrdiff_t>(malloc_usable_size(block));
#endif
    }
    __real_mem_free(block);
}

void* __real_memp_malloc(memp_t type);
void* __wrap_memp_malloc(memp_t type) {
    if (fails(kind_of(type))) {
        return nullptr;
    }
    const bool outside = std::exchange(inside_pool, true);
    void* element = __real_memp_malloc(type);
    inside_pool = outside;
    if (element != nullptr) {
        count(type, 1);
    }
    return element;
}

void __real_memp_free(memp_t type, void* element);
void __wrap_memp_free(memp_t type, void* element) {
    if (element != nullptr) {
        count(type, -1);
    }
    const bool outside = std::exchange(inside_pool, true);
    __real_memp_free(type, element);
    inside_pool = outside;
}

err_t __real_ethernet_input(pbuf* p, netif* in);
err_t __wrap_ethernet_input(pbuf* p, netif* in) {
    const inside call;
    return __real_ethernet_input(p, in);
}

err_t __real_ip_input(pbuf* p, netif* in);
err_t __wrap_ip_input(pbuf* p, netif* in) {
    const inside call;
    return __real_ip_input(p, in);
}

void __real_sys_check_timeouts(void);
void __wrap_sys_check_timeouts(void) {
    const inside call;
    __real_sys_check_timeouts();
}

err_t __real_tcp_write(tcp_pcb* pcb, const void* data, u16_t size, u8_t flags);
err_t __wrap_tcp_write(tcp_pcb* pcb, const void* data, u16_t size, u8_t flags) {
    const inside call;
    ++write_calls;
    return __real_tcp_write(pcb, data, size, flags);
}

err_t __real_tcp_output(tcp_pcb* pcb);
err_t __wrap_tcp_output(tcp_pcb* pcb) {
    const inside call;
    return __real_tcp_output(pcb);
}

err_t __real_tcp_close(tcp_pcb* pcb);
err_t __wrap_tcp_close(tcp_pcb* pcb) {
    const inside call;
    return __real_tcp_close(pcb);
}

void __real_tcp_abort(tcp_pcb* pcb);
void __wrap_tcp_abort(tcp_pcb* pcb) {
    const inside call;
    __real_tcp_abort(pcb);
}
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    if (fails(of_objects)) {
        return nullptr;
    }
#if defined(__cpp_exceptions)
    try {
        return ::operator new(size);
    } catch (...) {
        return nullptr;
    }
#else
    return ::operator new(size);
#endif
}
