#include "usocket/core/byte_queue.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace usocket {

namespace {
constexpr std::size_t kept_when_empty = 4096; // more goes back to the heap
} // namespace

/// Memory with `before` free bytes in front of the queue and at least `behind` after it.
bool byte_queue::regrow(std::size_t before, std::size_t behind) noexcept {
    const std::size_t used = size();
    if (before + used + behind <= capacity_) {
        if (used != 0) {
            std::memmove(memory_.get() + before, memory_.get() + begin_, used);
        }
    } else {
        std::size_t wanted = std::max(before + used + behind, capacity_ * 2);
        std::unique_ptr<std::byte[]> larger(new (std::nothrow) std::byte[wanted]);
        if (!larger) {
            wanted = before + used + behind;
            larger.reset(new (std::nothrow) std::byte[wanted]);
        }
        if (!larger) {
            return false;
        }
        if (used != 0) {
            std::memcpy(larger.get() + before, memory_.get() + begin_, used);
        }
        memory_ = std::move(larger);
        capacity_ = wanted;
    }
    begin_ = before;
    end_ = before + used;
    return true;
}

std::span<std::byte> byte_queue::room(std::size_t n) noexcept {
    if (capacity_ - end_ < n && !regrow(0, n)) {
        return {};
    }
    return {memory_.get() + end_, capacity_ - end_};
}

std::size_t byte_queue::take(std::span<std::byte> into) noexcept {
    const std::size_t n = std::min(into.size(), size());
    if (n != 0) {
        std::memcpy(into.data(), memory_.get() + begin_, n);
        drop(n);
    }
    return n;
}

void byte_queue::drop(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (capacity_ > kept_when_empty) {
            memory_.reset();
            capacity_ = 0;
        }
    }
}

bool byte_queue::put_front(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty()) {
        return true;
    }
    if (begin_ < bytes.size() && !regrow(bytes.size(), 0)) {
        return false;
    }
    begin_ -= bytes.size();
    std::memcpy(memory_.get() + begin_, bytes.data(), bytes.size());
    return true;
}

} // namespace usocket
