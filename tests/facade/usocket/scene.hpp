// A scene: one row of the contract, played with the façade's sockets in a world of tests/parity.
//
//     TEST_CASE("recv(n): b\"\" at the end, for good") {
//         on_both([](scene& at) {
//             auto [server, client] = at.connected();
//             server.close();
//             CHECK(client.recv(10) == "");
//         });
//     }
//
// Everything is synchronous and in one thread: the sockets of both stacks live on one loop, which
// the calls pump. What must happen while a call waits is put there with later().
#pragma once

#include "sequence.hpp"
#include "world.hpp"

#include <usocket/usocket.hpp>

#include <weft/task_group.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace contract {

using namespace std::chrono_literals;
using namespace usocket;
using parity::family;
using parity::here;
using parity::known_bytes;
using parity::skip;
using parity::world;
using uselect::POLLERR;
using uselect::POLLHUP;
using uselect::POLLIN;
using uselect::POLLNVAL;
using uselect::POLLOUT;
using usocket::bytes;
using usocket::sockaddr;
using usocket::socket;
using weft::duration;

/// The number of the OSError that `call` ends with; 0: it succeeded.
template <class F>
int number_of(F&& call) {
    try {
        (void)call();
    } catch (const OSError& error) {
        return error.args[0];
    }
    return 0;
}

/// Two ends of a connection.
struct ends {
    socket server;
    socket client;
};

/// A connection attempt that nobody answers: the listener's queue is full.
struct unanswered {
    socket listener;
    std::vector<socket> queued;
    socket client; // non-blocking
};

class scene {
  public:
    explicit scene(family f = family::ipv4);
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;
    /// Closes what is left, and sees that no descriptor, no socket and no pcb stays.
    ~scene();

    world& w;
    const family ip;

    [[nodiscard]] const parity::facts& known() const noexcept { return w.known(); }
    [[nodiscard]] int af() const noexcept { return ip == family::ipv4 ? AF_INET : AF_INET6; }

    // --- sockets

    socket server(int type = SOCK_STREAM);
    socket client(int type = SOCK_STREAM);
    /// Port 0: the stack chooses.
    [[nodiscard]] sockaddr server_at(std::uint16_t port = 0) const noexcept;
    [[nodiscard]] sockaddr client_at(std::uint16_t port = 0) const noexcept;
    [[nodiscard]] std::string server_host() const;
    /// Listening at server_at(); getsockname() is where.
    socket listener(int backlog = 8);
    /// A datagram socket bound there; and one of the client's.
    socket server_datagrams();
    socket client_datagrams();
    ends connected();
    unanswered attempt();
    /// Where nobody listens, and nobody else gets the port while `holder` lives.
    sockaddr closed_port(std::optional<socket>& holder);

    // --- time

    [[nodiscard]] weft::time_point now() { return w.home().read_clock(); }
    /// Itself in virtual time; else a twentieth, so that tests stay short.
    [[nodiscard]] duration scaled(duration time) const noexcept {
        return known().virtual_time ? time : time / 20;
    }
    [[nodiscard]] static double seconds(duration time) noexcept {
        return std::chrono::duration<double>(time).count();
    }
    /// The loop's turns for so long.
    void pass(duration time);
    /// Long enough for what is under way to arrive in most runs; tests are right whether it did.
    void settle() { pass(known().virtual_time ? duration(5s) : duration(20ms)); }
    /// The loop's turns until `what` is true; fails if it does not become so.
    bool until(const std::function<bool()>& what);
    /// `what` happens then, from inside the loop. Calls of the façade there must not wait.
    void later(duration time, std::function<void()> what);

    // --- what is true now

    /// The poll bits that hold, as the stream ioctl tells them.
    static unsigned mask_of(const socket& s, unsigned asked = POLLIN | POLLOUT);
    /// Turns until those bits hold exactly; then they are what is returned.
    unsigned becomes(const socket& s, unsigned mask, unsigned asked = POLLIN | POLLOUT);

    /// A reset from this end: SO_LINGER with no time, then close().
    static void reset(socket& s);
    /// The known sequence, longer than what two ends and what is between them take.
    [[nodiscard]] const parity::bytes& plenty() const;
    /// Sends the known sequence until nothing more is taken; how far it came.
    std::size_t fill_up(socket& s, std::size_t from = 0);

  private:
    std::size_t before_;
    std::optional<weft::task_group> actors_;
};

/// Once over IPv4 and once over IPv6.
template <class F>
void on_both(F body) {
    for (const family each : {family::ipv4, family::ipv6}) {
        if (each == family::ipv6 && !here().known().ipv6) {
            continue;
        }
        INFO("over ", each == family::ipv4 ? "IPv4" : "IPv6");
        scene at(each);
        body(at);
    }
}

/// The text of what came, or "None".
inline std::string text_of(const std::optional<bytes>& got) {
    return got ? std::string(got->view()) : "None";
}
inline std::string text_of(const bytes& got) {
    return std::string(got.view());
}

/// `call` ends with ETIMEDOUT, not before `limit`, and in virtual time exactly then.
template <class F>
void times_out(scene& at, duration limit, F&& call) {
    const weft::time_point begun = at.now();
    CHECK(number_of(call) == ETIMEDOUT);
    const duration took = at.now() - begun;
    CHECK(took >= limit);
    if (at.known().virtual_time) {
        CHECK(took == limit);
    }
}

} // namespace contract
