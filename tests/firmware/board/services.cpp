// What tests/firmware/services.py asks for: the services that a device needs, each with a line on
// the console that says what became of it; an echo server at port 7; and a watchdog that a
// heartbeat feeds. 'q' ends it, 'h' lets the watched task hang, 's' lets the loop stand still.
#include "board.h"
#include "board.hpp"

#include <weft/heartbeat.hpp>
#include <weft/network_interface.hpp>
#include <weft/ping.hpp>
#include <weft/sleep.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <array>
#include <chrono>
#include <span>

namespace {

using namespace std::chrono_literals;
using weft::families;
using weft::network_interface;
using weft::task;

// --- the watchdog: CMSDK's (Arm DDI 0479D, 4.5), which counts down at 25 MHz

volatile std::uint32_t* const watchdog = reinterpret_cast<volatile std::uint32_t*>(0x40008000);
constexpr std::size_t watchdog_load = 0;
constexpr std::size_t watchdog_control = 2;
constexpr std::size_t watchdog_feed = 3; // clears its interrupt, and loads the counter anew
constexpr std::size_t watchdog_lock = 0xc00 / 4;

const weft::heartbeat* beating_now = nullptr;

/// An NMI after four seconds without food, and a reset after four more.
void start_watchdog() noexcept {
    watchdog[watchdog_lock] = 0x1acce551;
    watchdog[watchdog_load] = 4 * 25'000'000;
    watchdog[watchdog_control] = 3;
}
void feed(void*) {
    watchdog[watchdog_feed] = 1;
}

// --- keys

volatile bool hang = false;

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
        const auto& which = static_cast<keys&>(self);
        if (which.key_ == 'q') {
            which.work_->cancel();
        } else if (which.key_ == 'h') {
            hang = true;
        }
        while (which.key_ == 's') {
        }
    }

    static inline keys* current_ = nullptr;
    weft::loop* home_;
    weft::scope* work_;
    volatile char key_ = 0;
};

// --- services

task<> follow(network_interface& netif) {
    for (;;) {
        auto up = co_await netif.up();
        if (!up) {
            co_return;
        }
        const auto own = netif.ipv4();
        board::say("up: ", own->address, "/", own->prefix);
        auto down = co_await netif.down();
        if (!down) {
            co_return;
        }
        board::say("down");
    }
}

task<> say_ping(weft::stack& net, weft::address whom) {
    auto rtt = co_await weft::timeout(weft::ping(net, whom), 5s);
    if (rtt) {
        board::say("ping ", whom, ": answered");
    } else {
        board::say("ping ", whom, ": ", rtt.error());
    }
}

task<> say_name(weft::stack& net, std::string_view name) {
    auto found = co_await net.resolve(name, families::ipv4);
    if (found) {
        board::say("name ", name, ": ", found->front());
    } else {
        board::say("name ", name, ": ", found.error());
    }
}

task<> say_ipv6(weft::stack& net, network_interface& netif) {
    auto up = co_await netif.up(families::ipv6);
    if (!up) {
        co_return;
    }
    std::array<weft::address, 4> room;
    for (const weft::address& each : netif.ipv6(room)) {
        board::say("address: ", each);
    }
    std::array<std::uint8_t, 16> gateway{0xfe, 0xc0};
    gateway[15] = 2;
    auto done = co_await say_ping(net, weft::address::v6(gateway));
    (void)done;
}

task<> look_around(weft::stack& net, network_interface& netif) {
    const auto gateway = netif.gateway().value_or(weft::address::any());
    board::say("gateway: ", gateway);
    std::array<weft::address, 4> room;
    for (const weft::address& each : netif.name_servers(room)) {
        board::say("name server: ", each);
    }
    auto pinged = co_await say_ping(net, gateway);
    auto known = co_await say_name(net, "service.test");
    auto unknown = co_await say_name(net, "nobody.test");
    auto six = co_await say_ipv6(net, netif);
    (void)pinged, (void)known, (void)unknown, (void)six;
    board::say("looked around");
}

task<> echo(weft::stack& net) {
    auto listener = net.listen({weft::address::any(), 7});
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    std::array<std::byte, 256> buffer;
    for (;;) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_return;
        }
        for (;;) {
            auto n = co_await peer->recv(buffer);
            if (!n || *n == 0) {
                break;
            }
            auto sent = co_await peer->send_all(std::span(buffer).first(*n));
            if (sent.error() != weft::errc::ok) {
                break;
            }
        }
    }
}

task<> measure(weft::pulse& mine) {
    for (;;) {
        auto slept = co_await weft::sleep_for(200ms);
        if (!slept) {
            co_return;
        }
        if (!hang) {
            mine.beat();
        }
    }
}

task<> all_services(weft::stack& net) {
    network_interface netif(net);
    weft::heartbeat beating(net.loop(), 500ms, &feed);
    weft::pulse sensor(beating, 2s, "sensor");
    start_watchdog();
    weft::task_group all{net.loop()};
    const std::array started{
        all.spawn(follow(netif)), all.spawn(look_around(net, netif)), all.spawn(echo(net)),
        all.spawn(measure(sensor))};
    for (const auto& each : started) {
        if (!each) {
            co_await weft::fail(each.error());
        }
    }
    beating_now = &beating;
    auto ended = co_await all.join();
    beating_now = nullptr;
    if (!ended) {
        co_await weft::fail(ended.error());
    }
}

task<> program(weft::stack& net) {
    weft::scope work(net.loop());
    const keys listening(net.loop(), work);
    const auto done = co_await weft::within(work, all_services(net));
    watchdog[watchdog_control] = 0;
    if (!done && !work.canceled()) {
        co_await weft::fail(done.error());
    }
}

} // namespace

/// The first bite of the watchdog: the second one resets.
extern "C" void nmi_handler() {
    board_puts("the watchdog bites: ");
    board_puts(
        beating_now != nullptr && beating_now->withheld() != 0 ? "a task hangs\n"
                                                               : "the loop stands still\n");
    for (;;) {
    }
}

int main() {
    board::say("started");
    return board::run_with_dhcp(&program, "mps2");
}
