// handles: numbers for sockets that never name another one. A handle of a closed socket is known as
// such: the place that it points to has another generation by then.
#pragma once

#include "usocket/core/thread.hpp"

#include <weft/errc.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace usocket {

class object;

/// Positive; never given twice.
using handle = std::int64_t;

/// One place for a socket. A thread's own handles are looked up without a lock: nobody else changes
/// a place that is taken.
struct handle_place {
    std::atomic<handle> taken_by{0}; // 0: free
    std::atomic<const void*> owner{nullptr};
    object* target = nullptr;
    handle last = 0; // the last handle that this place had
    handle_place* next_free = nullptr;
};

class handles {
  public:
    static constexpr unsigned index_bits = 18;
    static constexpr std::size_t places_per_chunk = 256;
    static constexpr std::size_t chunks = (std::size_t{1} << index_bits) / places_per_chunk;

    struct found {
        object* target; // null: why
        weft::errc why; // bad_handle: closed, or never one; not_permitted: another thread's
    };

    static found find(handle h) noexcept {
        const auto index = static_cast<std::size_t>(h) & ((std::size_t{1} << index_bits) - 1);
        const handle_place* const chunk =
            chunk_[index / places_per_chunk].load(std::memory_order_acquire);
        if (chunk == nullptr) [[unlikely]] {
            return {nullptr, weft::errc::bad_handle};
        }
        const handle_place& place = chunk[index % places_per_chunk];
        if (place.taken_by.load(std::memory_order_acquire) != h || h == 0) [[unlikely]] {
            return {nullptr, weft::errc::bad_handle};
        }
        if (place.owner.load(std::memory_order_relaxed) != thread::token()) [[unlikely]] {
            return {nullptr, weft::errc::not_permitted};
        }
        return {place.target, weft::errc::ok};
    }

    /// 0: errc::too_many_open or errc::no_memory.
    static handle take(object& target) noexcept;
    static void give_back(handle h) noexcept;
    /// True for a handle that was given out once and is closed.
    static bool was_one(handle h) noexcept;

  private:
    static bool add_chunk() noexcept;
    static handle_place* place_of(handle h) noexcept;

    static std::atomic<handle_place*> chunk_[chunks];
};

} // namespace usocket
