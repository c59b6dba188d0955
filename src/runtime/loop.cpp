#include <weft/loop.hpp>

#include "runtime/exchange.hpp"

namespace weft {

void scope::cancel() noexcept {
    if (canceled_) {
        return;
    }
    canceled_ = true;
    credit_ = 0;
    if (waiting_ == nullptr) {
        return;
    }
    if (joins_) {
        waiting_->run(*waiting_);
    } else {
        loop_->make_ready(*waiting_);
    }
}

loop::~loop() {
    ending_ = true;
    // Waiters of destroyed frames have unlinked themselves; nobody is left to refer to these.
    for (int round = 0; round < 2 && retired_ != nullptr; ++round) {
        reclaim_retired();
    }
}

// While one of these runs, running_ is true.
result<> loop::run_until(time_point deadline) {
    if (running_) {
        return fail(errc::would_deadlock);
    }
    result<> outcome;
    running_ = true;
    while (!stopped_ && (deadline == never || read_clock() < deadline)) {
        if (!turn(deadline) && !stopped_) {
            outcome = fail(errc::would_deadlock);
            break;
        }
    }
    running_ = now_is_fresh_ = stopped_ = false;
    return outcome;
}

result<> loop::run_until(const bool& done) {
    if (running_) {
        return fail(errc::would_deadlock);
    }
    result<> outcome;
    running_ = true;
    while (!done) {
        if (!turn(never) && !done) {
            outcome = fail(errc::would_deadlock);
            break;
        }
    }
    running_ = now_is_fresh_ = false;
    return outcome;
}

result<> loop::poll() {
    return step(at_once);
}

result<> loop::step(time_point deadline) {
    if (running_) {
        return fail(errc::would_deadlock);
    }
    running_ = true;
    const bool something_can_happen = turn(deadline);
    running_ = now_is_fresh_ = false;
    if (!something_can_happen) {
        return fail(errc::would_deadlock);
    }
    return {};
}

void loop::post(posted& work) noexcept {
    if (exchange(work.queued_, true, std::memory_order_acq_rel)) {
        return;
    }
#if WEFT_ONE_STACK
    run_posted_of_ = [](loop& self) noexcept {
        self.run_posted();
    };
#endif
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

[[gnu::noinline]] void loop::reclaim_retired() noexcept {
    newly_retired_ = false;
    // Objects that are not done, and those that reclaim() itself retires, wait for the next round.
    retired* round = retired_;
    retired_ = nullptr;
    while (round != nullptr) {
        retired& object = *round;
        round = object.next_retired_;
        if (!object.reclaim()) {
            object.next_retired_ = retired_;
            retired_ = &object;
        }
    }
}

inline bool loop::has_work() const noexcept {
    return !ready_.empty() || service_work_ || newly_retired_ ||
           posted_.load(std::memory_order_relaxed) != nullptr;
}

// A board has one, its stack.
template <class F>
inline void loop::each_service(F&& visit) noexcept {
#if WEFT_ONE_STACK
    if (!services_.empty()) {
        visit(services_.front());
    }
#else
    services_.for_each(visit);
#endif
}

inline void loop::bound(time_point& deadline) noexcept {
    if (has_work()) {
        deadline = at_once;
        return;
    }
    if (earlier(timers_.earliest(), deadline)) {
        deadline = timers_.earliest();
    }
    if (!services_.empty()) {
        bound_by_services(deadline);
    }
}

time_point loop::next_deadline() noexcept {
    time_point deadline = never;
    bound(deadline);
    return deadline;
}

#if !WEFT_ONE_STACK
[[gnu::noinline]]
#endif
void loop::bound_by_services(time_point& deadline) noexcept {
    each_service([&](service& part) { part.bound(deadline); });
}

#if !WEFT_ONE_STACK
[[gnu::noinline]]
#endif
void loop::fire_timers() noexcept {
#if WEFT_ONE_STACK
    timers_.fire(time());
#else
    timers_.fire_due(now());
#endif
}

inline void loop::run_ready_here() noexcept {
    for (int runs = 0; runs < ready_per_turn && !ready_.empty(); ++runs) {
        waiter& next = ready_.pop_front();
        next.run(next);
    }
}

#if !WEFT_ONE_STACK
[[gnu::noinline]] void loop::run_ready() noexcept {
    run_ready_here();
}
#endif

// What a stack took in makes coroutines write, which makes it send, which may bring more to take in
// (loopback): such rounds go on until the frames of a turn are used up.
[[gnu::noinline]] bool loop::run_services() noexcept {
    int frames_left = service::frames_per_turn;
    bool anything = false;
    while (frames_left > 0) {
        int taken = 0;
        each_service([&taken](service& part) { taken += part.exchange(); });
        if (taken == 0 && (anything || ready_.empty())) {
            break;
        }
        anything = true;
        run_ready_here();
        frames_left -= taken;
    }
    service_work_ = frames_left <= 0; // then there may be more
    each_service([this](service& part) { service_work_ |= part.end_turn(); });
    return anything;
}

// Nearly every turn of a server finds nothing to do but to sleep: the driver runs what its events
// make ready.
inline bool loop::turn(time_point deadline) noexcept {
#if !WEFT_ONE_STACK
    if (ready_.empty() && quiet_ && timers_.empty() &&
        posted_.load(std::memory_order_relaxed) == nullptr) [[likely]] {
        now_is_fresh_ = false;
        const bool something_can_happen = driver_->wait(deadline);
        if (!ready_.empty()) {
            run_ready();
            return true;
        }
        return something_can_happen || has_work();
    }
#endif
    return full_turn(deadline);
}

[[gnu::noinline]] bool loop::full_turn(time_point deadline) noexcept {
    bound(deadline);
    now_is_fresh_ = false; // some may have asked before the sleep
    bool something_can_happen = driver_->wait(deadline);
    if (posted_.load(std::memory_order_relaxed) != nullptr) {
        something_can_happen = true;
#if WEFT_ONE_STACK
        run_posted_of_(*this);
#else
        run_posted();
#endif
    }
    if (!timers_.empty()) {
        fire_timers();
    }
    something_can_happen |= !ready_.empty();
#if !WEFT_ONE_STACK // without services the other does it too
    if (services_.empty()) {
        run_ready();
    } else
#endif
    {
        something_can_happen |= run_services();
    }
    if (retired_ != nullptr) {
        reclaim_retired();
    }
#if !WEFT_ONE_STACK
    quiet_ = services_.empty() && retired_ == nullptr;
#endif
    return something_can_happen || has_work();
}

} // namespace weft
