// What tests/firmware/hardship.py makes suffer: TCP services that give up on a peer that stalls,
// and a report of all that is counted, on the console for each 'r'.
#include "board.h"
#include "board.hpp"
#include "report.hpp"

#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <array>
#include <chrono>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t backlog = 4;       // half the pcbs: what nobody accepted takes no more
constexpr weft::duration patience = 10s; // with a peer that neither sends nor reads

served counted;

void give_up(weft::tcp_stream& peer, weft::errc why) noexcept {
    if (why == weft::errc::timed_out) {
        ++counted.stalled;
        peer.abort(); // close() would go on delivering to a peer that does not read
    } else {
        ++counted.broken;
    }
}

/// All of it, or patience ends.
weft::task<> send(weft::tcp_stream& peer, std::span<const std::byte> what) {
    const auto sent = co_await weft::timeout(peer.send_all(what), patience);
    if (!sent) {
        co_await weft::fail(sent.error());
    }
}

/// Port 7: sends back what it receives.
weft::task<> echo(weft::tcp_stream peer) {
    std::array<std::byte, 256> buffer;
    while (true) {
        const auto received = co_await weft::timeout(peer.recv(buffer), patience);
        if (!received) {
            give_up(peer, received.error());
            co_return;
        }
        if (*received == 0) {
            co_return;
        }
        const std::span<const std::byte> answer(buffer.data(), *received);
        const auto sent = co_await send(peer, answer);
        if (!sent) {
            give_up(peer, sent.error());
            co_return;
        }
    }
}

/// Port 9: takes all, in a buffer that only a few fit the arena with.
weft::task<> discard(weft::tcp_stream peer) {
    std::array<std::byte, 3000> buffer;
    while (true) {
        const auto received = co_await weft::timeout(peer.recv(buffer), patience);
        if (!received) {
            give_up(peer, received.error());
            co_return;
        }
        if (*received == 0) {
            co_return;
        }
    }
}

/// Port 13: says something and closes first.
weft::task<> greet(weft::tcp_stream peer) {
    const auto sent = co_await weft::timeout(peer.send("good day\n"), patience);
    if (!sent) {
        give_up(peer, sent.error());
    }
}

constexpr auto counting = [] {
    std::array<std::byte, 1024> bytes{};
    for (std::size_t i = 0; i != bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i % 251);
    }
    return bytes;
}();

/// Port 19: sends the same 1,024 bytes for ever.
weft::task<> generate(weft::tcp_stream peer) {
    std::size_t at = 0;
    while (true) {
        const std::span<const std::byte> rest = std::span(counting).subspan(at);
        const auto sent = co_await weft::timeout(peer.send(rest), patience);
        if (!sent) {
            give_up(peer, sent.error());
            co_return;
        }
        at = (at + *sent) % counting.size();
    }
}

weft::task<>
serve(weft::stack& net, std::uint16_t port, weft::task<> (*service)(weft::tcp_stream)) {
    auto listener = net.listen({weft::address::any(), port}, backlog);
    if (!listener) {
        board::say("port ", port, ": ", listener.error());
        co_await weft::fail(listener.error());
    }
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        ++counted.accepted;
        const auto spawned = peers.spawn(service(std::move(*peer)));
        if (!spawned) {
            ++counted.no_frame;
        }
    }
}

/// Keys on the console: 'r' reports, 'q' ends the program.
class keys : weft::posted {
  public:
    keys(weft::loop& home, weft::scope& work) noexcept : posted(&act), home_(&home), work_(&work) {
        current_ = this;
        board_on_key(&pressed);
    }

  private:
    static void pressed(char key) {
        current_->key_ = key;
        current_->home_->post(*current_);
    }
    static void act(posted& self) {
        auto& which = static_cast<keys&>(self);
        if (which.key_ == 'r') {
            report(counted);
        } else if (which.key_ == 'q') {
            which.work_->cancel();
        }
    }

    static inline keys* current_ = nullptr;
    weft::loop* home_;
    weft::scope* work_;
    volatile char key_ = 0;
};

weft::task<> serve_all(weft::stack& net) {
    weft::task_group all{net.loop()};
    const std::array services{
        all.spawn(serve(net, 7, &echo)), all.spawn(serve(net, 9, &discard)),
        all.spawn(serve(net, 13, &greet)), all.spawn(serve(net, 19, &generate))};
    for (const auto& each : services) {
        if (!each) {
            co_await weft::fail(each.error());
        }
    }
    board::say("serving");
    const auto ended = co_await all.join();
    if (!ended) {
        co_await weft::fail(ended.error());
    }
}

weft::task<> program(weft::stack& net) {
    weft::scope work(net.loop());
    const keys listening(net.loop(), work);
    const auto done = co_await weft::within(work, serve_all(net));
    if (!done && !work.canceled()) {
        co_await weft::fail(done.error());
    }
}

} // namespace

int main() {
    return board::run(&program);
}
