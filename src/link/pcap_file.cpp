#include "link/pcap_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace weft {

namespace {
// Both in the byte order of the machine that writes: the magic number tells readers which.
struct file_header {
    std::uint32_t magic = 0xa1b23c4d; // nanoseconds
    std::uint16_t major = 2;
    std::uint16_t minor = 4;
    std::int32_t zone = 0;
    std::uint32_t accuracy = 0;
    std::uint32_t snap_length = 0;
    std::uint32_t link_type = 1; // LINKTYPE_ETHERNET
};
static_assert(sizeof(file_header) == 24);

struct record_header {
    std::uint32_t seconds;
    std::uint32_t nanoseconds;
    std::uint32_t captured;
    std::uint32_t original;
};
static_assert(sizeof(record_header) == 16);
} // namespace

result<std::FILE*> open_for_writing(const char* path) noexcept {
    std::FILE* const file = std::fopen(path, "wbe");
    if (file != nullptr) {
        return file;
    }
    switch (errno) {
    case EACCES:
    case EPERM:
    case EROFS:
        return fail(errc::permission_denied);
    case ENOENT:
    case ENOTDIR:
        return fail(errc::no_such_entry);
    case EMFILE:
        return fail(errc::too_many_open);
    case ENOMEM:
        return fail(errc::no_memory);
    default:
        return fail(errc::io_error);
    }
}

pcap_file::~pcap_file() {
    close();
}

void pcap_file::close() noexcept {
    if (file_ != nullptr) {
        std::fclose(file_);
        file_ = nullptr;
    }
}

result<> pcap_file::open(const char* path, std::size_t snap_length) noexcept {
    const result<std::FILE*> opened = open_for_writing(path);
    if (!opened) {
        return fail(opened.error());
    }
    close();
    file_ = *opened;
    failed_ = false;
    snap_length_ = std::clamp<std::size_t>(snap_length, 1, most_bytes);
    file_header header;
    header.snap_length = static_cast<std::uint32_t>(snap_length_);
    put(&header, sizeof(header));
    return flush();
}

void pcap_file::write(
    duration since_epoch, std::span<const std::span<const std::byte>> parts) noexcept {
    if (file_ == nullptr || failed_) {
        return;
    }
    std::size_t size = 0;
    for (const auto part : parts) {
        size += part.size();
    }
    constexpr std::int64_t second = 1'000'000'000;
    const std::int64_t time = std::max<std::int64_t>(since_epoch.count(), 0);
    std::size_t left = std::min(size, snap_length_);
    const record_header header{
        .seconds = static_cast<std::uint32_t>(time / second),
        .nanoseconds = static_cast<std::uint32_t>(time % second),
        .captured = static_cast<std::uint32_t>(left),
        .original = static_cast<std::uint32_t>(size)};
    put(&header, sizeof(header));
    for (const auto part : parts) {
        const std::size_t taken = std::min(part.size(), left);
        put(part.data(), taken);
        left -= taken;
    }
}

result<> pcap_file::flush() noexcept {
    if (file_ == nullptr) {
        return {};
    }
    failed_ = std::fflush(file_) != 0 || failed_;
    return failed_ ? result<>(fail(errc::io_error)) : result<>();
}

void pcap_file::put(const void* bytes, std::size_t size) noexcept {
    if (size != 0 && !failed_) {
        failed_ = std::fwrite(bytes, 1, size, file_) != size;
    }
}

} // namespace weft
