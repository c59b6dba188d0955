// A plain POSIX peer at the other end of 127.0.0.1 or ::1, and each test on all three pollers.
#pragma once

#include <weft/host.hpp>
#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace host_test {

using namespace std::chrono_literals;
using weft::address;
using weft::endpoint;
using weft::errc;
using weft::family;
using weft::poller;
using weft::readiness;
using weft::task;
using weft::tcp_listener;
using weft::tcp_stream;

/// Runs the test on epoll, poll and select, with ten seconds of patience each, and sees that it
/// leaves no descriptor open.
void on_each_poller(task<> (*test)(weft::host_context&));

std::size_t open_descriptors();

/// The error, or ok.
template <class Result>
errc error_of(const Result& r) {
    return r ? errc::ok : r.error();
}

/// A blocking descriptor of the kernel's.
class peer {
  public:
    peer() noexcept = default;
    explicit peer(int owned) noexcept : descriptor_(owned) {}
    peer(peer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    peer& operator=(peer&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~peer() { close(); }

    static peer listening(const endpoint& at, int backlog = 16);
    static peer connected(const endpoint& to);
    static peer udp(const endpoint& at);
    [[nodiscard]] peer accept() const;

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
    [[nodiscard]] endpoint local() const;

    void send(std::string_view text) const;
    void send_to(std::string_view text, const endpoint& to) const;
    /// What one recv gives, "" at the end, "ECONNRESET" and the like on failure.
    [[nodiscard]] std::string recv() const;
    /// Reads to the end: how many bytes came before it. REQUIREs that it is an end and no error.
    [[nodiscard]] std::size_t drain() const;
    void finish() const; // FIN
    void reset();        // RST
    void close();

  private:
    int descriptor_ = -1;
};

/// A weft stream whose other end is a peer.
struct pair {
    tcp_stream stream;
    peer other;
};
task<pair> connect_pair(weft::host_context& host, family f = family::ipv4);

inline endpoint loopback(family f = family::ipv4, std::uint16_t port = 0) {
    return {address::loopback(f), port};
}
inline std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}
inline std::string text(std::span<const std::byte> b, std::size_t n) {
    return {reinterpret_cast<const char*>(b.data()), n};
}

} // namespace host_test

namespace weft {
inline doctest::String toString(errc e) {
    return name(e);
}
} // namespace weft
