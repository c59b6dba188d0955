#include "board.hpp"

#include "board.h"
#include "ethernet.hpp"

#include <weft/frame_pool.hpp>
#include <weft/lwip.hpp>
#include <weft/network_interface.hpp>
#include <weft/port.hpp>
#include <weft/sync_wait.hpp>
#include <weft/timeout.hpp>

#include <array>
#include <chrono>

namespace board {

namespace {

alignas(weft::frame_pool::granule) constinit std::array<std::byte, frame_bytes> frames{};

/// A 'q' on the console ends the program, as Ctrl-C does on a host.
class quit_key : weft::posted {
  public:
    quit_key(weft::loop& home, weft::scope& work) noexcept
        : posted(&stop), home_(&home), work_(&work) {
        current_ = this;
        board_on_key(&pressed);
    }

  private:
    static void pressed(char key) {
        if (key == 'q') {
            current_->home_->post(*current_);
        }
    }
    static void stop(posted& self) { static_cast<quit_key&>(self).work_->cancel(); }

    static inline quit_key* current_ = nullptr;
    weft::loop* home_;
    weft::scope* work_;
};

weft::task<> in_scope(weft::scope& stop, weft::task<> work) {
    const auto done = co_await weft::within(stop, std::move(work));
    if (!done) {
        co_await weft::fail(done.error());
    }
}

/// Until what was sent has arrived, or for two seconds.
void deliver(weft::loop& loop, const weft::stack& net) noexcept {
    using namespace std::chrono_literals;
    const auto deadline = weft::deadline_after(loop.now(), 2s);
    while (!net.drained() && loop.now() < deadline) {
        const auto turned = loop.step(weft::deadline_after(loop.now(), 20ms));
        if (!turned) {
            return;
        }
    }
}

/// Makes the loop and the stack for `work(loop, stack)`, and lets what it sent arrive.
template <class F>
int on_network(weft::lwip_options options, F work) noexcept {
    weft::frame_pool::use_arena(frames);
    weft::port_driver sleeper;
    weft::loop loop(sleeper);
    ethernet cable;
    if (const auto started = cable.start(sleeper); !started) {
        say("Ethernet: ", started.error());
        return 1;
    }
    options.link = &cable;
    const auto net = weft::make_lwip_stack(loop, options);
    if (!net) {
        say("lwIP: ", net.error());
        return 1;
    }
    const int status = work(loop, **net);
    deliver(loop, **net);
    return status;
}

/// Where QEMU's user network has a guest, its gateway and its name server.
weft::lwip_options fixed_address() noexcept {
    static constinit const weft::address name_server = weft::address::v4(10, 0, 2, 3);
    weft::lwip_options options;
    options.ipv4 = weft::interface_address{weft::address::v4(10, 0, 2, 15), 24};
    options.gateway = weft::address::v4(10, 0, 2, 2);
    options.name_servers = {&name_server, 1};
    return options;
}

int run_until_quit(weft::loop& loop, weft::task<> program) noexcept {
    weft::scope everything(loop);
    const quit_key quitting(loop, everything);
    const auto done = weft::sync_wait(loop, in_scope(everything, std::move(program)));
    if (!done && !everything.canceled()) {
        say("failed: ", done.error());
        return 1;
    }
    return 0;
}

weft::task<> once_up(weft::stack& net, const char* host_name, weft::task<> program) {
    weft::network_interface netif(net);
    const auto asked = netif.use_dhcp(host_name);
    if (!asked) {
        co_await weft::fail(asked.error());
    }
    const auto up = co_await netif.up();
    if (!up) {
        co_await weft::fail(up.error());
    }
    const auto done = co_await program;
    if (!done) {
        co_await weft::fail(done.error());
    }
}

volatile bool quit_was_pressed = false;

} // namespace

int run(weft::task<> (*program)(weft::stack&)) noexcept {
    return on_network(fixed_address(), [program](weft::loop& loop, weft::stack& net) {
        return run_until_quit(loop, program(net));
    });
}

int run_with_dhcp(weft::task<> (*program)(weft::stack&), const char* host_name) noexcept {
    return on_network({}, [program, host_name](weft::loop& loop, weft::stack& net) {
        return run_until_quit(loop, once_up(net, host_name, program(net)));
    });
}

int run_blocking(int (*routine)(weft::stack&)) noexcept {
    board_on_key([](char key) {
        if (key == 'q') {
            quit_was_pressed = true;
        }
    });
    return on_network(
        fixed_address(), [routine](weft::loop&, weft::stack& net) { return routine(net); });
}

bool quit_asked() noexcept {
    return quit_was_pressed;
}

void print(std::string_view text) noexcept {
    board_write(text.data(), text.size());
}

namespace {

template <class N>
void print_digits(N number) noexcept {
    std::array<char, 20> digits;
    std::size_t first = digits.size();
    do {
        digits[--first] = static_cast<char>('0' + number % 10);
        number /= 10;
    } while (number != 0);
    print(std::string_view(&digits[first], digits.size() - first));
}

} // namespace

void print(std::uint32_t number) noexcept {
    print_digits(number);
}

void print(std::uint64_t number) noexcept {
    print_digits(number);
}

void print(const weft::endpoint& where) noexcept {
    std::array<char, weft::endpoint_text_size> text;
    print(weft::to_text(where, text));
}

void print(const weft::address& where) noexcept {
    std::array<char, weft::endpoint_text_size> text;
    print(weft::to_text(where, text));
}

void print(weft::errc error) noexcept {
    print(weft::message(error));
}

} // namespace board
