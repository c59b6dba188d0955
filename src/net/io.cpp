#include <weft/io.hpp>

#if WEFT_ONE_STACK

namespace weft {

// Every promise of weft's begins with a promise_base, and lies where the two pointers of a frame
// end: none is aligned to more.
inline scope& io_operation::scope_of(void* frame) noexcept {
    static_assert(alignof(promise_base) <= 2 * sizeof(void*));
    return std::coroutine_handle<promise_base>::from_address(frame).promise().current_scope();
}

// True if it waits; else count_ is what came of it.
bool io_operation::begin(void* caller, attempt_of attempt, direction side_of) noexcept {
    waits_ = attempt; // if it will
    frame_ = caller;
    socket_core* const core = core_;
    io_count n = io_error(errc::bad_handle);
    if (core != nullptr) {
        wait_side& side = side_of == direction::in ? core->reader() : core->writer();
        n = io_error(errc::already);
        if (side.operation == nullptr) {
            scope& chain = scope_of(caller);
            if (chain.spend()) [[likely]] {
                n = attempt(*this);
            } else if (chain.canceled()) {
                chain.note_interrupted();
                n = io_error(errc::canceled);
            } else { // others' turn: through the ready queue
                side.operation = this;
                socket_core::wake(side);
                n = io_error(errc::would_block);
            }
            if (would_block(n)) {
                side.operation = this;
                side.run = &again;
                chain.begin_wait(side);
                return true;
            }
        }
    }
    waits_ = nullptr;
    count_ = n;
    return false;
}

// The side of the socket was made ready, or the scope was cancelled.
void io_operation::again(waiter& node) {
    auto& side = static_cast<wait_side&>(node);
    auto& self = *static_cast<io_operation*>(side.operation);
    const auto caller = std::coroutine_handle<>::from_address(self.frame_);
    scope& chain = scope_of(self.frame_);
    io_count n = io_error(errc::canceled);
    if (chain.canceled()) [[unlikely]] {
        chain.note_interrupted();
    } else {
        n = self.waits_(self);
        if (would_block(n)) {
            return; // a false alarm: it stays
        }
    }
    self.count_ = n;
    side.operation = nullptr;
    chain.end_wait();
    caller.resume();
}

// Destroyed with its coroutine while it waits: nothing was in flight, nothing is lost.
void io_operation::leave() noexcept {
    scope& chain = scope_of(frame_);
    auto& side = static_cast<wait_side&>(chain.waits_in());
    side.operation = nullptr;
    side.unlink();
    chain.end_wait();
}

} // namespace weft

#endif
