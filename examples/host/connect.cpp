// Connecting to whichever answers first, and finding out what listens.
//
//     connect [::1]:7000 127.0.0.1:7000        the first that connects, each 250 ms behind the last
//     connect --scan 127.0.0.1:7000-7100       the open ports among these
//
// The first is RFC 8305's "happy eyeballs": when_any over attempts that start one after another.
// The second is a task_group with a semaphore, and a timeout for each attempt.
#include "common/start.hpp"

#include <weft/event.hpp>
#include <weft/semaphore.hpp>
#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>
#include <weft/when_any.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr auto head_start = 250ms; // RFC 8305, section 5

/// What the attempts share: the streams that connected, and who has failed so far.
struct race {
    explicit race(std::size_t entrants) : streams(entrants), given_up(entrants) {}

    std::vector<std::optional<weft::tcp_stream>> streams;
    std::deque<weft::event> given_up; // events stay where they are
    std::size_t failed = 0;
};

/// Starts when the one before has had its head start or has failed. Ends only when it has
/// connected, or when it is the last to fail: the others may still succeed.
weft::task<> attempt(weft::stack& net, weft::endpoint to, std::size_t place, race& all) {
    if (place != 0) {
        const auto waited = co_await weft::timeout(
            all.given_up[place - 1].wait(), head_start * static_cast<int>(place));
        if (!waited && waited.error() != weft::errc::timed_out) {
            co_await weft::fail(waited.error());
        }
    }
    auto peer = co_await weft::timeout(net.connect(to), 3s);
    if (peer) {
        all.streams[place] = std::move(*peer);
        co_return;
    }
    if (peer.error() == weft::errc::canceled) {
        co_await weft::fail(peer.error());
    }
    example::say("{}: {}", to, peer.error());
    all.given_up[place].set();
    ++all.failed;
    if (all.failed == all.streams.size()) {
        co_await weft::fail(peer.error());
    }
    const auto lost = co_await weft::sleep_until(weft::never);
    if (!lost) {
        co_await weft::fail(lost.error());
    }
}

weft::task<> first_of(weft::stack& net, std::vector<weft::endpoint> all) {
    race attempts(all.size());
    std::vector<weft::task<>> running;
    for (std::size_t place = 0; place < all.size(); ++place) {
        running.push_back(attempt(net, all[place], place, attempts));
    }
    auto won = co_await weft::when_any(std::move(running));
    const auto& stream = attempts.streams[won.index];
    if (!won.results[won.index] || !stream) {
        example::complain("none of them answers; is a server running there?");
        co_await weft::fail(weft::errc::connection_refused);
    }
    example::say("connected to {}; the other attempts are cancelled", all[won.index]);
}

struct survey {
    weft::semaphore slots;
    std::size_t open = 0;
    std::size_t closed = 0;
    std::size_t silent = 0;
};

weft::task<> probe(weft::stack& net, weft::endpoint to, survey& found) {
    const auto peer = co_await weft::timeout(net.connect(to), 1s);
    found.slots.release();
    if (peer) {
        ++found.open;
        example::say("{} is open", to);
    } else if (peer.error() == weft::errc::connection_refused) {
        ++found.closed;
    } else {
        ++found.silent;
    }
}

weft::task<> scan(weft::stack& net, weft::endpoint from, std::uint16_t last) {
    survey found{weft::semaphore(64)};
    weft::task_group probes{net.loop()};
    for (std::uint32_t port = from.port; port <= last; ++port) {
        const auto slot = co_await found.slots.acquire();
        if (!slot) {
            co_await weft::fail(slot.error());
        }
        const auto spawned =
            probes.spawn(probe(net, {from.address, static_cast<std::uint16_t>(port)}, found));
        if (!spawned) {
            co_await weft::fail(spawned.error());
        }
    }
    const auto all = co_await probes.join();
    if (!all) {
        co_await weft::fail(all.error());
    }
    example::say(
        "{} open, {} closed, {} silent of {} ports", found.open, found.closed, found.silent,
        last - from.port + 1);
}

} // namespace

int main(int argc, char** argv) {
    example::program self(
        "connect", "Connects to the first that answers, or scans for open ports.");
    std::vector<std::string> texts;
    std::string range;
    self.texts("servers", texts, "ADDR:PORT of each");
    self.text("--scan", range, "ADDR:FIRST-LAST");
    return self.run(argc, argv, [&](weft::stack& net) {
        if (!range.empty()) {
            const auto dash = range.rfind('-');
            const auto from = example::parse_endpoint("--scan", range.substr(0, dash));
            const auto last =
                dash == range.npos
                    ? from.port
                    : example::parse_endpoint("--scan", ":" + range.substr(dash + 1)).port;
            return scan(net, from, last);
        }
        if (texts.empty()) {
            throw example::bad_choice("name a server as ADDR:PORT, or --scan ADDR:FIRST-LAST");
        }
        std::vector<weft::endpoint> all;
        for (const std::string& text : texts) {
            all.push_back(example::parse_endpoint("servers", text));
        }
        return first_of(net, std::move(all));
    });
}
