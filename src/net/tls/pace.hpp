// pace: the handshakes of one context take turns. In each turn of the loop one of them takes one
// step, which may be a millisecond of cryptography; else 64 of them would be one turn, and
// everything else that is ready would wait for all.
#pragma once

#include <weft/list.hpp>
#include <weft/loop.hpp>
#include <weft/timer.hpp>

namespace weft::tls {

class pace : private timer, private waiter {
  public:
    pace() noexcept : timer(&take_one), waiter(&wind) {}
    pace(const pace&) = delete;
    pace& operator=(const pace&) = delete;
    ~pace() { stop(); }

    /// `step` runs when it is its turn, unless it is to run anyway.
    void queue(waiter& step, loop& home) noexcept {
        if (step.linked()) {
            return;
        }
        if (home_ != &home) {
            if (!waiting_.empty()) { // those of another loop: a context serves one at a time
                home.make_ready(step);
                return;
            }
            stop();
            home_ = &home;
        }
        waiting_.push_back(step);
        go_on();
    }

  private:
    void go_on() noexcept {
        if (!timer::pending() && !waiter::linked() && !waiting_.empty()) {
            home_->make_unlinked_ready(*this);
        }
    }
    // A timer that is due fires in the next turn if it is scheduled from the ready queue.
    static void wind(waiter& node) noexcept {
        auto& self = static_cast<pace&>(node);
        self.home_->timers().schedule(self, at_once);
    }
    static void take_one(timer& due) noexcept {
        auto& self = static_cast<pace&>(due);
        if (!self.waiting_.empty()) {
            waiter& next = self.waiting_.pop_front();
            self.go_on();
            next.run(next);
        }
    }
    void stop() noexcept {
        if (timer::pending()) { // else its loop may be gone
            home_->timers().cancel(*this);
        }
        waiter::unlink();
    }

    loop* home_ = nullptr;
    list<waiter> waiting_;
};

} // namespace weft::tls
