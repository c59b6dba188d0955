// Drivers that sleep on the operating system's descriptors: epoll, poll and select.
//
//     auto driver = weft::make_descriptor_driver(weft::poller::epoll);   // result<unique_ptr>
//     weft::loop loop{**driver};
#pragma once

#include <weft/driver.hpp>
#include <weft/list.hpp>
#include <weft/readiness.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace weft {

enum class poller : std::uint8_t { epoll, poll, select };

[[nodiscard]] const char* name(poller p) noexcept;
[[nodiscard]] std::optional<poller> poller_named(std::string_view name) noexcept;
/// epoll where the system has it, poll elsewhere.
[[nodiscard]] poller default_poller() noexcept;

/// One watched descriptor. `happened` gets the bits that are new; it runs inside wait(), and may
/// resume coroutines.
struct descriptor_watch {
    explicit descriptor_watch(void (*tell)(descriptor_watch&, unsigned)) noexcept
        : happened(tell) {}
    // What epoll gives is told as it is. Of `failed` and `finished` any bit may be up.
    static constexpr unsigned readable = 1;
    static constexpr unsigned writable = 4;
    static constexpr unsigned failed = 8 | 16; // an error or hang-up: every try will tell
    // The peer will send no more, or urgent data is there: no further edge is sure to come.
    static constexpr unsigned finished = 2 | 0x2000;

    void (*happened)(descriptor_watch&, unsigned events);
    int descriptor = -1;
};

/// Watches behave as if edge-triggered: after an event was told, the same bit is told again only
/// after arm() asked for it (a driver that is truly edge-triggered needs no arm()).
class descriptor_driver : public driver {
  public:
    /// Starts watching both directions. errc::out_of_range: beyond FD_SETSIZE, for select;
    /// errc::no_memory. `watch` must stay until remove().
    virtual result<> add(descriptor_watch& watch, int descriptor) noexcept = 0;
    /// Stops watching; call before the descriptor is closed. Events already taken from the system
    /// are not told any more.
    virtual void remove(descriptor_watch& watch) noexcept = 0;
    /// A try would have blocked: tell `bits` again. No need where edges() is true, unless the try
    /// was interrupted.
    virtual void arm(descriptor_watch& watch, unsigned bits) noexcept = 0;
    [[nodiscard]] bool edges() const noexcept { return edges_; }
    [[nodiscard]] virtual poller kind() const noexcept = 0;

  protected:
    explicit descriptor_driver(bool edges) noexcept : edges_(edges) {}

  private:
    bool edges_;
};

/// errc::too_many_open and errc::no_memory when the system has none left; errc::not_supported for
/// epoll elsewhere than on Linux.
[[nodiscard]] result<std::unique_ptr<descriptor_driver>>
make_descriptor_driver(poller kind = default_poller()) noexcept;

} // namespace weft
