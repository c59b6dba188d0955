// event: a flag that tasks wait for.
//
//     weft::event ready;
//     ... ready.set();                  // releases every waiter, and later ones until reset()
//     ... auto r = co_await ready.wait();
#pragma once

#include <weft/wait.hpp>

namespace weft {

/// Single-threaded; from other threads go through loop::post. set() resumes nobody itself.
/// Destroyed under waiters it completes them with errc::bad_handle.
class event {
  public:
    explicit event(bool set_already = false) noexcept : set_(set_already) {}
    event(const event&) = delete;
    event& operator=(const event&) = delete;
    ~event() { release(errc::bad_handle); }

    [[nodiscard]] bool is_set() const noexcept { return set_; }

    /// Releases all who wait now, even if reset() follows before they run.
    void set() noexcept {
        set_ = true;
        release(errc::ok);
    }
    void reset() noexcept { set_ = false; }

    class [[nodiscard]] waiting : public wait_node {
      public:
        explicit waiting(event& owner) noexcept : owner_(&owner) {}
        static bool await_ready() noexcept { return false; }

        template <class P>
        bool await_suspend(std::coroutine_handle<P> caller) noexcept {
            const bool may_try = enter(caller).spend();
            if (may_try && owner_->set_) [[likely]] {
                return false;
            }
            if (chain().canceled()) {
                chain().note_interrupted();
                ended_ = errc::canceled;
                return false;
            }
            suspend(caller, &run_now);
            if (owner_->set_) {
                home().make_unlinked_ready(*this);
            } else {
                owner_->waiters_.push_back(*this);
            }
            return true;
        }
        result<> await_resume() noexcept {
            finish();
            if (ended_ != errc::ok) {
                return fail(ended_);
            }
            return {};
        }

      private:
        friend class event;
        // In the ready queue it was released: the event may be reset, or gone.
        static void run_now(waiter& node) {
            auto& self = static_cast<waiting&>(node);
            if (self.chain().canceled()) {
                self.chain().note_interrupted();
                self.ended_ = errc::canceled;
            }
            self.resume();
        }
        event* owner_;
        errc ended_ = errc::ok;
    };

    /// Completes once set; errc::canceled if the scope is cancelled first.
    waiting wait() noexcept { return waiting(*this); }

  private:
    void release(errc why) noexcept {
        while (!waiters_.empty()) {
            waiting& first = waiters_.pop_front();
            first.ended_ = why;
            first.home().make_unlinked_ready(first);
        }
    }

    bool set_;
    list<waiting> waiters_;
};

} // namespace weft
