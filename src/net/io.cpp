#include <weft/io.hpp>

#if WEFT_ONE_STACK

namespace weft {

// True if it waits; else count_ is what came of it.
bool io_operation::begin(void* caller, scope& chain, const kind& what) noexcept {
    socket_core* const core = core_;
    io_count n = io_error(errc::bad_handle);
    if (core != nullptr) {
        wait_side& side = what.side == direction::in ? core->reader() : core->writer();
        n = io_error(errc::already);
        if (side.operation == nullptr) {
            if (chain.spend()) [[likely]] {
                n = what.attempt(*this);
            } else if (chain.canceled()) {
                chain.note_interrupted();
                n = io_error(errc::canceled);
            } else { // others' turn: through the ready queue
                core->home().make_ready(side);
                n = io_error(errc::would_block);
            }
            if (would_block(n)) {
                side.operation = this;
                side.run = what.run_again;
                scope_ = &chain;
                frame_ = caller;
                chain.begin_wait(side);
                return true;
            }
        }
    }
    count_ = n;
    return false;
}

// The side of the socket was made ready, or the scope was cancelled.
void io_operation::again(waiter& node, const kind& what) {
    auto& side = static_cast<wait_side&>(node);
    auto& self = *static_cast<io_operation*>(side.operation);
    scope& chain = *self.scope_;
    io_count n = io_error(errc::canceled);
    if (chain.canceled()) [[unlikely]] {
        chain.note_interrupted();
    } else {
        n = what.attempt(self);
        if (would_block(n)) {
            return; // a false alarm: it stays
        }
    }
    const auto caller = std::coroutine_handle<>::from_address(self.frame_);
    self.count_ = n;
    side.operation = nullptr;
    chain.end_wait();
    caller.resume();
}

// Destroyed with its coroutine while it waits: nothing was in flight, nothing is lost.
void io_operation::leave() noexcept {
    auto& side = static_cast<wait_side&>(scope_->waits_in());
    side.operation = nullptr;
    side.unlink();
    scope_->end_wait();
}

} // namespace weft

#endif
