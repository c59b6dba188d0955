// A status page: GET / is a page for browsers that renews itself, GET /status.json the same for
// programs. Coroutines that know no stack and no operating system; a device says what there is to
// show. Everything that a stranger decides is bounded: the head of a request, the time that one
// takes, the connections at a time.
//
//     struct board final : programs::device { ... };
//     auto done = weft::sync_wait(loop, programs::status_page(net, {{}, 80}, board));
#pragma once

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace programs {

/// A number that nobody knows: "null" in JSON.
inline constexpr std::uint32_t not_known = UINT32_MAX;

enum class link_state : std::uint8_t { unknown, down, up };

struct socket_usage {
    std::uint32_t tcp_active = not_known; // connecting, connected or closing
    std::uint32_t tcp_listening = not_known;
    std::uint32_t tcp_time_wait = not_known;
    std::uint32_t udp = not_known;
};

/// A pool of the stack's: how many of its elements, or bytes, are taken.
struct pool_usage {
    std::string_view name; // letters, digits, blanks and _-.
    std::uint32_t used = not_known;
    std::uint32_t most = not_known; // that ever were
    std::uint32_t size = not_known;
    std::uint32_t failed = not_known; // how often there was none left
};

/// What runs the server, and what its pages show beside the server's own counters and the frames.
class device {
  public:
    /// Letters, digits, blanks and _-.,() alone: it is not escaped.
    [[nodiscard]] virtual std::string_view name() noexcept = 0;
    [[nodiscard]] virtual link_state link() noexcept { return link_state::unknown; }
    [[nodiscard]] virtual socket_usage sockets() noexcept { return {}; }
    /// Bytes that frames may have.
    [[nodiscard]] virtual std::uint32_t frames_size() noexcept { return not_known; }
    /// Pool number `index` from 0; false: there are no more.
    virtual bool pool(std::size_t index, pool_usage& into) noexcept {
        static_cast<void>(index);
        static_cast<void>(into);
        return false;
    }
    /// The server listens there from now on.
    virtual void listening(const weft::endpoint& at) noexcept { static_cast<void>(at); }

  protected:
    ~device() = default;
};

struct status_counters {
    std::uint32_t connections = 0; // served by now
    std::uint32_t open = 0;        // of them now
    std::uint32_t refused = 0;     // beyond `connections` at a time, or without memory
    std::uint32_t answers = 0;     // with 200
    std::uint32_t errors = 0;      // with another status
    std::uint32_t timeouts = 0;    // connections that were ended because they took too long
};

struct status_start {
    std::uint32_t connections = 4; // at a time; the next are told 503
    /// For each request, from where the connection waits for it to where its answer is taken.
    weft::duration patience = std::chrono::seconds(10);
};

/// What the connections of one server share, for who accepts them himself, as
/// secure_status_page.cpp does.
struct status_server {
    weft::stack* net;
    device* shown;
    weft::duration patience;
    weft::time_point begun;
    status_counters counters;
};
/// One connection, over TCP or over what is a tcp_stream too, until it ends.
weft::task<> serve_status(status_server& shared, weft::tcp_stream peer);

/// Serves at `at` until it is cancelled. `shown` must outlive it. The errors of stack::listen().
weft::task<>
status_page(weft::stack& net, weft::endpoint at, device& shown, status_start start = {});

} // namespace programs
