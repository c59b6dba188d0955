#include "usocket/core/handles.hpp"

namespace usocket {

constinit handle_place handles::places_[places] = {};

namespace {

// What only opening and closing look at, under one lock for all threads: they are rare beside
// looking up.
struct place_history {
    handle last = 0; // the last handle that this place had
    std::uint32_t next_free = 0;
};
constinit place_history history[handles::places] = {};
constinit std::uint32_t never_used = 1; // place 0 is nobody's: 0 is no handle
constinit std::uint32_t first_free = 0; // 0: none; taken in the order in which they were freed
constinit std::uint32_t last_free = 0;

#if defined(__STDCPP_THREADS__)

constinit std::atomic<bool> locked{false};

class lock_places {
  public:
    lock_places() noexcept {
        while (locked.exchange(true, std::memory_order_acquire)) {
        }
    }
    lock_places(const lock_places&) = delete;
    lock_places& operator=(const lock_places&) = delete;
    ~lock_places() { locked.store(false, std::memory_order_release); }
};

#else

/// One thread, and interrupt handlers open no sockets. ARMv6-M has no atomic exchange.
class lock_places {
  public:
    lock_places() noexcept {}
};

#endif

std::uint32_t index_of(handle h) noexcept {
    return static_cast<std::uint32_t>(h) & (handles::places - 1);
}

} // namespace

handle_place* handles::take(object& target) noexcept {
    const lock_places lock;
    std::uint32_t index = first_free;
    if (index != 0) {
        first_free = history[index].next_free;
        last_free = first_free == 0 ? 0 : last_free;
    } else if (never_used != places) {
        index = never_used++;
        history[index].last = static_cast<handle>(index);
    } else {
        return nullptr;
    }
    history[index].last += handle{1} << index_bits; // the next generation; 47 bits do not run out
    handle_place& place = places_[index];
    place.target = &target;
    place.direct = nullptr;
    place.taken_by.store(history[index].last, std::memory_order_relaxed);
    place.owner.store(this_thread(), std::memory_order_relaxed);
    return &place;
}

void handles::give_back(handle_place& place) noexcept {
    const lock_places lock;
    const auto index = static_cast<std::uint32_t>(&place - places_);
    place.owner.store(nullptr, std::memory_order_relaxed);
    place.taken_by.store(0, std::memory_order_relaxed);
    place.target = nullptr;
    place.direct = nullptr;
    history[index].next_free = 0;
    (last_free != 0 ? history[last_free].next_free : first_free) = index;
    last_free = index;
}

handles::found handles::missing(handle h) noexcept {
    const bool taken = h != 0 && places_[index_of(h)].taken_by.load(std::memory_order_relaxed) == h;
    return {nullptr, taken ? weft::errc::not_permitted : weft::errc::bad_handle};
}

bool handles::was_one(handle h) noexcept {
    const lock_places lock;
    const std::uint32_t index = index_of(h);
    return h > 0 && index != 0 && h >> index_bits != 0 && h <= history[index].last &&
           places_[index].taken_by.load(std::memory_order_relaxed) != h;
}

std::int64_t handles::next_number() noexcept {
    static constinit std::int64_t last = 0;
    const lock_places lock;
    return ++last;
}

} // namespace usocket
