// What other threads and interrupt handlers hand to a loop. A board's image has this file if
// something posts.

#include <weft/loop.hpp>

#include "runtime/exchange.hpp"

namespace weft {

void loop::post(posted& work) noexcept {
    if (exchange(work.queued_, true, std::memory_order_acq_rel)) {
        return;
    }
    posted* first = posted_.load(std::memory_order_relaxed);
    do {
        work.next_ = first;
    } while (!compare_exchange(
        posted_, first, &work, std::memory_order_release, std::memory_order_relaxed));
    if (first == nullptr) {
        driver_->wake(); // the loop takes the whole chain at once: one wake is enough
    }
}

[[gnu::noinline]] void loop::run_posted() noexcept {
    posted* last_first =
        exchange(posted_, static_cast<posted*>(nullptr), std::memory_order_acquire);
    while (last_first != nullptr) {
        posted* following = last_first->next_;
        last_first->next_ = arrived_;
        arrived_ = last_first;
        last_first = following;
    }
    while (arrived_ != nullptr) {
        posted& work = *arrived_;
        arrived_ = work.next_;
        // May be posted again from here on. An exchange, not a store: it must see what was written
        // before every post() that found the node queued already.
        (void)exchange(work.queued_, false, std::memory_order_acq_rel);
        work.run_(work);
    }
}

void loop::withdraw(posted& work) noexcept {
    if (!work.queued_.load(std::memory_order_relaxed)) {
        return;
    }
    work.queued_.store(false, std::memory_order_relaxed);
    const auto unlink = [&work](posted*& first) {
        posted** at = &first;
        while (*at != nullptr && *at != &work) {
            at = &(*at)->next_;
        }
        const bool found = *at != nullptr;
        if (found) {
            *at = work.next_;
        }
        return found;
    };
    if (unlink(arrived_)) {
        return;
    }
    posted* others = nullptr;
    do { // what is posted meanwhile lies on top of the others
        posted* newer = exchange(posted_, static_cast<posted*>(nullptr), std::memory_order_acquire);
        (void)unlink(newer);
        posted** end = &newer;
        while (*end != nullptr) {
            end = &(*end)->next_;
        }
        *end = others;
        others = newer;
        newer = nullptr;
        if (others == nullptr ||
            compare_exchange(
                posted_, newer, others, std::memory_order_release, std::memory_order_relaxed)) {
            return;
        }
    } while (true);
}

} // namespace weft
