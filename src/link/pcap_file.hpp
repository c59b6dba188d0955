// A classic pcap file being written: nanoseconds, Ethernet. Its bytes reach the file at flush() and
// at destruction. Format: draft-ietf-opsawg-pcap.
#pragma once

#include <weft/clock.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdio>
#include <span>

namespace weft {

class pcap_file {
  public:
    static constexpr std::size_t most_bytes = 262144; // what readers accept of one frame

    pcap_file() = default;
    pcap_file(const pcap_file&) = delete;
    pcap_file& operator=(const pcap_file&) = delete;
    ~pcap_file();

    /// Replaces what is there. Keeps at most `snap_length` bytes of a frame. The errors of
    /// open_for_writing(), and errc::io_error.
    result<> open(const char* path, std::size_t snap_length = most_bytes) noexcept;
    /// A failure is kept for flush(), and nothing more is written.
    void write(duration since_epoch, std::span<const std::span<const std::byte>> parts) noexcept;
    void close() noexcept;
    /// errc::io_error: not all of it is in the file.
    result<> flush() noexcept;

  private:
    void put(const void* bytes, std::size_t size) noexcept;

    std::FILE* file_ = nullptr;
    std::size_t snap_length_ = most_bytes;
    bool failed_ = false;
};

/// An empty file for us alone to write. errc::permission_denied, errc::no_such_entry,
/// errc::too_many_open, errc::no_memory, errc::io_error for anything else.
[[nodiscard]] result<std::FILE*> open_for_writing(const char* path) noexcept;

} // namespace weft
