#include <weft/tap.hpp>

#include "link/system_frame.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

namespace weft {

namespace {
bool is_valid_name(std::string_view name) noexcept {
    // '%' would make the kernel fill in a number; the rest is dev_valid_name() in net/core/dev.c
    return name.size() < IFNAMSIZ && name != "." && name != ".." &&
           std::none_of(
               name.begin(), name.end(),
               [](unsigned char c) {
                   return c == '/' || c == ':' || c == '%' || c <= ' ' || c == 0x7f;
               });
}
} // namespace

result<std::unique_ptr<tap_link>> make_tap_link(const tap_options& options) noexcept {
    static_assert(tap_link::name_size == IFNAMSIZ);
    if (!is_valid_name(options.name) || !is_valid_mtu(options.mtu) ||
        (options.address[0] & 1) != 0) {
        return fail(errc::invalid_argument);
    }
    hardware_address address;
    if (!choose_address(options.address, address)) {
        return fail(errc::io_error);
    }
    std::unique_ptr<std::byte[]> overflow(new (std::nothrow)
                                              std::byte[options.mtu + link::header_size]);
    if (overflow == nullptr) {
        return fail(errc::no_memory);
    }
    const int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        return fail(link_error(errno));
    }
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    std::copy(options.name.begin(), options.name.end(), request.ifr_name);
    if (ioctl(descriptor, TUNSETIFF, &request) < 0) {
        const errc error = link_error(errno);
        close(descriptor);
        return fail(error);
    }
    auto* const made = new (std::nothrow)
        tap_link(descriptor, request.ifr_name, options.mtu, address, std::move(overflow));
    if (made == nullptr) {
        close(descriptor);
        return fail(errc::no_memory);
    }
    return std::unique_ptr<tap_link>(made);
}

tap_link::tap_link(
    int descriptor, std::string_view name, std::size_t mtu, const hardware_address& address,
    std::unique_ptr<std::byte[]> overflow) noexcept
    : descriptor_(descriptor), address_(address), mtu_(mtu), overflow_(std::move(overflow)) {
    std::copy_n(name.begin(), std::min(name.size(), name_size - 1), name_);
}

tap_link::~tap_link() {
    close(descriptor_);
}

result<> tap_link::send(std::span<const std::span<const std::byte>> parts) noexcept {
    const std::size_t size = gathered_frame::size(parts);
    if (const errc wrong = check_frame_size(size, mtu_); wrong != errc::ok) {
        ++counters_.send_failures;
        return fail(wrong);
    }
    gathered_frame whole(parts, {overflow_.get(), size});
    ssize_t written = 0;
    do {
        written = writev(descriptor_, whole.vectors(), whole.count());
    } while (written < 0 && errno == EINTR);
    if (written >= 0) {
        lost_ = false;
        ++counters_.sent;
        return {};
    }
    const errc error = link_error(errno);
    lost_ = error == errc::network_down;
    ++(error == errc::would_block    ? counters_.would_block
       : error == errc::network_down ? counters_.no_peer
                                     : counters_.send_failures);
    return fail(error);
}

// The kernel says it to no one but who writes: an empty frame to ourselves, which the other side
// drops, of the type that RFC 5342 keeps for experiments.
bool tap_link::up() const noexcept {
    if (lost_) {
        std::array<std::byte, header_size> frame{};
        std::memcpy(frame.data(), address_.data(), address_.size());
        std::memcpy(frame.data() + address_.size(), address_.data(), address_.size());
        frame[12] = std::byte{0x88};
        frame[13] = std::byte{0xb5};
        const ssize_t written = write(descriptor_, frame.data(), frame.size());
        lost_ = written < 0 && link_error(errno) == errc::network_down;
    }
    return !lost_;
}

std::size_t tap_link::receive(std::span<std::byte> frame) noexcept {
    for (;;) {
        // The kernel cuts what does not fit without a word; one byte more tells.
        std::byte beyond;
        iovec vectors[] = {{frame.data(), frame.size()}, {&beyond, 1}};
        const ssize_t read = readv(descriptor_, vectors, 2);
        if (read < 0 && errno == EINTR) {
            continue;
        }
        if (read <= 0) {
            return 0;
        }
        const auto size = static_cast<std::size_t>(read);
        if (size <= frame.size()) {
            ++counters_.received;
            return size;
        }
        ++counters_.received_too_long;
    }
}

} // namespace weft
