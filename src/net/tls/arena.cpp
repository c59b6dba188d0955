#include "net/tls/arena.hpp"

#include <cstdint>

namespace weft::tls {

void arena::use(std::span<std::byte> memory) noexcept {
    // blocks begin so that what is behind their size is aligned
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::size_t skipped = (2 * granule - sizeof(std::size_t) - begin % granule) % granule;
    *this = arena();
    if (memory.size() < skipped + granule) {
        return;
    }
    first_ = memory.data() + skipped;
    size_ = (memory.size() - skipped) / granule * granule;
    free_ = reinterpret_cast<block*>(first_);
    *free_ = {size_, nullptr};
}

void* arena::allocate(std::size_t size) noexcept {
    const std::size_t whole = (size + sizeof(std::size_t) + granule - 1) / granule * granule;
    block** link = &free_;
    while (*link != nullptr && (*link)->size < whole) {
        link = &(*link)->next;
    }
    if (*link == nullptr || whole < size) {
        ++refused_;
        return nullptr;
    }
    block* const found = *link;
    if (found->size == whole) {
        *link = found->next;
    } else {
        auto* const rest = reinterpret_cast<block*>(reinterpret_cast<std::byte*>(found) + whole);
        *rest = {found->size - whole, found->next};
        *link = rest;
    }
    found->size = whole;
    in_use_ += whole;
    const auto end = static_cast<std::size_t>(reinterpret_cast<std::byte*>(found) - first_) + whole;
    high_water_ = end > high_water_ ? end : high_water_;
    return &found->next;
}

void arena::release(void* memory) noexcept {
    if (memory == nullptr) {
        return;
    }
    auto* const freed =
        reinterpret_cast<block*>(static_cast<std::byte*>(memory) - offsetof(block, next));
    in_use_ -= freed->size;
    block* before = nullptr;
    block* behind = free_;
    while (behind != nullptr && behind < freed) {
        before = behind;
        behind = behind->next;
    }
    const auto touch = [](const block* one, const block* other) noexcept {
        return reinterpret_cast<const std::byte*>(one) + one->size ==
               reinterpret_cast<const std::byte*>(other);
    };
    freed->next = behind;
    if (behind != nullptr && touch(freed, behind)) {
        freed->size += behind->size;
        freed->next = behind->next;
    }
    if (before == nullptr) {
        free_ = freed;
    } else if (touch(before, freed)) {
        before->size += freed->size;
        before->next = freed->next;
    } else {
        before->next = freed;
    }
}

} // namespace weft::tls
