#include <weft/timer.hpp>

namespace weft {

// The two passes of a pairing heap, without recursion: pairs from left to right onto a stack
// (linked through next_), then from right to left into one.
timer* timer_heap::merge_pairs(timer* first) noexcept {
    timer* pairs = nullptr;
    while (first != nullptr) {
        timer* a = first;
        timer* b = a->next_;
        first = b != nullptr ? b->next_ : nullptr;
        if (b != nullptr) {
            if (before(*b, *a)) {
                timer* later = a;
                a = b;
                b = later;
            }
            adopt(*a, *b);
        }
        a->next_ = pairs;
        pairs = a;
    }
    timer* merged = pairs;
    pairs = merged->next_;
    while (pairs != nullptr) {
        timer* other = pairs;
        pairs = other->next_;
        if (before(*other, *merged)) {
            adopt(*other, *merged);
            merged = other;
        } else {
            adopt(*merged, *other);
        }
    }
    return merged;
}

} // namespace weft
