// Any program of C calls: no byte is lost, doubled or exchanged, nothing is touched that was closed
// (AddressSanitizer looks), errors are negative numbers with a name, and at the end no pcb is left.
//
// The input is the program: each byte pair is a call and its argument. It runs over lwIP's loopback
// in virtual time, so that timeouts take none; no call waits without one.
#include "c/usocket.h"

#include <usocket/stack.hpp>

#include <weft/driver.hpp>
#include <weft/loop.hpp>
#include <weft/lwip.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace {

void insist(bool truth, const char* what) {
    if (!truth) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

std::uint8_t known_byte(std::size_t offset) {
    return offset % 61 == 60 ? '\n' : static_cast<std::uint8_t>(offset * 131 + (offset >> 8));
}

/// The loop and lwIP's one stack live as long as the process.
struct world {
    weft::virtual_driver clock;
    weft::loop loop{clock};
    std::unique_ptr<weft::stack> net;
    weft::address nobody = weft::address::loopback();

    world() {
        weft::lwip_options options;
        options.seed = 1;
        options.name_servers = std::span(&nobody, 1); // queries stay open until they are given up
        auto made = weft::make_lwip_stack(loop, options);
        insist(made.has_value(), "lwIP's loopback can be had");
        net = std::move(*made);
        usocket::use(*net);
    }
};

/// What is known of one socket: how much of the sequence it has sent and received.
struct known {
    us_socket number = 0;
    std::size_t sent = 0;
    std::size_t received = 0;
    bool stream = false;
    bool deaf = false; // what comes is not looked at any more
};

class program {
  public:
    explicit program(std::span<const std::uint8_t> code) : code_(code) {}

    void run() {
        while (code_.size() >= 2) {
            const std::uint8_t what = code_[0];
            const std::uint8_t argument = code_[1];
            code_ = code_.subspan(2);
            step(what, argument);
        }
        for (const known& each : all_) {
            insist(us_close(each.number) == 0 || each.number <= 0, "closing does not fail");
        }
        us_poller_close(poller_);
        for (const us_query each : queries_) {
            (void)us_getaddrinfo_cancel(each);
        }
    }

  private:
    static constexpr std::size_t most = 8;

    known& pick(std::uint8_t argument) { return all_[argument % most]; }

    /// An error has a name, and a count is no more than was asked for.
    static std::int64_t checked(std::int64_t n, std::size_t asked) {
        insist(n <= static_cast<std::int64_t>(asked), "no more than was asked for");
        insist(n >= 0 || us_error_name(n)[1] != '?', "an error that has a name");
        return n;
    }
    static void checked(int n) { checked(n, INT32_MAX); }

    void received(known& by, std::span<const std::uint8_t> bytes, bool taken) const {
        if (!by.stream || by.deaf) {
            return;
        }
        for (std::size_t i = 0; i != bytes.size(); ++i) {
            insist(
                bytes[i] == known_byte(by.received + i), "each byte is the next of the sequence");
        }
        by.received += taken ? bytes.size() : 0;
    }

    us_address address(std::uint8_t argument) const {
        us_address at{};
        const bool v6 = (argument & 0x80) != 0;
        const std::int64_t port = 7000 + (argument & 3);
        (void)us_address_set(
            &at, v6 ? US_AF_INET6 : US_AF_INET, v6 ? "::1" : "127.0.0.1", v6 ? 3 : 9, port, 0, 0);
        if ((argument & 0x40) != 0) {
            at.family = argument;
        }
        return at;
    }

    static void on_ready(us_socket s, void* context) {
        auto& self = *static_cast<program*>(context);
        if (++self.calls_ % 16 == 7) {
            insist(us_close(s) == 0, "a callback may close its socket");
        } else {
            insist(us_step(0) == -35, "a callback may not step");
            (void)us_poll(s, US_POLLIN | US_POLLOUT);
            if (self.calls_ % 8 == 3) {
                us_poller_drop(self.poller_, s);
                (void)us_getaddrinfo_cancel(self.queries_[0]);
            }
        }
    }
    static int on_idle(void* context) { return ++static_cast<program*>(context)->calls_ % 3 == 0; }

    void step(std::uint8_t what, std::uint8_t argument);
    void transfer(std::uint8_t what, known& by, std::size_t size);
    void misuse(std::uint8_t argument);
    void poll_many(std::uint8_t argument);
    void ask(std::uint8_t what, std::uint8_t argument);

    std::span<const std::uint8_t> code_;
    std::array<known, most> all_{};
    us_poller* poller_ = us_poller_open();
    std::array<us_query, 4> queries_{};
    unsigned calls_ = 0;
};

void program::transfer(std::uint8_t what, known& by, std::size_t size) {
    std::vector<std::uint8_t> room(size + 1);
    const us_socket s = by.number;
    std::size_t done = 0;
    const auto fill = [&] {
        for (std::size_t i = 0; i != size; ++i) {
            room[i] = known_byte(by.sent + i);
        }
    };
    switch (what % 8) {
    case 0: {
        fill();
        const std::int64_t n = checked(us_send(s, room.data(), size, 0), size);
        by.sent += n > 0 ? static_cast<std::size_t>(n) : 0;
        break;
    }
    case 1:
        fill();
        checked(us_sendall(s, room.data(), size, &done));
        insist(done <= size, "no more is sent than was asked for");
        by.sent += done;
        break;
    case 2:
        fill();
        checked(us_write(s, room.data(), size, &done));
        insist(done <= size, "no more is written than was asked for");
        by.sent += done;
        break;
    default: {
        std::int64_t n = 0;
        int error = 0;
        const bool peeks = what % 8 == 4;
        switch (what % 8) {
        case 3:
            n = us_recv(s, room.data(), size, 0);
            break;
        case 4:
            n = us_recv(s, room.data(), size, US_MSG_PEEK);
            break;
        case 5:
            n = us_read(s, room.data(), size);
            break;
        case 6:
            n = us_readline(s, room.data(), size);
            break;
        default: {
            const std::size_t got = us_stream_read(s, room.data(), size, &error);
            n = got == static_cast<std::size_t>(-1) ? -error : static_cast<std::int64_t>(got);
        }
        }
        if (checked(n, size) > 0) {
            received(by, std::span(room).first(static_cast<std::size_t>(n)), !peeks);
        }
    }
    }
}

void program::misuse(std::uint8_t argument) {
    const us_socket stale = pick(argument >> 3).number;
    const us_socket wild = stale ^ (std::int64_t{1} << (argument % 60));
    char byte = 0;
    std::size_t done = 0;
    switch (argument % 8) {
    case 0:
        insist(us_recv(stale, nullptr, 10, 0) < 0, "no null buffer");
        break;
    case 1:
        insist(us_send(stale, &byte, static_cast<std::size_t>(-1), 0) < 0, "no negative size");
        break;
    case 2:
        insist(us_read(stale, &byte, SIZE_MAX / 2 + 1) < 0, "no negative size to read");
        break;
    case 3:
        insist(us_sendall(stale, nullptr, 1, &done) < 0 && done == 0, "no null data");
        break;
    case 4:
        insist(us_bind(stale, nullptr) < 0, "no null address");
        break;
    case 5:
        for (known& each : all_) {
            if (each.number == wild) {
                return;
            }
        }
        insist(us_recv(wild, &byte, 1, 0) == -9, "a wild handle is EBADF");
        insist(us_poll(wild, US_POLLIN) == US_POLLNVAL, "a wild handle polls NVAL");
        break;
    case 6:
        checked(us_setsockopt(stale, argument, argument * 3, &byte, argument % 2));
        break;
    default:
        checked(us_settimeout(stale, -2));
        insist(us_setsockopt(0, 0, 0, nullptr, 0) == -9, "0 is no handle");
    }
}

void program::poll_many(std::uint8_t argument) {
    const int flags = (argument >> 6) & (US_ONE_SHOT | US_NO_TURN);
    const std::int64_t found = us_poller_wait(poller_, argument & 7, flags);
    checked(found, INT32_MAX); // more than there are: closed ones count until they are dropped
    us_polled some[3];
    std::int64_t told = 0;
    std::size_t count = 0;
    do {
        count = us_poller_take(poller_, some, 3);
        for (std::size_t i = 0; i != count; ++i) {
            insist(some[i].events != 0, "who is told is ready");
            insist(some[i].tag == static_cast<std::uintptr_t>(some[i].socket) * 3, "its own tag");
        }
        told += static_cast<std::int64_t>(count);
    } while (count == 3);
    insist(told == std::max<std::int64_t>(found, 0), "as many as the wait said");
}

void program::ask(std::uint8_t what, std::uint8_t argument) {
    us_query& query = queries_[argument % 4];
    us_addrinfo found[4];
    if (what == 0) {
        static constexpr const char* hosts[] = {"127.0.0.1", "::1", "nowhere.example", ""};
        const char* const host = hosts[(argument >> 2) % 4];
        (void)us_getaddrinfo_cancel(query);
        query = us_getaddrinfo_start(
            host, std::char_traits<char>::length(host), nullptr, argument, 0, argument >> 6, 0, 0,
            argument & 63);
        checked(query < 0 ? query : 0, 1);
        return;
    }
    const int n = what == 1 ? us_getaddrinfo_result(query, found, argument % 5)
                            : us_getaddrinfo_cancel(query);
    checked(n, 4);
    if (n != -11) {
        insist(us_getaddrinfo_cancel(query) == -9, "an answer is given once");
    }
}

void program::step(std::uint8_t what, std::uint8_t argument) {
    known& one = pick(argument);
    const std::size_t size = std::size_t{1} << (argument >> 5) << (argument & 1 ? 6 : 0);
    us_address at = address(argument);
    switch (what % 30) {
    case 0: {
        us_close(one.number);
        const int family = (argument & 0x80) != 0 ? US_AF_INET6 : US_AF_INET;
        const int type = (argument & 0x18) == 0x18 ? US_SOCK_DGRAM : US_SOCK_STREAM;
        const us_socket made = us_open(family, type, 0);
        checked(made < 0 ? made : 0, 1);
        one = {made > 0 ? made : 0, 0, 0, type == US_SOCK_STREAM, false};
        (void)us_settimeout(one.number, argument % 3 == 0 ? 0 : argument % 3 == 1 ? 5 : 3000);
        break;
    }
    case 1:
        (void)us_setsockopt_int(one.number, US_SOL_SOCKET, US_SO_REUSEADDR, 1);
        checked(us_bind(one.number, &at));
        break;
    case 2:
        checked(us_listen(one.number, argument - 100));
        break;
    case 3: {
        known& into = pick(argument >> 4);
        const us_socket made = us_accept(one.number, &at);
        checked(made < 0 ? made : 0, 1);
        if (made > 0) {
            us_close(into.number);
            into = {made, 0, 0, true, false};
            (void)us_settimeout(made, argument % 3 == 0 ? 0 : 5);
        }
        break;
    }
    case 4:
    case 5:
        checked(us_connect(one.number, &at));
        break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
        transfer(what, one, size);
        break;
    case 14:
        one.deaf = one.deaf || argument % 3 != 1;
        checked(us_shutdown(one.number, argument % 3));
        break;
    case 15:
        (void)us_poll(one.number, argument);
        checked(us_step(argument & 7));
        break;
    case 16:
        checked(us_set_ready(one.number, argument % 4 == 0 ? nullptr : &on_ready, this));
        break;
    case 17:
        (void)us_set_idle(argument % 2 == 0 ? nullptr : &on_idle, this, 1 + argument);
        break;
    case 18:
        checked(us_settimeout(one.number, argument % 2 == 0 ? 0 : argument));
        break;
    case 19: {
        char text[64];
        checked(us_getsockname(one.number, &at));
        checked(us_getpeername(one.number, &at));
        checked(us_address_text(&at, text, argument % 65));
        break;
    }
    case 20: {
        int value = 0;
        const int option = argument % 2 == 0 ? US_SO_ERROR : US_SO_KEEPALIVE;
        checked(us_getsockopt_int(one.number, US_SOL_SOCKET, option, &value));
        checked(us_setsockopt_int(one.number, US_IPPROTO_TCP, US_TCP_NODELAY, 1));
        checked(us_setsockopt_int(one.number, US_SOL_SOCKET, US_SO_LINGER, argument % 2));
        break;
    }
    case 21: {
        std::uint8_t room[64];
        if (!one.stream) { // to a stream it would be out of the sequence
            checked(us_sendto(one.number, "datagram", 8, 0, &at), 8);
        }
        const std::int64_t n = checked(us_recvfrom(one.number, room, sizeof room, 0, &at), 64);
        if (n > 0) {
            received(one, std::span(room).first(static_cast<std::size_t>(n)), true);
        }
        break;
    }
    case 22:
        misuse(argument);
        break;
    case 23:
        checked(us_poller_set(
            poller_, one.number, argument & (US_POLLIN | US_POLLOUT),
            static_cast<std::uintptr_t>(one.number) * 3));
        break;
    case 24:
        us_poller_drop(poller_, one.number);
        break;
    case 25:
        poll_many(argument);
        break;
    case 26:
    case 27:
    case 28:
        ask(static_cast<std::uint8_t>(what % 30 - 26), argument);
        break;
    default: {
        const std::int64_t n = us_hold(one.number, size);
        std::vector<std::uint8_t> room(size);
        if (checked(n, size) > 0) {
            const std::int64_t got = us_take(one.number, room.data(), size);
            insist(got >= n, "what is held can be taken");
            received(one, std::span(room).first(static_cast<std::size_t>(got)), true);
        }
        if (argument % 4 == 0) {
            insist(us_close(one.number) == 0 || one.number == 0, "closing does not fail");
        }
    }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static world the_world;
    program(std::span(data, size)).run();
    (void)us_set_idle(nullptr, nullptr, 0);
    for (int i = 0; i != 2000; ++i) { // FINs cross, resets are retried
        const weft::lwip_usage used = weft::count_lwip_usage();
        if (used.tcp_active + used.tcp_bound + used.tcp_listening + used.udp == 0) {
            break;
        }
        (void)us_step(1000);
    }
    const weft::lwip_usage used = weft::count_lwip_usage();
    insist(used.tcp_active == 0 && used.tcp_bound == 0, "no connection is left");
    insist(used.tcp_listening == 0 && used.udp == 0, "no pcb is left");
    return 0;
}
