// sync_wait: from ordinary code into a coroutine and back.
//
//     int main() { ... auto done = weft::sync_wait(loop, serve(net)); ... }
#pragma once

#include <weft/task.hpp>
#include <weft/wait.hpp>

#include <utility>

namespace weft {

/// Runs `loop` until `work` has ended and gives its result; an exception that left it is rethrown.
/// errc::would_deadlock when called from inside a coroutine of the same loop, or when nothing is
/// left that could ever end `work`; it is destroyed then. Other tasks of the loop run meanwhile.
template <class T>
outcome_of<T> sync_wait(loop& home, task<T> work) {
    if (home.running()) {
        return fail(errc::would_deadlock);
    }
    struct starter : waiter {
        starter(loop& l, task<T>& t) noexcept : waiter(&go), chain(l), work(&t) {}
        static void go(waiter& node) noexcept {
            auto& self = static_cast<starter&>(node);
            self.done = self.work->start(
                self.chain, [](void* whom) { static_cast<starter*>(whom)->done = true; }, &self);
        }
        scope chain;
        task<T>* work;
        bool done = false;
    } root(home, work);

    home.make_unlinked_ready(root);
    const result<> ran = home.run_until(root.done);
    task<T> ended(std::move(work)); // destroyed before the scope it ran in
    if (!ran) {
        return fail(ran.error());
    }
    return ended.take();
}

} // namespace weft
