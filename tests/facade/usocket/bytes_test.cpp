// No byte is lost: each way of receiving and sending, cut at every byte of a message by a timeout,
// by the idle hook (EINTR) and by would-block, then continued; every byte is compared.
#include "scene.hpp"

#include <c/usocket.h>

namespace contract {
namespace {

constexpr std::string_view message = "GET / HTTP/1.0\r\nno byte is lost\n";

/// How a call is cut short.
enum class cut { timeout, interrupted, would_block };
constexpr cut every_cut[] = {cut::timeout, cut::interrupted, cut::would_block};

constexpr int interrupts_after(int& turns) {
    return ++turns > 3 ? 1 : 0;
}

/// While it lives, calls of `s` are cut short.
class cutting {
  public:
    cutting(scene& at, socket& s, cut how) : socket_(s) {
        switch (how) {
        case cut::timeout:
            s.settimeout(at.seconds(at.known().virtual_time ? duration(100ms) : duration(2ms)));
            break;
        case cut::interrupted:
            s.settimeout(None);
            us_set_idle(
                [](void* turns) { return interrupts_after(*static_cast<int*>(turns)); }, &turns_,
                1);
            break;
        case cut::would_block:
            s.settimeout(0);
            break;
        }
    }
    cutting(const cutting&) = delete;
    cutting& operator=(const cutting&) = delete;
    ~cutting() {
        us_set_idle(nullptr, nullptr, 1);
        socket_.settimeout(None);
    }

  private:
    socket& socket_;
    int turns_ = 0;
};

/// What an error was cut by; would-block has none for calls that return None.
int number_for(cut how) {
    return how == cut::timeout ? ETIMEDOUT : how == cut::interrupted ? EINTR : EAGAIN;
}

/// The first `position` bytes of the message arrive, a call is cut, the rest arrives: what `begin`
/// and `finish` have received together is the message.
template <class Begin, class Finish>
void cut_everywhere(Begin begin, Finish finish) {
    scene at;
    auto [server, client] = at.connected();
    server.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    for (const cut how : every_cut) {
        for (std::size_t position = 0; position != message.size(); ++position) {
            INFO("cut by ", number_for(how), " after ", position, " bytes");
            server.send(message.substr(0, position));
            at.becomes(client, position == 0 ? 4 : 5);
            std::string got;
            {
                const cutting now(at, client, how);
                got = begin(client, how);
            }
            server.send(message.substr(position));
            got += finish(client, message.size() - got.size());
            CHECK(got == message);
            CHECK(at.mask_of(client) == 4);
        }
    }
}

std::string read_rest(socket& s, std::size_t size) {
    return text_of(s.read(static_cast<std::int64_t>(size)));
}

/// What came; nothing where it was an error, which is checked.
template <class Call>
std::string what_came(cut how, Call call) {
    std::optional<bytes> got;
    const int number = number_of([&] { got = call(); });
    CHECK(number == (how == cut::would_block ? 0 : number_for(how)));
    return got ? text_of(*got) : "";
}

TEST_CASE("no byte lost: read(n) cut at every byte") {
    cut_everywhere(
        [](socket& s, cut how) { return what_came(how, [&] { return s.read(message.size()); }); },
        read_rest);
}

TEST_CASE("no byte lost: read() cut at every byte") {
    cut_everywhere(
        [](socket& s, cut how) { return what_came(how, [&] { return s.read(); }); }, read_rest);
}

TEST_CASE("no byte lost: readinto() cut at every byte") {
    cut_everywhere(
        [](socket& s, cut how) {
            std::array<char, message.size()> room{};
            std::optional<std::size_t> n;
            const int number =
                number_of([&] { n = s.readinto(std::as_writable_bytes(std::span(room))); });
            CHECK(number == (how == cut::would_block ? 0 : number_for(how)));
            return std::string(room.data(), n.value_or(0));
        },
        [](socket& s, std::size_t size) {
            std::array<char, message.size()> room{};
            CHECK(s.readinto(std::as_writable_bytes(std::span(room)), size) == size);
            return std::string(room.data(), size);
        });
}

TEST_CASE("no byte lost: readline() cut at every byte") {
    cut_everywhere(
        [](socket& s, cut how) {
            // the first of the two lines may be whole
            std::string got;
            for (int line = 0; line != 2; ++line) {
                std::optional<bytes> next;
                const int number = number_of([&] { next = s.readline(); });
                CHECK((number == 0 || number == number_for(how)));
                got += next ? text_of(*next) : "";
            }
            return got;
        },
        [](socket& s, std::size_t size) {
            std::string got;
            while (got.size() < size) {
                got += text_of(s.readline());
            }
            return got;
        });
}

TEST_CASE("no byte lost: recv() cut at every byte") {
    cut_everywhere(
        [](socket& s, cut how) {
            std::string got;
            while (true) {
                bytes next;
                const int number = number_of([&] { next = s.recv(7); });
                if (number != 0) {
                    CHECK(number == number_for(how));
                    return got;
                }
                got += text_of(next);
            }
        },
        [](socket& s, std::size_t size) {
            std::string got;
            while (got.size() < size) {
                got += text_of(s.recv(5));
            }
            return got;
        });
}

TEST_CASE("no byte lost: peek, read and readline in turn, each cut at every byte") {
    cut_everywhere(
        [](socket& s, cut) {
            (void)number_of([&] { s.recv(3, MSG_PEEK); });
            (void)number_of([&] { s.recv(30, MSG_PEEK); });
            return std::string();
        },
        read_rest);
}

/// Two ends, of which the receiving one takes what was counted as sent.
template <class Send>
void cut_sending(Send send) {
    scene at;
    for (const cut how : every_cut) {
        INFO("cut by ", number_for(how));
        auto [server, client] = at.connected();
        std::size_t sent = 0;
        std::size_t received = 0;
        const auto& all = at.plenty();
        for (int cuts = 0; cuts != 12; ++cuts) {
            {
                const cutting now(at, client, how);
                sent += send(client, std::span(all).subspan(sent), how);
            }
            // some is taken, so that the next cut is at another byte
            const std::size_t taken = std::min<std::size_t>(sent - received, 60'001);
            if (taken != 0) {
                const bytes got = *server.read(static_cast<std::int64_t>(taken));
                CHECK(got.size() == taken);
                CHECK(parity::agreeing(got.span(), received) == taken);
                received += taken;
            }
        }
        CHECK(sent < all.size());
        client.close();
        const bytes rest = *server.read();
        CHECK(rest.size() == sent - received); // as many as were counted, and no more
        CHECK(parity::agreeing(rest.span(), received) == rest.size());
    }
}

TEST_CASE("no byte lost: write() cut by a timeout, by EINTR and by would-block") {
    cut_sending([](socket& s, std::span<const std::byte> all, cut how) {
        std::size_t done = 0;
        const int number = number_of([&] {
            try {
                done = s.write(all).value_or(0);
            } catch (const OSError& error) {
                done = error.count();
                throw;
            }
        });
        CHECK(number == (how == cut::would_block ? 0 : number_for(how)));
        return done;
    });
}

TEST_CASE("no byte lost: send() cut by a timeout, by EINTR and by would-block") {
    cut_sending([](socket& s, std::span<const std::byte> all, cut how) {
        std::size_t done = 0;
        const int number = number_of([&] { done = s.send(all); });
        CHECK((number == 0 || number == number_for(how)));
        return done;
    });
}

TEST_CASE("no byte lost: write() of a message cut at every byte by would-block") {
    scene at;
    auto [server, client] = at.connected();
    client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    std::size_t sent = at.fill_up(client); // from here on what is taken makes room
    std::size_t received = 0;
    for (std::size_t position = 1; position != 40; ++position) {
        received += [&] {
            const bytes got = *server.read(static_cast<std::int64_t>(sent - received));
            CHECK(parity::agreeing(got.span(), received) == got.size());
            return got.size();
        }();
        at.until([&] { return at.mask_of(client) == 4; });
        for (const std::size_t size : {position, message.size()}) {
            sent += client.write(known_bytes(sent, size)).value_or(0);
        }
        if (position % 13 == 0) {
            sent = at.fill_up(client, sent);
        }
    }
    client.close();
    const bytes rest = *server.read();
    CHECK(rest.size() == sent - received);
    CHECK(parity::agreeing(rest.span(), received) == rest.size());
}

} // namespace
} // namespace contract
