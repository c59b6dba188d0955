#include <weft/loop.hpp>

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

#if WEFT_ONE_STACK
// Its driver sleeps until something happens, so that something always can.
inline bool loop::turn(time_point deadline) noexcept {
    full_turn(deadline);
    return true;
}
#endif

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
    end_running();
    stopped_ = false;
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
    end_running();
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
    end_running();
    if (!something_can_happen) {
        return fail(errc::would_deadlock);
    }
    return {};
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

inline void loop::run_ready_here() noexcept {
    for (int runs = 0; runs < ready_per_turn && !ready_.empty(); ++runs) {
        waiter& next = ready_.pop_front();
        next.run(next);
    }
}

time_point loop::next_deadline() noexcept {
    time_point deadline = never;
    bound(deadline);
    return deadline;
}

#if WEFT_ONE_STACK

[[gnu::always_inline]] inline bool loop::may_sleep(time_point& deadline) noexcept {
    if (has_work()) {
        return false;
    }
    if (!timers_.empty()) {
        deadline = time_point(duration(bound_by_timers(deadline.time_since_epoch().count())));
    }
    return !has_services() || stack_->may_sleep(deadline);
}

inline void loop::bound(time_point& deadline) noexcept {
    if (!may_sleep(deadline)) {
        deadline = at_once;
    }
}

#else

[[gnu::always_inline]] inline void loop::bound(time_point& deadline) noexcept {
    if (has_work()) {
        deadline = at_once;
        return;
    }
    if (earlier(timers_.earliest(), deadline)) {
        deadline = timers_.earliest();
    }
    if (has_services()) {
        bound_by_services(deadline);
    }
}

#endif

#if WEFT_ONE_STACK

inline void loop::end_running() noexcept {
    running_ = false;
}

// What the stack took in makes coroutines write, which makes it send, which may bring more to take
// in (loopback): such rounds go on until the frames of a turn are used up.
[[gnu::noinline]] void loop::full_turn(time_point deadline) noexcept {
    if (may_sleep(deadline)) {
        driver_->wait(deadline);
    }
    if (posted_.load(std::memory_order_relaxed) != nullptr) {
        run_posted();
    }
    if (!timers_.empty()) {
        fire_timers();
    }
    int frames_left = service::frames_per_turn;
    int taken = 0;
    do {
        taken = has_services() ? stack_->exchange() : 0;
        run_ready_here();
        frames_left -= taken;
        service_work_ = frames_left <= 0; // then there may be more
    } while (taken != 0 && !service_work_);
    if (has_services()) {
        stack_->end_turn();
    }
    if (retired_ != nullptr) {
        reclaim_retired();
    }
}

#else

inline void loop::end_running() noexcept {
    running_ = now_is_fresh_ = false;
}

[[gnu::noinline]] void loop::bound_by_services(time_point& deadline) noexcept {
    services_.for_each([&](service& part) { part.bound(deadline); });
}

[[gnu::noinline]] void loop::fire_timers() noexcept {
    timers_.fire_due(now());
}

[[gnu::noinline]] void loop::run_ready() noexcept {
    run_ready_here();
}

// What a stack took in makes coroutines write, which makes it send, which may bring more to take in
// (loopback): such rounds go on until the frames of a turn are used up.
[[gnu::noinline]] bool loop::run_services() noexcept {
    int frames_left = service::frames_per_turn;
    bool anything = false;
    while (frames_left > 0) {
        int taken = 0;
        services_.for_each([&taken](service& part) { taken += part.exchange(); });
        if (taken == 0 && (anything || ready_.empty())) {
            break;
        }
        anything = true;
        run_ready_here();
        frames_left -= taken;
    }
    service_work_ = frames_left <= 0; // then there may be more
    services_.for_each([this](service& part) { service_work_ |= part.end_turn(); });
    return anything;
}

// Nearly every turn of a server finds nothing to do but to sleep: the driver runs what its events
// make ready.
inline bool loop::turn(time_point deadline) noexcept {
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
    return full_turn(deadline);
}

[[gnu::noinline]] bool loop::full_turn(time_point deadline) noexcept {
    bound(deadline);
    now_is_fresh_ = false; // some may have asked before the sleep
    bool something_can_happen = driver_->wait(deadline);
    if (posted_.load(std::memory_order_relaxed) != nullptr) {
        something_can_happen = true;
        run_posted();
    }
    if (!timers_.empty()) {
        fire_timers();
    }
    something_can_happen |= !ready_.empty();
    if (services_.empty()) { // without services the other does it too
        run_ready();
    } else {
        something_can_happen |= run_services();
    }
    if (retired_ != nullptr) {
        reclaim_retired();
    }
    quiet_ = services_.empty() && retired_ == nullptr;
    return something_can_happen || has_work();
}

#endif

} // namespace weft
