// Timers: an intrusive pairing heap. Nodes live in whoever waits; scheduling and cancelling
// allocate nothing and cost the same whatever is pending.
#pragma once

#include <weft/clock.hpp>
#include <weft/one_stack.hpp>

#include <cstdint>

namespace weft {

/// One pending deadline. Destroying it cancels nothing: its owner must (awaiters do).
class timer {
  public:
    explicit timer(void (*fire_now)(timer&)) noexcept : fire_(fire_now) {}
    /// A copy is a fresh timer, not pending: awaiters move before they are awaited.
    timer(const timer& other) noexcept : fire_(other.fire_) {}
    timer& operator=(const timer&) = delete;

    [[nodiscard]] bool pending() const noexcept { return link_ != nullptr; }
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }

  private:
    friend class timer_heap;

    time_point deadline_{};
    timer** link_ = nullptr; // what points at this timer: the root, a parent's
                             // child_, a sibling's next_
    timer* child_ = nullptr;
    timer* next_ = nullptr;   // sibling
    std::uint32_t order_ = 0; // equal deadlines fire in the order of scheduling
    void (*fire_)(timer&);
};

/// Pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): insert O(1); removing a node that has
/// no children, as one just scheduled has, O(1); the earliest leaves in O(log n) amortized.
class timer_heap {
  public:
    timer_heap() noexcept = default;
    timer_heap(const timer_heap&) = delete;
    timer_heap& operator=(const timer_heap&) = delete;
    /// Timers that are left are not pending any more.
    ~timer_heap() {
        while (root_ != nullptr) {
            cancel(*root_);
        }
    }

    [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
    [[nodiscard]] time_point earliest() const noexcept {
        return root_ != nullptr ? root_->deadline_ : never;
    }

#if WEFT_ONE_STACK // one copy, with which the loop's part is linked: programs without timers have
                   // neither
    void schedule(timer& t, time_point deadline) noexcept;
#else
    void schedule(timer& t, time_point deadline) noexcept { schedule_here(t, deadline); }
#endif

    /// No effect on a timer that is not pending.
    void cancel(timer& t) noexcept {
        if (t.link_ == nullptr) {
            return;
        }
        *t.link_ = t.next_;
        if (t.next_ != nullptr) {
            t.next_->link_ = t.link_;
        }
        t.link_ = nullptr;
        if (t.child_ != nullptr) [[unlikely]] {
            place(*merge_pairs(t.child_));
        }
    }

    /// Fires every timer due at `now`: each is removed first, and its function may schedule others.
    void fire_due(time_point now) noexcept {
        while (root_ != nullptr && root_->deadline_ <= now) {
            timer& due = *root_;
            cancel(due);
            due.fire_(due);
        }
    }

  private:
    void schedule_here(timer& t, time_point deadline) noexcept {
        t.deadline_ = deadline;
        t.order_ = ++scheduled_;
        t.child_ = nullptr;
        place(t);
    }

    static bool before(const timer& a, const timer& b) noexcept {
        return a.deadline_ < b.deadline_ ||
               (a.deadline_ == b.deadline_ && static_cast<std::int32_t>(a.order_ - b.order_) < 0);
    }

    static void adopt(timer& parent, timer& t) noexcept {
        t.next_ = parent.child_;
        if (t.next_ != nullptr) {
            t.next_->link_ = &t.next_;
        }
        t.link_ = &parent.child_;
        parent.child_ = &t;
    }

    void place(timer& t) noexcept {
        if (root_ == nullptr) {
            make_root(t);
        } else if (before(t, *root_)) {
            adopt(t, *root_);
            make_root(t);
        } else {
            adopt(*root_, t);
        }
    }

    void make_root(timer& t) noexcept {
        t.next_ = nullptr;
        t.link_ = &root_;
        root_ = &t;
    }

    static timer* merge_pairs(timer* first) noexcept;

    timer* root_ = nullptr;
    std::uint32_t scheduled_ = 0;
};

} // namespace weft
