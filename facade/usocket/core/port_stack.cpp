// What a thread gets that chose no stack, on a board without an operating system: lwIP's loopback.
// A board with a link gives the thread a stack on that: usocket::use().

#include "usocket/core/thread.hpp"
#if defined(WEFT_FACADE_LWIP)
#include "usocket/core/on_lwip.hpp"

#include <weft/frame_arena.hpp>
#include <weft/port.hpp>
#endif

#include <new>
#include <utility>

namespace usocket {

using weft::errc;
using weft::fail;
using weft::result;

#if defined(WEFT_FACADE_LWIP)

namespace {

/// For TCP sockets, and the coroutines that resolve names; a board that runs its own gives the pool
/// more.
#if !defined(WEFT_FACADE_FRAME_BYTES)
#define WEFT_FACADE_FRAME_BYTES 2048
#endif
constinit weft::frame_arena<WEFT_FACADE_FRAME_BYTES> frames;

} // namespace

result<std::unique_ptr<default_stack>>
make_named_stack(std::string_view name, std::span<char> why) noexcept {
    if (!name.empty() && name != "lwip") {
        return fail(refuse(
            why, errc::invalid_argument, "a board has no stack named '", name,
            "'; usocket::use() gives it one"));
    }
    if (weft::frame_pool::arena_size() == 0) {
        frames.use();
    }
    std::unique_ptr<weft::driver> driver(new (std::nothrow) weft::port_driver);
    std::unique_ptr<on_lwip> made(
        driver ? new (std::nothrow) on_lwip(std::move(driver), nullptr) : nullptr);
    if (!made) {
        return fail(errc::no_memory);
    }
    if (const errc error = made->open(nullptr, {}, why); error != errc::ok) {
        return fail(error);
    }
    return std::unique_ptr<default_stack>(std::move(made));
}

#else

result<std::unique_ptr<default_stack>>
make_named_stack(std::string_view, std::span<char> why) noexcept {
    return fail(refuse(why, errc::invalid_argument, "this build has no stack"));
}

#endif

result<std::unique_ptr<default_stack>> make_default_stack(std::span<char> why) noexcept {
    return make_named_stack({}, why);
}

} // namespace usocket
