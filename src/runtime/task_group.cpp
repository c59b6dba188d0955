#include <weft/task_group.hpp>

#if WEFT_ONE_STACK

namespace weft {

#if defined(__cpp_exceptions)
#error "task_group: a board's tasks throw nothing"
#endif

errc task_group::start(void* frame) noexcept {
    if (frame == nullptr) {
        return errc::no_memory;
    }
    // every promise of weft's begins with a promise_base
    const auto task = std::coroutine_handle<promise_base>::from_address(frame);
    errc failed = errc::canceled;
    if (!canceled_) {
        failed = errc::no_memory;
        if (void* const room = frame_pool::allocate(sizeof(member)); room != nullptr) {
            auto* const child = ::new (room) member(*this);
            child->frame = task;
            members_.push_back(*child);
            task.promise().enter(child->chain);
            task.resume();
            if (task.promise().finished()) {
                done(child);
            } else {
                task.promise().when_done(&done, child);
            }
            return errc::ok;
        }
    }
    task.destroy();
    return failed;
}

void task_group::done(void* which) noexcept {
    auto& child = *static_cast<member*>(which);
    task_group& group = *child.group;
    dispose(child);
    if (group.members_.empty() && group.joiner_ != nullptr) {
        std::exchange(group.joiner_, nullptr)->resume();
    }
}

} // namespace weft

#endif
