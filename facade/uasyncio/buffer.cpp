#include <uasyncio/buffer.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace uasyncio {

bool buffer::reserve(std::size_t count) noexcept {
    if (capacity_ - end_ >= count) {
        return true;
    }
    const std::size_t kept = size();
    if (capacity_ - kept >= count && begin_ >= kept) { // never moves more than was taken before
        std::memmove(memory_.get(), memory_.get() + begin_, kept);
    } else {
        if (count > std::numeric_limits<std::size_t>::max() / 2 - kept) {
            return false;
        }
        const std::size_t larger = std::max(kept + count, kept + kept / 2);
        std::unique_ptr<std::byte[]> fresh(new (std::nothrow) std::byte[larger]);
        if (!fresh) {
            return false;
        }
        if (kept != 0) {
            std::memcpy(fresh.get(), memory_.get() + begin_, kept);
        }
        memory_ = std::move(fresh);
        capacity_ = larger;
    }
    begin_ = 0;
    end_ = kept;
    return true;
}

void buffer::clear() noexcept {
    begin_ = end_ = 0;
    if (capacity_ > most_kept) {
        memory_.reset();
        capacity_ = 0;
    }
}

weft::result<bytes> buffer::take(std::size_t count) noexcept {
    if (count == size() && begin_ == 0 && count > capacity_ / 2) {
        end_ = capacity_ = 0;
        return bytes(std::move(memory_), count);
    }
    weft::result<bytes> copied = bytes::copy_of(filled().first(count));
    if (copied) {
        consume(count);
    }
    return copied;
}

} // namespace uasyncio
