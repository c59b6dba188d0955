#include "ethernet.hpp"

#include "lan9118.h"

#include <array>

namespace board {

namespace {

constexpr weft::hardware_address own_address{0x02, 0x00, 0x00, 0x38, 0x50, 0x01}; // locally given

void wake(void* sleeper) {
    static_cast<weft::driver*>(sleeper)->wake();
}

} // namespace

weft::result<> ethernet::start(weft::driver& sleeper) noexcept {
    if (!lan9118_start(own_address.data(), &wake, &sleeper)) {
        return weft::fail(weft::errc::no_such_device);
    }
    return {};
}

std::size_t ethernet::mtu() const noexcept {
    return lan9118_longest_frame - header_size;
}

weft::hardware_address ethernet::address() const noexcept {
    return own_address;
}

weft::result<> ethernet::send(std::span<const std::span<const std::byte>> parts) noexcept {
    std::array<lan9118_part, 16> list; // lwIP's stack gives no more
    if (parts.size() > list.size()) {
        return weft::fail(weft::errc::message_too_long);
    }
    for (std::size_t i = 0; i != parts.size(); ++i) {
        list[i] = {parts[i].data(), parts[i].size()};
    }
    if (!lan9118_send(list.data(), parts.size())) {
        return weft::fail(weft::errc::no_buffers);
    }
    return {};
}

std::size_t ethernet::receive(std::span<std::byte> frame) noexcept {
    return lan9118_receive(frame.data(), frame.size());
}

weft::time_point ethernet::next_arrival() noexcept {
    return lan9118_frame_waits() ? weft::at_once : weft::never;
}

bool ethernet::up() const noexcept {
    return lan9118_link_up();
}

} // namespace board
