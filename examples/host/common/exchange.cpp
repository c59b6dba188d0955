#include "exchange.hpp"

#include "start.hpp"

#include <weft/loop.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

#include <unistd.h>

namespace example {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t piece = 64 * 1024;

/// The byte at an offset: xorshift-multiplied, so that a lost, doubled or moved piece shows.
void fill(std::span<std::byte> into, std::uint64_t offset) noexcept {
    for (std::size_t i = 0; i < into.size();) {
        std::uint64_t word = ((offset + i) / 8 + 1) * 0x9e3779b97f4a7c15U;
        word ^= word >> 29;
        const std::size_t skip = (offset + i) % 8;
        const std::size_t take = std::min(8 - skip, into.size() - i);
        std::memcpy(into.data() + i, reinterpret_cast<const char*>(&word) + skip, take);
        i += take;
    }
}

class progress {
  public:
    progress(weft::loop& clock, std::size_t whole) noexcept
        : clock_(&clock), whole_(whole), begun_(clock.now()),
          terminal_(talkative() && isatty(STDERR_FILENO) == 1) {}

    void show(std::size_t done) {
        const auto now = clock_->now();
        if (!terminal_ || (done != whole_ && now - shown_ < 100ms)) {
            return;
        }
        shown_ = now;
        constexpr std::size_t width = 40;
        const std::size_t filled = whole_ == 0 ? width : done * width / whole_;
        fmt::print(
            stderr, "\r[{:=<{}}{:{}}] {:3} %{}", "", filled, "", width - filled,
            whole_ == 0 ? 100 : done * 100 / whole_, done == whole_ ? "\n" : "");
    }

    [[nodiscard]] double seconds() const noexcept {
        return std::chrono::duration<double>(clock_->now() - begun_).count();
    }

  private:
    weft::loop* clock_;
    std::size_t whole_;
    weft::time_point begun_;
    weft::time_point shown_{};
    bool terminal_;
};

weft::task<> send_pattern(weft::tcp_stream& peer, std::size_t bytes) {
    std::vector<std::byte> buffer(piece);
    for (std::size_t offset = 0; offset < bytes;) {
        const auto part = std::span(buffer).first(std::min(piece, bytes - offset));
        fill(part, offset);
        const auto sent = co_await peer.send_all(part);
        if (!sent) {
            co_await weft::fail(sent.error());
        }
        offset += sent.count;
    }
    const auto finished = peer.shutdown_send();
    if (!finished) {
        co_await weft::fail(finished.error());
    }
}

/// How many bytes came back as they were sent, to the end of the stream or the first wrong one.
weft::task<std::size_t> check_pattern(weft::tcp_stream& peer, std::size_t bytes, progress& bar) {
    std::vector<std::byte> buffer(piece);
    std::vector<std::byte> expected(piece);
    std::size_t offset = 0;
    while (true) {
        const auto received = co_await peer.recv(buffer);
        if (!received) {
            co_return weft::fail(received.error());
        }
        if (*received == 0) {
            if (offset != bytes) {
                peer.abort();
            }
            co_return offset;
        }
        const auto part = std::span(buffer).first(*received);
        const auto wanted = std::span(expected).first(*received);
        fill(wanted, offset);
        const auto differs = std::ranges::mismatch(part, wanted).in1;
        offset += static_cast<std::size_t>(differs - part.begin());
        if (differs != part.end() || offset > bytes) {
            complain(fmt::format("byte {} came back changed", offset));
            peer.abort(); // or the sender would wait for ever
            co_return weft::fail(weft::errc::protocol_error);
        }
        bar.show(offset);
    }
}

} // namespace

weft::task<> exchange(weft::stack& net, weft::endpoint to, std::size_t bytes) {
    auto peer = co_await weft::timeout(net.connect(to), 5s);
    if (!peer) {
        co_await weft::fail(peer.error());
    }
    progress bar(net.loop(), bytes);
    const auto both =
        co_await weft::when_all(send_pattern(*peer, bytes), check_pattern(*peer, bytes, bar));
    const auto& sent = std::get<0>(both);
    const auto& returned = std::get<1>(both);
    if (!returned) {
        co_await weft::fail(returned.error());
    }
    if (*returned != bytes) {
        complain(fmt::format("{} of {} bytes came back", *returned, bytes));
        co_await weft::fail(weft::errc::end_of_stream);
    }
    if (!sent) {
        co_await weft::fail(sent.error());
    }
    const double seconds = std::max(bar.seconds(), 1e-9);
    say("{} bytes each way in {:.2f} s, {:.0f} Mbit/s each way, every byte as it was sent", bytes,
        seconds, static_cast<double>(bytes) * 8e-6 / seconds);
}

} // namespace example
