// ping: is a host there, and how far away? ICMP's echo (RFC 792) and ICMPv6's (RFC 4443) on the
// lwIP stack.
//
//     auto there = weft::address::v4(10, 0, 0, 1);
//     auto rtt = co_await weft::timeout(weft::ping(net, there), 1s);   // result<duration>
#pragma once

#include <weft/address.hpp>
#include <weft/clock.hpp>
#include <weft/result.hpp>
#include <weft/wait.hpp>

#include <coroutine>
#include <cstdint>

namespace weft {

class stack;

struct ping_options {
    /// Bytes of data, of a pattern of its own; with the headers, 28 bytes or 48, at most the MTU.
    std::uint16_t size = 56;
    std::uint8_t hop_limit = 64;
};

/// `co_await ping(...)`: sends one echo request, once, and completes with the time until its reply.
class [[nodiscard]] pinging : public wait_node {
  public:
    pinging(stack& by, const address& whom, const ping_options& o) noexcept
        : by_(&by), whom_(whom), options_(o) {}
    static bool await_ready() noexcept { return false; }

    template <class P>
    bool await_suspend(std::coroutine_handle<P> caller) noexcept {
        enter(caller);
        return wait(caller);
    }
    result<duration> await_resume() noexcept {
        finish();
        if (ended_ != errc::ok) {
            return fail(ended_);
        }
        return taken_;
    }

  private:
    friend struct ping_parts;
    bool wait(std::coroutine_handle<> caller) noexcept;
    errc send() noexcept;
    void end(errc how) noexcept;
    static void run_now(waiter& node);

    stack* by_;
    address whom_;
    ping_options options_;
    std::uint32_t number_ = 0; // identifier and sequence number: which reply is ours
    errc ended_ = errc::ok;
    time_point sent_{};
    duration taken_{};
};

/// The time from sending to `whom` to the reply. Waits for ever if there is none, as for a host
/// that is not there: timeout() ends it. Any number run beside each other; a reply counts only for
/// the request that it answers. Replies that come in fragments are not seen.
///
/// errc::network_unreachable: no address here that could send there, or a router said so;
/// errc::host_unreachable: a router said so, or hop_limit was too few; errc::connection_refused:
/// the host does not speak ICMP; errc::message_too_long: options.size; errc::invalid_argument: an
/// unspecified address or a group's; errc::family_not_supported: lwIP without IPv6;
/// errc::no_memory; errc::canceled; errc::network_down: the stack went away; errc::not_supported:
/// it is not lwIP's, since the system's lets few programs do this.
[[nodiscard]] inline pinging
ping(stack& by, const address& whom, const ping_options& options = {}) noexcept {
    return {by, whom, options};
}

} // namespace weft
