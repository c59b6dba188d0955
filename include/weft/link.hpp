// link: what carries Ethernet frames for the lwIP stack. Memory wire, TAP, unix datagram socket,
// and links that wrap links (pcap tee, impairments).
#pragma once

#include <weft/clock.hpp>
#include <weft/one_stack.hpp>
#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

using hardware_address = std::array<std::uint8_t, 6>;

/// One end of a cable. Single-threaded: the thread of the loop whose stack uses it.
class link {
  public:
    static constexpr std::size_t header_size = 14; // Ethernet, RFC 894

    link() = default;
    link(const link&) = delete;
    link& operator=(const link&) = delete;
#if !WEFT_ONE_STACK
    virtual ~link() = default;
#endif

    /// Payload bytes of a frame; a frame has up to mtu() + header_size bytes.
    [[nodiscard]] virtual std::size_t mtu() const noexcept = 0;
    /// The address that the netif on this end uses.
    [[nodiscard]] virtual hardware_address address() const noexcept = 0;

    /// Sends one whole frame, gathered from `parts`. errc::would_block or errc::no_buffers: it was
    /// dropped, as a cable drops; errc::message_too_long; errc::network_down.
    virtual result<> send(std::span<const std::span<const std::byte>> parts) noexcept = 0;

    /// Copies the next arrived frame into `frame` and returns its size; 0 if there is none (now).
    /// A frame longer than `frame` is dropped and counted.
    virtual std::size_t receive(std::span<std::byte> frame) noexcept = 0;

    /// A descriptor that is readable while receive() would return a frame, or -1.
    [[nodiscard]] WEFT_WAIST int descriptor() const noexcept { return -1; }

    /// For links without a descriptor: when receive() will next return a frame if nothing else is
    /// sent; at_once if now, never if not by itself. Not asked on a board with one stack, whose
    /// links wake the loop's driver for every frame.
    [[nodiscard]] WEFT_WAIST time_point next_arrival() noexcept { return never; }

    /// Links in virtual time learn what time it is before each receive() and send().
    WEFT_WAIST void advance(time_point /*now*/) noexcept {}

    /// False while nothing that is sent can arrive. The stack looks whenever the loop has slept,
    /// and at least once a second: a driver that learns of it from an interrupt wakes the loop.
    /// While it is down what the stack sends is dropped, and connections wait; when it is up again
    /// the stack asks DHCP and routers anew and tells its neighbours where it is.
    [[nodiscard]] virtual bool up() const noexcept { return true; }

#if WEFT_ONE_STACK
    // A board's link is an object that nobody deletes; a destructor in its vtable would bring the
    // heap into every image.
  protected:
    ~link() = default;
#endif
};

} // namespace weft
