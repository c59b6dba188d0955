// TCP over a non-blocking descriptor.
//
// A readiness bit says that a try may succeed; a new connection has both, so the first try of each
// is a speculative call. A bit goes down when a call says EAGAIN, and after a short read or write,
// when it would: that saves the call that says so.
#pragma once

#include <weft/descriptor_driver.hpp>
#include <weft/socket.hpp>
#include <weft/timer.hpp>

namespace weft::host {

/// Where the descriptor is in its life. It is watched from the first connect() or listen() on,
/// because epoll calls a TCP socket that does neither writable and hung up.
///
///     fresh -> listening
///     fresh -> connecting -> connected, or fresh again
///     connected: accepted
class tcp final : public tcp_socket, private descriptor_watch {
  public:
    /// The driver of `home` is a descriptor_driver.
    static result<tcp_socket*> open(loop& home, family f) noexcept;

    result<> bind(const endpoint& at) noexcept override;
    result<> listen(std::size_t backlog) noexcept override;
    result<tcp_socket*> try_accept() noexcept override;
    result<> start_connect(const endpoint& to) noexcept override;
    result<> connect_result() noexcept override;
    result<std::span<const std::byte>> peek() noexcept override;
    void consume(std::size_t) noexcept override {}
    result<> shutdown_send() noexcept override;
    void abort() noexcept override;

    result<> set_option(socket_option option, int value) noexcept override;
    result<int> get_option(socket_option option) const noexcept override;
    result<> bind_device(std::string_view name) noexcept override;
    [[nodiscard]] std::size_t send_space() noexcept override;

    readiness confirmed() noexcept override;
    errc take_error() noexcept override;
    result<endpoint> local() const noexcept override;
    result<endpoint> remote() const noexcept override;

  protected:
    io_count receive_some(std::byte* into, std::size_t size) noexcept override;
    io_count send_some(const std::byte* from, std::size_t size) noexcept override;
    void dispose() noexcept override { delete this; }
    void do_close() noexcept override;

  private:
    enum class state : std::uint8_t { fresh, listening, connecting, connected };

    tcp(loop& home, int opened, state begin) noexcept;

    /// For a listener that ran out of descriptors or memory: asks again later, since no readiness
    /// tells that there are some.
    struct accept_again;

    static void told(descriptor_watch& watch, unsigned events);
    void told_an_end(unsigned events) noexcept;
    [[nodiscard]] descriptor_driver& driver() const noexcept {
        return static_cast<descriptor_driver&>(home().sleeper());
    }
    [[nodiscard]] family own_family() const noexcept;
    result<> watch() noexcept;
    void spent(readiness bit) noexcept;
    void arm(readiness bit) noexcept;
    void read_short() noexcept;
    io_count receive_failed(std::size_t asked) noexcept;
    io_count sent_less(io_count n) noexcept;
    void blocked(readiness bit, int number) noexcept;
    errc final_error(int number) noexcept;
    result<tcp_socket*> accept_failed(int number) noexcept;
    void drain() noexcept;

    // in the tail of descriptor_watch
    state state_;
    bool watched_ = false;
    // What keeps a short read from simply lowering the bit: the driver must be asked for the next
    // event, or a FIN, an error or urgent data was told, after which no further edge is sure to
    // come and a short read says nothing about the next.
    static constexpr std::uint8_t levels = 1;
    static constexpr std::uint8_t after_an_end = 2;
    std::uint8_t short_reads_;
    accept_again* again_ = nullptr; // a listener's, once it was needed
};

} // namespace weft::host
