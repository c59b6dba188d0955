#include "usocket/core/handles.hpp"

#include <new>

namespace usocket {

constinit std::atomic<handle_place*> handles::chunk_[chunks] = {};

namespace {

// Opening and closing are rare beside looking up: one lock for all threads.
constinit std::atomic<bool> locked{false};
constinit std::size_t chunks_made = 0;
constinit handle_place* first_free = nullptr; // taken in the order in which they were freed
constinit handle_place* last_free = nullptr;

class lock_free_places {
  public:
    lock_free_places() noexcept {
        while (locked.exchange(true, std::memory_order_acquire)) {
        }
    }
    lock_free_places(const lock_free_places&) = delete;
    lock_free_places& operator=(const lock_free_places&) = delete;
    ~lock_free_places() { locked.store(false, std::memory_order_release); }
};

void append_free(handle_place& place) noexcept {
    place.next_free = nullptr;
    (last_free != nullptr ? last_free->next_free : first_free) = &place;
    last_free = &place;
}

} // namespace

bool handles::add_chunk() noexcept {
    if (chunks_made == chunks) {
        return false;
    }
    auto* const made = new (std::nothrow) handle_place[places_per_chunk];
    if (made == nullptr) {
        return false;
    }
    for (std::size_t i = 0; i != places_per_chunk; ++i) {
        made[i].last = static_cast<handle>(chunks_made * places_per_chunk + i);
        append_free(made[i]);
    }
    chunk_[chunks_made++].store(made, std::memory_order_release); // for good
    return true;
}

handle handles::take(object& target) noexcept {
    const lock_free_places lock;
    if (first_free == nullptr && !add_chunk()) {
        return 0;
    }
    handle_place& place = *first_free;
    first_free = place.next_free;
    if (first_free == nullptr) {
        last_free = nullptr;
    }
    place.last += handle{1} << index_bits; // the next generation; 45 bits do not run out
    place.target = &target;
    place.owner.store(thread::token(), std::memory_order_relaxed);
    place.taken_by.store(place.last, std::memory_order_release);
    return place.last;
}

handle_place* handles::place_of(handle h) noexcept {
    const auto index = static_cast<std::size_t>(h) & ((std::size_t{1} << index_bits) - 1);
    handle_place* const chunk = chunk_[index / places_per_chunk].load(std::memory_order_acquire);
    return chunk != nullptr ? &chunk[index % places_per_chunk] : nullptr;
}

void handles::give_back(handle h) noexcept {
    const lock_free_places lock;
    handle_place& place = *place_of(h);
    place.taken_by.store(0, std::memory_order_release);
    place.target = nullptr;
    append_free(place);
}

bool handles::was_one(handle h) noexcept {
    const lock_free_places lock;
    const handle_place* const place = h > 0 ? place_of(h) : nullptr;
    return place != nullptr && h >> index_bits != 0 && h <= place->last &&
           place->taken_by.load(std::memory_order_relaxed) != h;
}

} // namespace usocket
