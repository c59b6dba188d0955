// task_group: children that end before their parent does.
//
//     weft::task_group peers{loop};
//     auto spawned = peers.spawn(serve(std::move(peer)));   // errc::no_memory is an answer
//     auto joined = co_await peers.join();
#pragma once

#include <weft/frame_pool.hpp>
#include <weft/task.hpp>
#include <weft/wait.hpp>

#include <cassert>
#include <cstddef>
#include <exception>
#include <new>
#include <utility>

namespace weft {

/// Owns the tasks spawned in it. A child's error is the child's own business: the group drops it
/// (use when_all to see results). A child's exception cancels the group and is rethrown by join().
/// Destroying a group destroys the children that are left, where they are suspended.
class task_group {
  public:
    explicit task_group(loop& home) noexcept : loop_(&home) {}
    task_group(const task_group&) = delete;
    task_group& operator=(const task_group&) = delete;
    ~task_group() {
        assert(joiner_ == nullptr && "a group was destroyed under a task that joins it");
        canceled_ = true; // destructors of the children may not spawn
        while (!members_.empty()) {
            member& last = members_.pop_front();
            assert(last.chain.waiting() && "a task may not destroy the group that it runs in");
#if !WEFT_ONE_STACK
            --size_;
#endif
            dispose(last);
        }
    }

    /// Starts `work` at once, in place, until its first wait. errc::no_memory if there is no room
    /// for it (then it has not run); errc::canceled if the group is cancelled.
#if WEFT_ONE_STACK
    template <class T>
    result<> spawn(task<T> work) {
        if (const errc failed = start(work.release().address()); failed != errc::ok) {
            return fail(failed);
        }
        return {};
    }
#else
    template <class T>
    result<> spawn(task<T> work) {
        if (!work.valid()) {
            return fail(errc::no_memory);
        }
        if (canceled_) {
            return fail(errc::canceled);
        }
        void* room = frame_pool::allocate(sizeof(member));
        if (room == nullptr) {
            return fail(errc::no_memory);
        }
        auto* child = ::new (room) member(*this);
        members_.push_back(*child);
        ++size_;
        const bool finished = work.start(child->chain, &done<T>, child);
        child->frame = work.release();
        if (finished) {
            done<T>(child);
        }
        return {};
    }
#endif

    /// Cancels every child; none can be spawned any more.
    void cancel() noexcept {
        canceled_ = true;
        members_.for_each([](member& child) { child.chain.cancel(); });
    }

#if WEFT_ONE_STACK // its children are few
    [[nodiscard]] std::size_t size() const noexcept { return members_.count(); }
#else
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
#endif

    class [[nodiscard]] joining : public join_node {
      public:
        explicit joining(task_group& group) noexcept : group_(&group) {}
        joining(const joining&) noexcept = default;
        ~joining() {
            if (suspended()) {
                group_->joiner_ = nullptr;
            }
        }
        static bool await_ready() noexcept { return false; }
        template <class P>
        bool await_suspend(std::coroutine_handle<P> parent) noexcept {
            if (enter(parent).canceled()) [[unlikely]] {
                stop_children();
            }
            if (group_->members_.empty()) {
                return false;
            }
            if (group_->joiner_ != nullptr) {
                ended_ = errc::already;
                return false;
            }
            suspend(parent, &parent_canceled);
            group_->joiner_ = this;
            return true;
        }
        result<> await_resume() {
            finish();
#if defined(__cpp_exceptions)
            if (group_->thrown_) [[unlikely]] {
                std::rethrow_exception(std::exchange(group_->thrown_, nullptr));
            }
#endif
            if (ended_ != errc::ok) [[unlikely]] {
                return fail(ended_);
            }
            return {};
        }

      private:
        friend class task_group;
        void stop_children() noexcept {
            ended_ = errc::canceled;
            chain().note_interrupted();
            group_->cancel();
        }
        static void parent_canceled(waiter& node) noexcept {
            static_cast<joining&>(node).stop_children();
        }
        task_group* group_;
        errc ended_ = errc::ok;
    };

    /// Completes when no child is left. Cancelling the parent cancels the children; join still
    /// waits for them, and then says errc::canceled. errc::already if another task joins.
    joining join() noexcept { return joining(*this); }

  private:
    struct member : list_node {
        explicit member(task_group& owner) noexcept : chain(*owner.loop_), group(&owner) {}
        scope chain;
        task_group* group;
        std::coroutine_handle<> frame; // null until its first wait
    };

    WEFT_SMALL static void dispose(member& child) noexcept {
        child.frame.destroy();
        child.~member(); // unlinks it
        frame_pool::release(&child, sizeof(member));
    }

#if WEFT_ONE_STACK // the same for tasks of any type, and once
    errc start(void* frame) noexcept;
    static void done(void* which) noexcept;
#else
    // Apart: with it inside, spawn() is too large for GCC to put into its callers.
    template <class T>
    [[gnu::noinline]] static void done(void* which) noexcept {
        auto& child = *static_cast<member*>(which);
        task_group& group = *child.group;
#if defined(__cpp_exceptions)
        const auto& promise =
            std::coroutine_handle<weft::promise<T>>::from_address(child.frame.address()).promise();
        if (promise.threw()) [[unlikely]] {
            group.note_exception(promise);
        }
#endif
        dispose(child);
        --group.size_;
        if (group.members_.empty() && group.joiner_ != nullptr) {
            std::exchange(group.joiner_, nullptr)->resume();
        }
    }
#endif

#if defined(__cpp_exceptions)
    // Apart, so that a child that does not throw pays for no exception_ptr.
    template <class T>
    [[gnu::noinline, gnu::cold]] void note_exception(const promise<T>& child) noexcept {
        if (!thrown_) {
            thrown_ = child.exception();
            cancel();
        }
    }
    std::exception_ptr thrown_;
#endif

    loop* loop_;
#if !WEFT_ONE_STACK
    std::size_t size_ = 0;
#endif
    bool canceled_ = false;
    joining* joiner_ = nullptr;
    list<member> members_;
};

} // namespace weft
