// ready_call: somebody's function, called from the loop's turn when a socket may be ready for more.
#pragma once

#include "usocket/core/handles.hpp"
#include "usocket/core/observer.hpp"

#include <weft/loop.hpp>

namespace usocket {

class ready_call final : public object_observer, private weft::waiter {
  public:
    using function = void (*)(handle, void* context);

    /// `release` gives the context back, if it is not null.
    ready_call(
        weft::loop& home, handle whose, function call, void* context,
        void (*release)(void*) noexcept) noexcept
        : object_observer(&told), waiter(&run_now), home_(&home), whose_(whose), call_(call),
          context_(context), release_(release) {}
    ready_call(const ready_call&) = delete;
    ready_call& operator=(const ready_call&) = delete;
    ~ready_call() {
        waiter::unlink();
        if (release_ != nullptr) {
            release_(context_);
        }
    }

    void soon() noexcept { home_->make_ready(*this); }

  private:
    static void told(object_observer& self, news what) noexcept {
        if (what == news::changed) {
            static_cast<ready_call&>(self).soon();
        }
    }
    static void run_now(weft::waiter& self) {
        const auto& call = static_cast<ready_call&>(self);
        call.call_(call.whose_, call.context_); // it may close the socket, and this goes with it
    }

    weft::loop* home_;
    handle whose_;
    function call_;
    void* context_;
    void (*release_)(void*) noexcept;
};

} // namespace usocket
