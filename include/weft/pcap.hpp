// pcap: a link that passes everything on to another and writes both directions into a file that
// Wireshark, tshark and tcpdump read.
//
//     weft::wire cable;
//     auto end = cable.attach({2, 0, 0, 0, 0, 1});             // or any other link
//     if (!end) { return weft::fail(end.error()); }
//     auto seen = weft::make_pcap_link(std::move(*end), {.path = "run.pcap"});
#pragma once

#include <weft/link.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weft {

class pcap_file;

enum class pcap_clock : std::uint8_t {
    loop, // what advance() told last: exact in virtual time; on a host, seconds since it started
    wall, // the time of day, read for each frame
};

struct pcap_options {
    const char* path = nullptr; // of the file; replaced if it is there
    pcap_clock clock = pcap_clock::loop;
    std::size_t snap_length = 262144; // bytes kept of a frame
};

/// The file is complete after destruction, or after flush(). Frames that the inner link refused are
/// not in it.
class pcap_link final : public link {
  public:
    ~pcap_link() override;

    /// Everything so far reaches the file. errc::io_error: not all of it did, now or earlier (a
    /// full disk); frames pass all the same.
    result<> flush() noexcept;
    [[nodiscard]] link& inner() const noexcept { return *inner_; }

    [[nodiscard]] std::size_t mtu() const noexcept override { return inner_->mtu(); }
    [[nodiscard]] hardware_address address() const noexcept override { return inner_->address(); }
    result<> send(std::span<const std::span<const std::byte>> parts) noexcept override;
    std::size_t receive(std::span<std::byte> frame) noexcept override;
    [[nodiscard]] int descriptor() const noexcept override { return inner_->descriptor(); }
    [[nodiscard]] time_point next_arrival() noexcept override { return inner_->next_arrival(); }
    void advance(time_point now) noexcept override;
    [[nodiscard]] bool up() const noexcept override { return inner_->up(); }

  private:
    friend result<std::unique_ptr<pcap_link>>
    make_pcap_link(std::unique_ptr<link>&& inner, const pcap_options& options) noexcept;

    pcap_link(std::unique_ptr<pcap_file> file, pcap_clock clock) noexcept;
    [[nodiscard]] duration stamp() const noexcept;

    std::unique_ptr<link> inner_;
    std::unique_ptr<pcap_file> file_;
    pcap_clock clock_;
    time_point now_{};
};

/// Takes `inner` over only if it succeeds. errc::invalid_argument: no link, or no path;
/// errc::permission_denied, errc::no_such_entry (a folder), errc::too_many_open, errc::io_error,
/// errc::no_memory: the file cannot be written.
[[nodiscard]] result<std::unique_ptr<pcap_link>>
make_pcap_link(std::unique_ptr<link>&& inner, const pcap_options& options) noexcept;

} // namespace weft
