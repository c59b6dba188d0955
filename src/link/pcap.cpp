#include <weft/pcap.hpp>

#include "link/pcap_file.hpp"

#include <array>
#include <chrono>
#include <new>
#include <utility>

namespace weft {

result<std::unique_ptr<pcap_link>>
make_pcap_link(std::unique_ptr<link>&& inner, const pcap_options& options) noexcept {
    if (inner == nullptr || options.path == nullptr) {
        return fail(errc::invalid_argument);
    }
    std::unique_ptr<pcap_file> file(new (std::nothrow) pcap_file);
    if (file == nullptr) {
        return fail(errc::no_memory);
    }
    if (const result<> opened = file->open(options.path, options.snap_length); !opened) {
        return fail(opened.error());
    }
    std::unique_ptr<pcap_link> made(new (std::nothrow) pcap_link(std::move(file), options.clock));
    if (made == nullptr) {
        return fail(errc::no_memory);
    }
    made->inner_ = std::move(inner);
    return made;
}

pcap_link::pcap_link(std::unique_ptr<pcap_file> file, pcap_clock clock) noexcept
    : file_(std::move(file)), clock_(clock) {}

pcap_link::~pcap_link() = default;

result<> pcap_link::flush() noexcept {
    return file_->flush();
}

result<> pcap_link::send(std::span<const std::span<const std::byte>> parts) noexcept {
    const result<> sent = inner_->send(parts);
    if (sent) {
        file_->write(stamp(), parts);
    }
    return sent;
}

std::size_t pcap_link::receive(std::span<std::byte> frame) noexcept {
    const std::size_t size = inner_->receive(frame);
    if (size != 0) {
        const std::array<std::span<const std::byte>, 1> whole{frame.first(size)};
        file_->write(stamp(), whole);
    }
    return size;
}

void pcap_link::advance(time_point now) noexcept {
    now_ = now;
    inner_->advance(now);
}

duration pcap_link::stamp() const noexcept {
    return clock_ == pcap_clock::loop ? now_.time_since_epoch()
                                      : std::chrono::system_clock::now().time_since_epoch();
}

} // namespace weft
