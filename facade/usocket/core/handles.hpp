// handles: numbers for sockets that never name another one. A handle of a closed socket is known as
// such: the place that it points to has another generation by then.
#pragma once

#include <weft/errc.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weft {
class tcp_socket;
}

namespace usocket {

class object;

/// Positive; never given twice. The low bits are the index of its place.
using handle = std::int64_t;

#if !defined(__STDCPP_THREADS__)
inline constexpr char only_thread = 0;
#endif

/// The same for every call of one thread, and for no other living thread.
inline const void* this_thread() noexcept {
#if !defined(__STDCPP_THREADS__)
    return &only_thread;
#elif defined(__x86_64__) || defined(__aarch64__)
    return __builtin_thread_pointer();
#else
    static thread_local char here;
    return &here;
#endif
}

#if defined(__STDCPP_THREADS__)
template <class T>
using shared = std::atomic<T>;
#else
/// Where there is one thread, and perhaps no atomic of this size.
template <class T>
class shared {
  public:
    constexpr shared(T value) noexcept : value_(value) {}
    T load(std::memory_order) const noexcept { return value_; }
    void store(T value, std::memory_order) noexcept { value_ = value; }

  private:
    T value_;
};
#endif

/// One place for a socket. A thread's own handles are looked up without a lock: nobody else changes
/// a place that is taken. A free place has no owner.
struct handle_place {
    shared<handle> taken_by{0};
    shared<const void*> owner{nullptr};
    /// Set while bytes may go straight to and from the stack's socket: connected, may not wait, and
    /// nothing held.
    weft::tcp_socket* direct = nullptr;
    object* target = nullptr;
};

class handles {
  public:
    /// How many sockets there can be at a time.
#if defined(WEFT_FACADE_SOCKET_BITS)
    static constexpr unsigned index_bits = WEFT_FACADE_SOCKET_BITS;
#else
    static constexpr unsigned index_bits = 16;
#endif
    static constexpr std::size_t places = std::size_t{1} << index_bits;

    /// Null: use find() to learn why.
    static handle_place* place_of(handle h) noexcept {
        handle_place& place = places_[static_cast<std::size_t>(h) & (places - 1)];
        const bool is_it = place.taken_by.load(std::memory_order_relaxed) == h &&
                           place.owner.load(std::memory_order_relaxed) == this_thread();
        return is_it ? &place : nullptr;
    }

    struct found {
        object* target; // null: why
        weft::errc why; // bad_handle: closed, or never one; not_permitted: another thread's
    };
    static found find(handle h) noexcept {
        const handle_place* const place = place_of(h);
        return place != nullptr ? found{place->target, weft::errc::ok} : missing(h);
    }

    /// Null: all places are taken.
    static handle_place* take(object& target) noexcept;
    static void give_back(handle_place& place) noexcept;
    /// True for a handle that was given out once and is closed.
    static bool was_one(handle h) noexcept;

    /// For what has numbers and is no socket: one that nothing else ever has.
    static std::int64_t next_number() noexcept;

  private:
    static found missing(handle h) noexcept;

    static handle_place places_[places]; // pages that were never used take no memory on a host
};

} // namespace usocket
