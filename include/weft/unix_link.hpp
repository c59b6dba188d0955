// unix_link: a cable between two processes of one host, over unix datagram sockets: frames of an
// lwIP stack without root and without a TAP interface.
//
//     auto mine = weft::make_unix_link({.path = "/tmp/left", .peer = "/tmp/right"});
//     if (!mine) { return weft::fail(mine.error()); }
#pragma once

#include <weft/link.hpp>
#include <weft/link_counters.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace weft {

struct unix_link_options {
    /// Of this end's socket, and of the peer's; up to 107 bytes, in a folder that both may write.
    /// Whoever may write to `path` may send frames to this end.
    std::string_view path;
    std::string_view peer;
    std::size_t mtu = 1500;
    /// All zero: a random one, locally administered.
    hardware_address address{};
    /// Of the socket's send and receive buffers. Linux also limits a queue to
    /// net.unix.max_dgram_qlen frames, 10 unless an administrator raised it: beyond that send()
    /// is errc::would_block, whatever the buffers.
    std::size_t buffer_bytes = 262144;
};

class unix_link final : public link {
  public:
    /// Removes its path, unless someone else has taken it meanwhile.
    ~unix_link() override;

    [[nodiscard]] const link_counters& counters() const noexcept { return counters_; }

    [[nodiscard]] std::size_t mtu() const noexcept override { return mtu_; }
    [[nodiscard]] hardware_address address() const noexcept override { return address_; }
    /// While the peer is not there the frame is dropped and counted as no_peer, as on a cable whose
    /// other end is loose: that is no error. errc::would_block: the peer's queue is full;
    /// errc::permission_denied: its path may not be written; errc::no_buffers,
    /// errc::message_too_long; errc::invalid_argument: shorter than an Ethernet header.
    result<> send(std::span<const std::span<const std::byte>> parts) noexcept override;
    std::size_t receive(std::span<std::byte> frame) noexcept override;
    [[nodiscard]] int descriptor() const noexcept override { return descriptor_; }

  private:
    friend result<std::unique_ptr<unix_link>>
    make_unix_link(const unix_link_options& options) noexcept;

    static constexpr std::size_t path_size = 108; // of sockaddr_un, with its final zero

    unix_link() = default;
    errc bind_path() noexcept;

    int descriptor_ = -1;
    bool bound_ = false;
    std::size_t mtu_ = 0;
    hardware_address address_{};
    std::uint64_t device_ = 0; // with inode_: which file is ours
    std::uint64_t inode_ = 0;
    std::unique_ptr<std::byte[]> overflow_; // one frame, for those of very many parts
    link_counters counters_;
    char path_[path_size]{};
    char peer_[path_size]{};
};

/// Binds `path`. A socket that a dead process left there is replaced; two processes that start on
/// the same stale path in the same instant are not told apart.
///
/// errc::address_in_use: a living process has that path, or it is no socket;
/// errc::invalid_argument: an empty or long path, a zero or giant MTU, a group's address;
/// errc::permission_denied, errc::no_such_entry: the folder; errc::no_memory, errc::too_many_open.
[[nodiscard]] result<std::unique_ptr<unix_link>>
make_unix_link(const unix_link_options& options) noexcept;

} // namespace weft
