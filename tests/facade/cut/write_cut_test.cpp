// write, send and sendall cut at every byte of a message: by a timeout, by the idle hook and
// because nothing more is taken. No real peer makes a stack take a chosen number of bytes, so the
// stack here is one that takes as many as it is told; time is virtual.
#include "c/usocket.h"

#include <usocket/usocket.hpp>

#include <weft/driver.hpp>
#include <weft/loop.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace {

using weft::errc;
using weft::fail;
using weft::readiness;
using weft::result;

/// What the stack's one connection takes, and has taken.
struct script {
    std::size_t room = 0;
    std::string taken;
};

class scripted_socket final : public weft::tcp_socket {
  public:
    scripted_socket(weft::loop& home, script& of) noexcept : tcp_socket(home), script_(&of) {
        raise(readiness::writable);
    }
    void more_room(std::size_t n) {
        script_->room += n;
        raise(readiness::writable);
    }

    result<> bind(const weft::endpoint&) noexcept override { return fail(errc::not_supported); }
    result<> listen(std::size_t) noexcept override { return fail(errc::not_supported); }
    result<tcp_socket*> try_accept() noexcept override { return fail(errc::not_supported); }
    result<> start_connect(const weft::endpoint&) noexcept override { return {}; }
    result<> connect_result() noexcept override { return {}; }
    result<std::span<const std::byte>> peek() noexcept override {
        return fail(errc::not_supported);
    }
    void consume(std::size_t) noexcept override {}
    result<> shutdown_send() noexcept override { return {}; }
    void abort() noexcept override { close(); }
    [[nodiscard]] std::size_t send_space() noexcept override { return script_->room; }
    errc take_error() noexcept override { return errc::ok; }
    result<> set_option(weft::socket_option, int) noexcept override { return {}; }
    result<int> get_option(weft::socket_option) const noexcept override { return 0; }
    result<weft::endpoint> local() const noexcept override { return weft::endpoint{}; }
    result<weft::endpoint> remote() const noexcept override { return weft::endpoint{}; }

  protected:
    weft::io_count receive_some(std::byte*, std::size_t) noexcept override {
        lower(readiness::readable);
        return weft::io_error(errc::would_block);
    }
    weft::io_count send_some(const std::byte* from, std::size_t size) noexcept override {
        const std::size_t n = std::min(size, script_->room);
        if (n == 0 && size != 0) {
            lower(readiness::writable);
            return weft::io_error(errc::would_block);
        }
        script_->room -= n;
        script_->taken.append(reinterpret_cast<const char*>(from), n);
        return static_cast<weft::io_count>(n);
    }
    [[nodiscard]] readiness confirmed() noexcept override { return ready(); }
    void dispose() noexcept override { delete this; }
    void do_close() noexcept override {}

  private:
    script* script_;
};

class scripted_stack final : public weft::stack {
  public:
    scripted_stack(weft::loop& home, script& of) noexcept : stack(home), script_(&of) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "scripted"; }
    result<weft::tcp_socket*> open_tcp(weft::family) noexcept override {
        opened = new scripted_socket(loop(), *script_);
        return opened;
    }
    result<weft::datagram_socket*> open_udp(weft::family) noexcept override {
        return fail(errc::not_supported);
    }
    void start_query(weft::name_query& query) noexcept override {
        query.complete(errc::name_failed);
    }
    void forget_query(weft::name_query&) noexcept override {}

    scripted_socket* opened = nullptr;

  private:
    script* script_;
};

constexpr std::string_view message = "the quick brown fox jumps over the lazy dog\n";

/// A connected socket whose stack takes `room` bytes for now.
struct scene {
    explicit scene(std::size_t room) : told{room, ""} {
        usocket::use(net);
        s.emplace();
        s->connect({"127.0.0.1", 1});
    }
    ~scene() {
        usocket::leave(loop);
        us_set_idle(nullptr, nullptr, 0);
    }
    script told;
    weft::virtual_driver clock;
    weft::loop loop{clock};
    scripted_stack net{loop, told};
    std::optional<usocket::socket> s;
};

int stop(void*) {
    return 1;
}

/// How a call is cut, and with which number it ends; 0: it returns what was taken.
struct way {
    const char* name;
    void (*prepare)(usocket::socket&);
    int number;
};
const way ways[] = {
    {"by a timeout", [](usocket::socket& s) { s.settimeout(1.5); }, 110},
    {"by the idle hook",
     [](usocket::socket& s) {
         s.settimeout(usocket::None);
         us_set_idle(&stop, nullptr, 10);
     },
     4},
    {"by would-block", [](usocket::socket& s) { s.setblocking(false); }, 0},
};

/// What `write` tells of how far it came: by its result or by its error.
template <class Write>
std::size_t counted(Write write, int number) {
    try {
        const std::size_t n = write();
        CHECK(number == 0);
        return n;
    } catch (const usocket::OSError& error) {
        CHECK(error.args[0] == number);
        return error.count();
    }
}

template <class Write>
void at_every_byte(Write write) {
    for (const way& cut : ways) {
        for (std::size_t at = 0; at != message.size(); ++at) {
            INFO(std::string(cut.name), " at byte ", at);
            scene here(at);
            cut.prepare(*here.s);
            const std::size_t first = counted([&] { return write(*here.s, message); }, cut.number);
            CHECK(first == at);
            CHECK(here.told.taken == message.substr(0, at));

            us_set_idle(nullptr, nullptr, 0);
            here.s->settimeout(1.5);
            here.net.opened->more_room(message.size());
            const std::size_t rest =
                counted([&] { return write(*here.s, message.substr(first)); }, 0);
            CHECK(first + rest == message.size());
            CHECK(here.told.taken == message); // nothing lost, nothing twice
        }
    }
}

} // namespace

TEST_CASE("write() cut at every byte position tells how far it came, and goes on from there") {
    at_every_byte([](usocket::socket& s, std::string_view text) {
        return s.write(text).value_or(0); // None: nothing was taken
    });
}

TEST_CASE("send() cut at every byte position: its count, or the error if nothing was taken") {
    for (const way& cut : ways) {
        for (std::size_t at = 0; at != message.size(); ++at) {
            INFO(std::string(cut.name), " at byte ", at);
            scene here(at);
            cut.prepare(*here.s);
            const int none = cut.number == 0 ? 11 : cut.number;
            const std::size_t first =
                counted([&] { return here.s->send(message); }, at == 0 ? none : 0);
            CHECK(first == at);
            CHECK(here.told.taken == message.substr(0, at));
        }
    }
}

TEST_CASE("sendall() cut at every byte position: the error's count is what was taken") {
    for (const way& cut : ways) {
        for (std::size_t at = 0; at != message.size(); ++at) {
            INFO(std::string(cut.name), " at byte ", at);
            scene here(at);
            cut.prepare(*here.s);
            const bool waits = cut.number != 0;
            const std::size_t first = counted(
                [&] {
                    here.s->sendall(message);
                    return message.size();
                },
                waits ? cut.number : 11);
            CHECK(first == (waits ? at : 0)); // not all fits: EAGAIN before anything is sent
            CHECK(here.told.taken == message.substr(0, first));
        }
    }
}

TEST_CASE("a timeout strikes exactly when it is over") {
    scene here(5);
    here.s->settimeout(1.5);
    const weft::time_point before = here.clock.now();
    CHECK(counted([&] { return here.s->write(message).value_or(0); }, 110) == 5);
    CHECK(here.clock.now() - before == std::chrono::milliseconds(1500));
}
