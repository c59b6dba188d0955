// The heap that TLS has on a board: every byte is accounted for, whatever comes and goes.
#include "net/tls/arena.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

namespace {

constexpr std::size_t granule = alignof(std::max_align_t);

struct small {
    alignas(std::max_align_t) std::array<std::byte, 4096> memory;
    weft::tls::arena heap;
    small() noexcept { heap.use(memory); }
};

bool aligned(const void* p) noexcept {
    return reinterpret_cast<std::uintptr_t>(p) % granule == 0;
}

} // namespace

TEST_CASE("tls arena: all of it but a granule's rest can be had in one block, again and again") {
    small one;
    CHECK(one.heap.size() == 4096 - granule);
    for (int i = 0; i < 3; ++i) {
        void* const all = one.heap.allocate(one.heap.size() - sizeof(std::size_t));
        REQUIRE(all != nullptr);
        CHECK(aligned(all));
        CHECK(one.heap.in_use() == one.heap.size());
        CHECK(one.heap.allocate(0) == nullptr);
        one.heap.release(all);
        CHECK(one.heap.in_use() == 0);
    }
    CHECK(one.heap.refused() == 3);
}

TEST_CASE("tls arena: memory that is not aligned gives blocks that are, inside it") {
    alignas(std::max_align_t) std::array<std::byte, 512> memory;
    for (std::size_t skip = 0; skip < 2 * granule; ++skip) {
        weft::tls::arena heap;
        const auto part = std::span(memory).subspan(skip, 300);
        heap.use(part);
        void* const block = heap.allocate(heap.size() - sizeof(std::size_t));
        REQUIRE(block != nullptr);
        CHECK(aligned(block));
        CHECK(static_cast<std::byte*>(block) - sizeof(std::size_t) >= part.data());
        CHECK(
            static_cast<std::byte*>(block) - sizeof(std::size_t) + heap.size() <=
            part.data() + part.size());
        CHECK(heap.size() > 300 - 2 * granule);
    }
}

TEST_CASE("tls arena: none, or too little memory: each request is refused") {
    weft::tls::arena heap;
    CHECK(heap.allocate(1) == nullptr);
    std::array<std::byte, granule> memory;
    heap.use(std::span(memory).first(granule - 1));
    CHECK(heap.size() == 0);
    CHECK(heap.allocate(1) == nullptr);
    CHECK(heap.refused() == 1); // use() begins anew
    heap.release(nullptr);
}

TEST_CASE("tls arena: a size that overflows is refused") {
    small one;
    CHECK(one.heap.allocate(SIZE_MAX) == nullptr);
    CHECK(one.heap.allocate(SIZE_MAX - sizeof(std::size_t)) == nullptr);
    CHECK(one.heap.refused() == 2);
    CHECK(one.heap.in_use() == 0);
}

TEST_CASE("tls arena: the lowest place that fits is taken, and the high water is where it ended") {
    small one;
    void* const first = one.heap.allocate(100);
    void* const second = one.heap.allocate(100);
    void* const third = one.heap.allocate(100);
    const std::size_t most = one.heap.high_water();
    CHECK(most == one.heap.in_use());
    one.heap.release(second);
    void* const again = one.heap.allocate(60);
    CHECK(again == second);
    CHECK(one.heap.high_water() == most);
    one.heap.release(first);
    one.heap.release(again);
    one.heap.release(third);
    CHECK(one.heap.in_use() == 0);
    CHECK(one.heap.high_water() == most);
    one.heap.reset_high_water();
    CHECK(one.heap.high_water() == 0);
}

TEST_CASE(
    "tls arena: 20,000 blocks that come and go keep what is in them, and all memory returns") {
    struct block {
        std::byte* at;
        std::size_t size;
        std::byte filled;
    };
    small one;
    std::mt19937 chance(1);
    std::vector<block> live;
    const auto release = [&](std::size_t i) {
        const block& gone = live[i];
        REQUIRE(std::all_of(
            gone.at, gone.at + gone.size, [&gone](std::byte each) { return each == gone.filled; }));
        one.heap.release(gone.at);
        live[i] = live.back();
        live.pop_back();
    };
    std::size_t refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (live.empty() || chance() % 2 == 0) {
            const std::size_t size = chance() % (chance() % 8 == 0 ? 900 : 60);
            auto* const at = static_cast<std::byte*>(one.heap.allocate(size));
            if (at == nullptr) {
                ++refused;
                continue;
            }
            REQUIRE(aligned(at));
            std::memset(at, i & 0xff, size);
            live.push_back({at, size, static_cast<std::byte>(i & 0xff)});
        } else {
            release(chance() % live.size());
        }
    }
    CHECK(refused > 0);
    CHECK(one.heap.refused() == refused);
    while (!live.empty()) {
        release(live.size() - 1);
    }
    CHECK(one.heap.in_use() == 0);
    CHECK(one.heap.allocate(one.heap.size() - sizeof(std::size_t)) != nullptr);
}
