// Who wants to know when a socket of the façade may be ready for more: pollers, ready callbacks.
#pragma once

#include <weft/list.hpp>

namespace usocket {

class object;

/// Told when a socket may be ready for more than before, or is gone. It may queue work and must not
/// call the socket.
class object_observer : public weft::list_node {
  public:
    enum class news : bool { changed, gone };
    /// `owner` is by whom object::observer_of() finds it; null: by nobody.
    explicit object_observer(
        void (*tell)(object_observer&, news), const void* owner = nullptr) noexcept
        : tell_(tell), owner_(owner) {}

  private:
    friend class object;
    void (*tell_)(object_observer&, news);
    const void* owner_;
};

} // namespace usocket
