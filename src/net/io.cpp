#include <weft/io.hpp>

#if WEFT_ONE_STACK

namespace weft {

// True if it waits; else count_ is what came of it.
bool io_operation::begin(void* caller, scope& chain, const kind& what) noexcept {
    count_ = io_error(errc::bad_handle);
    if (core_ == nullptr) {
        return false;
    }
    wait_side& side = what.side == direction::in ? core_->reader() : core_->writer();
    if (side.operation != nullptr) {
        count_ = io_error(errc::already);
        return false;
    }
    if (chain.spend()) {
        count_ = what.attempt(*this);
        if (!would_block(count_)) {
            return false;
        }
    } else if (chain.canceled()) {
        chain.note_interrupted();
        count_ = io_error(errc::canceled);
        return false;
    } else { // others' turn: through the ready queue
        core_->home().make_ready(side);
    }
    side.operation = this;
    side.run = what.run_again;
    scope_ = &chain;
    frame_ = caller;
    chain.begin_wait(side);
    return true;
}

// The side of the socket was made ready, or the scope was cancelled.
void io_operation::again(waiter& node, const kind& what) {
    auto& side = static_cast<wait_side&>(node);
    auto& self = *static_cast<io_operation*>(side.operation);
    io_count n = io_error(errc::canceled);
    if (self.scope_->canceled()) {
        self.scope_->note_interrupted();
    } else {
        n = what.attempt(self);
        if (would_block(n)) {
            return; // a false alarm: it stays
        }
    }
    const auto caller = std::coroutine_handle<>::from_address(self.frame_);
    self.count_ = n;
    side.operation = nullptr;
    self.scope_->end_wait();
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
