// loop: the executor. One thread runs everything; a turn is bounded, posting allocates nothing.
//
//     auto driver = weft::make_descriptor_driver();
//     weft::loop loop{**driver};
//     weft::result<> done = weft::sync_wait(loop, main_task());
//
// One turn: sleep until the next deadline -> ready descriptors, whose readers run at once ->
// timers -> the ready queue, popped one at a time, at most 64, between takings of some 16 frames
// from each link -> services flush their output.
#pragma once

#include <weft/clock.hpp>
#include <weft/driver.hpp>
#include <weft/list.hpp>
#include <weft/result.hpp>
#include <weft/scope.hpp>
#include <weft/timer.hpp>

#include <atomic>
#include <cstddef>

namespace weft {

/// Work handed to a loop by another thread or an interrupt handler. The node must outlive its run,
/// or be withdrawn.
class posted {
  public:
    explicit posted(void (*run_in_loop)(posted&)) noexcept : run_(run_in_loop) {}
    posted(const posted&) = delete;
    posted& operator=(const posted&) = delete;

  private:
    friend class loop;
    std::atomic<bool> queued_{false};
    posted* next_ = nullptr; // owned by the queue while queued_
    void (*run_)(posted&);
};

/// A part of each turn: a network stack.
#if WEFT_ONE_STACK // the one, which defines these; no program without it calls them
#define WEFT_OF_THE_STACK [[gnu::weak]]
class service {
#else
#define WEFT_OF_THE_STACK virtual
class service : public list_node {
#endif
  public:
    static constexpr int frames_per_turn = 16;

    /// Sends out what was produced since the last call, then takes in at most frames_per_turn of
    /// what arrived or came back (loopback); how many.
    WEFT_OF_THE_STACK int exchange() noexcept WEFT_PURE;
    // Then end_turn(), once a turn: sends out, looks at timers. And before the loop sleeps it asks
    // when exchange must run next without anything arriving, to which `deadline` is lowered.
#if WEFT_ONE_STACK
    [[gnu::weak]] void end_turn() noexcept;
    /// False: at once.
    [[gnu::weak]] bool may_sleep(time_point& deadline) noexcept;
#else
    /// True if there is something to take in at once.
    virtual bool end_turn() noexcept = 0;
    virtual void bound(time_point& deadline) noexcept = 0;
#endif

  protected:
    ~service() = default;
};

/// Something whose memory goes back at the end of a turn, once nothing refers to it any more.
class retired {
  public:
    /// True if the object freed itself; false to be asked again after the next turn.
    virtual bool reclaim() noexcept = 0;

  protected:
    ~retired() = default;

  private:
    friend class loop;
    retired* next_retired_ = nullptr;
};

/// Must outlive every task, scope and timer that runs in it.
class loop {
  public:
    static constexpr int ready_per_turn = 64;

    /// `sleeper` must outlive the loop and serves it alone.
    explicit loop(driver& sleeper) noexcept : driver_(&sleeper) {}
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    ~loop();

    /// run_until(never).
    result<> run() { return run_until(never); }

    /// Turns until stop() or `deadline`; none if that has passed. errc::would_deadlock when called
    /// from inside a coroutine of this loop, or when nothing is left that could ever happen.
    result<> run_until(time_point deadline);
    /// The same until `done` is true.
    result<> run_until(const bool& done);
    result<> run_for(duration time) { return run_until(deadline_after(now(), time)); }

    /// One turn; never blocks.
    result<> poll();

    /// One turn that may sleep until `deadline` if nothing is ready.
    result<> step(time_point deadline);

    /// Ends run() after the current turn; a stop before run() ends it at once. From the loop's own
    /// thread; others post() something that stops.
    void stop() noexcept { stopped_ = true; }

    /// Monotonic. Inside a turn it is read once, and only if someone asks: it is the time at which
    /// the turn first asked. A board, whose clock is a few instructions away, reads it each time.
#if WEFT_ONE_STACK
    [[nodiscard]] time_point now() noexcept { return driver_->now(); }
    time_point read_clock() noexcept { return driver_->now(); }
#else
    [[nodiscard]] time_point now() noexcept { return now_is_fresh_ ? now_ : read_clock(); }

    /// The time now, whatever the turn was told before.
    time_point read_clock() noexcept {
        now_ = driver_->now();
        now_is_fresh_ = running_;
        return now_;
    }
#endif

    /// When a turn must be taken at the latest; at_once if there is something to do, `never` if
    /// only the driver can tell. For those who sleep on driver::descriptor() themselves.
    [[nodiscard]] time_point next_deadline() noexcept;

    [[nodiscard]] driver& sleeper() const noexcept { return *driver_; }
    [[nodiscard]] timer_heap& timers() noexcept { return timers_; }

    /// True while a turn is under way: a blocking call now would wait for itself.
    [[nodiscard]] bool running() const noexcept { return running_; }

    /// Queues `w` behind everything that is ready; a node that waits elsewhere leaves that list.
    void make_ready(waiter& w) noexcept {
        w.unlink();
        ready_.push_back(w);
    }
    /// The same for a node that is in no list.
    void make_unlinked_ready(waiter& w) noexcept { ready_.push_back(w); }

    /// The one thread-safe entry: `work` runs in a later turn. Idempotent while it is queued.
    void post(posted& work) noexcept;

    /// `work` does not run any more and may be destroyed, if nobody posts it now or later. From the
    /// loop's own thread.
    void withdraw(posted& work) noexcept;

    /// True if stacks move only while turns are taken: then a write goes out in the next one.
#if WEFT_ONE_STACK
    [[nodiscard]] bool has_services() const noexcept { return stack_ != nullptr; }
#else
    [[nodiscard]] bool has_services() const noexcept { return !services_.empty(); }
#endif

    /// No turn follows: an object that is retired and waits for something gives up.
    [[nodiscard]] bool ending() const noexcept { return ending_; }

    /// Outside turns: what was retired gives its memory back now.
    void reclaim() noexcept {
        if (!running_ && retired_ != nullptr) {
            reclaim_retired();
        }
    }

#if WEFT_ONE_STACK
    void add(service& part) noexcept { stack_ = &part; }
    void remove(service&) noexcept { stack_ = nullptr; }
#else
    void add(service& part) noexcept {
        services_.push_back(part);
        quiet_ = false;
    }
    void remove(service& part) noexcept { part.unlink(); }
#endif
    void retire(retired& object) noexcept {
        object.next_retired_ = retired_;
        retired_ = &object;
        newly_retired_ = true;
#if !WEFT_ONE_STACK
        quiet_ = false;
#endif
    }

  private:
    bool turn(time_point deadline) noexcept;
#if WEFT_ONE_STACK
    void full_turn(time_point deadline) noexcept;
    /// False: there is something to do at once.
    bool may_sleep(time_point& deadline) noexcept;
#endif
    void end_running() noexcept;
    [[nodiscard]] bool has_work() const noexcept;
    void bound(time_point& deadline) noexcept;
    void run_ready_here() noexcept; // inlined
    void reclaim_retired() noexcept;
#if WEFT_ONE_STACK
    // Defined if anything posts, or schedules.
    [[gnu::weak]] void run_posted() noexcept;
    [[gnu::weak]] void fire_timers() noexcept;
    // Arm returns no time_point in registers.
    [[gnu::weak]] std::int64_t bound_by_timers(std::int64_t deadline) noexcept;
#else
    bool full_turn(time_point deadline) noexcept;
    void bound_by_services(time_point& deadline) noexcept;
    void fire_timers() noexcept;
    void run_posted() noexcept;
    void run_ready() noexcept;
    bool run_services() noexcept;
#endif

    list<waiter> ready_;
    timer_heap timers_;
    driver* driver_;
#if WEFT_ONE_STACK
    service* stack_ = nullptr;
#else
    time_point now_{};
    bool now_is_fresh_ = false;
    bool quiet_ = true; // no service, and nothing retired: a turn is a sleep and the ready queue
    list<service> services_;
#endif
    bool running_ = false;
    bool stopped_ = false;
    bool ending_ = false;
    bool service_work_ = false;
    bool newly_retired_ = false;           // something was retired that no turn has asked yet
    retired* retired_ = nullptr;           // the last one first
    std::atomic<posted*> posted_{nullptr}; // the last one first
    posted* arrived_ = nullptr;            // taken from there: they run now, the first one first
};

} // namespace weft
