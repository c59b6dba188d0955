// heartbeat: feeds a hardware watchdog for as long as the loop turns and every task that matters
// makes progress.
//
//     weft::heartbeat beating(loop, 500ms, [](void*) { /* feed the watchdog */ });
//     weft::pulse sensor(beating, 2s, "sensor");              // in the task that must not stop:
//     for (;;) {
//         auto slept = co_await weft::sleep_for(1s);
//         sensor.beat();                                      // once every two seconds at least
//     }
#pragma once

#include <weft/clock.hpp>
#include <weft/list.hpp>
#include <weft/loop.hpp>
#include <weft/scope.hpp>
#include <weft/timer.hpp>

#include <cassert>
#include <cstdint>

namespace weft {

class heartbeat;

/// One task's sign of life. The heartbeat must outlive it. Single-threaded; allocates nothing.
class pulse : public list_node {
  public:
    /// Watched from now on: at most `limit` until the first beat(), and from each to the next.
    /// `name`, not copied, is for late().
    pulse(heartbeat& of, duration limit, const char* name = "") noexcept;
    pulse(const pulse&) = delete;
    pulse& operator=(const pulse&) = delete;
    ~pulse() = default;

    /// It goes on. As cheap as the time, which the loop reads once a turn.
    void beat() noexcept;
    /// Nothing is expected until the next beat(): around a wait that may take for ever.
    void rest() noexcept { last_ = never; }

    [[nodiscard]] const char* name() const noexcept { return name_; }
    [[nodiscard]] duration limit() const noexcept { return limit_; }
    /// True if its limit has passed at `now`.
    [[nodiscard]] bool late(time_point now) const noexcept {
        return last_ != never && now - last_ > limit_;
    }

  private:
    heartbeat* owner_;
    duration limit_;
    time_point last_;
    const char* name_;
};

/// Calls `kick(context)` every `every`, from the loop's ready queue and never while a pulse is
/// late: a kick says that timers fire, that what is ready runs, and that each watched task went on
/// within its limit. It goes on kicking if a late pulse beats again before the watchdog has bitten.
///
/// The watchdog's own period covers `every` and the longest turn of the loop. Single-threaded, one
/// loop; begins when it is made and ends when it goes; allocates nothing.
class heartbeat : private timer, private waiter {
  public:
    /// The first kick comes `every` after now: whoever starts the watchdog before that feeds it. A
    /// capture-free lambda is a `kick`; it may not destroy the heartbeat.
    heartbeat(
        loop& home, duration every, void (*kick)(void* context), void* context = nullptr) noexcept
        : timer(&due), waiter(&turn), home_(&home), every_(every), kick_(kick), context_(context) {
        assert(
            every > duration::zero() && "a heartbeat without a pause would never let others run");
        home_->timers().schedule(*this, deadline_after(home_->now(), every_));
    }
    heartbeat(const heartbeat&) = delete;
    heartbeat& operator=(const heartbeat&) = delete;
    /// No pulse is left.
    ~heartbeat() {
        assert(pulses_.empty() && "a heartbeat was destroyed before its pulses");
        home_->timers().cancel(*this);
        unlink();
    }

    /// The pulse that is late now, the one that was made first if there are several; null if none
    /// is. What a program writes where it survives the reset.
    [[nodiscard]] const pulse* late() noexcept;
    /// Kicks so far, and how often one was withheld.
    [[nodiscard]] std::uint32_t kicks() const noexcept { return kicks_; }
    [[nodiscard]] std::uint32_t withheld() const noexcept { return withheld_; }

  private:
    friend class pulse;
    static void due(timer& self) noexcept {
        auto& beating = static_cast<heartbeat&>(self);
        beating.home_->make_ready(beating); // behind what is ready already: it gets its turn too
    }
    static void turn(waiter& self) { static_cast<heartbeat&>(self).beat(); }
    void beat() noexcept;

    loop* home_;
    duration every_;
    void (*kick_)(void*);
    void* context_;
    std::uint32_t kicks_ = 0;
    std::uint32_t withheld_ = 0;
    list<pulse> pulses_;
};

inline pulse::pulse(heartbeat& of, duration limit, const char* name) noexcept
    : owner_(&of), limit_(limit), last_(of.home_->now()), name_(name) {
    of.pulses_.push_back(*this);
}

inline void pulse::beat() noexcept {
    last_ = owner_->home_->now();
}

inline const pulse* heartbeat::late() noexcept {
    const pulse* found = nullptr;
    const time_point now = home_->now();
    pulses_.for_each(
        [&](const pulse& each) { found = found == nullptr && each.late(now) ? &each : found; });
    return found;
}

inline void heartbeat::beat() noexcept {
    // from now, not from when it was due: after a long turn there is nothing to catch up with
    home_->timers().schedule(*this, deadline_after(home_->now(), every_));
    if (late() != nullptr) {
        ++withheld_;
        return;
    }
    ++kicks_;
    kick_(context_);
}

} // namespace weft
