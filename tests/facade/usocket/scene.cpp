#include "scene.hpp"

#include <weft/sleep.hpp>

#include <array>

namespace contract {
namespace {

weft::task<> act(duration after, std::function<void()> what) {
    auto slept = co_await weft::sleep_for(after);
    if (slept) {
        what();
    }
}

std::string text_of(const weft::address& a) {
    std::array<char, weft::endpoint_text_size> text{};
    return std::string(weft::to_text(a, text));
}

} // namespace

scene::scene(family f)
    : w(here()), ip(f), before_(w.open_sockets()), actors_(std::in_place, w.home()) {
    use(w.client_net());
}

scene::~scene() {
    actors_.reset(); // they refer to what the test had
    leave(w.home());
    const duration step = known().virtual_time ? duration(1s) : duration(2ms);
    std::size_t left = w.open_sockets();
    for (int waits = 0; left > before_ && waits != 2000; ++waits) {
        pass(step);
        left = w.open_sockets();
    }
    CHECK(left == before_);
}

socket scene::server(int type) {
    use(w.server_net());
    socket made(af(), type, 0);
    use(w.client_net());
    return made;
}

socket scene::client(int type) {
    use(w.client_net());
    return socket(af(), type, 0);
}

sockaddr scene::server_at(std::uint16_t port) const noexcept {
    return weft::endpoint{w.server_address(ip), port};
}
sockaddr scene::client_at(std::uint16_t port) const noexcept {
    return weft::endpoint{w.client_address(ip), port};
}
std::string scene::server_host() const {
    return text_of(w.server_address(ip));
}

socket scene::listener(int backlog) {
    socket made = server();
    made.bind(server_at());
    made.listen(backlog);
    return made;
}

socket scene::server_datagrams() {
    socket made = server(SOCK_DGRAM);
    made.bind(server_at());
    return made;
}

socket scene::client_datagrams() {
    socket made = client(SOCK_DGRAM);
    made.bind(client_at());
    return made;
}

ends scene::connected() {
    socket l = listener();
    socket c = client();
    c.connect(l.getsockname());
    auto accepted = l.accept();
    return {std::move(accepted.first), std::move(c)};
}

unanswered scene::attempt() {
    socket l = listener(1);
    const sockaddr to = l.getsockname();
    std::vector<socket> queued;
    while (true) {
        socket next = client();
        next.settimeout(0);
        REQUIRE(number_of([&] { next.connect(to); }) == EINPROGRESS);
        settle();
        if (mask_of(next) == 0) {
            return {std::move(l), std::move(queued), std::move(next)};
        }
        REQUIRE(queued.size() < 32);
        queued.push_back(std::move(next));
    }
}

sockaddr scene::closed_port(std::optional<socket>& holder) {
    holder.emplace(server());
    holder->bind(server_at());
    return holder->getsockname();
}

void scene::pass(duration time) {
    const weft::time_point end = weft::deadline_after(now(), time);
    while (now() < end) {
        REQUIRE(w.home().step(end));
    }
}

bool scene::until(const std::function<bool()>& what) {
    const weft::time_point end =
        weft::deadline_after(now(), known().virtual_time ? duration(1h) : duration(20s));
    const duration step = known().virtual_time ? duration(100ms) : duration(1ms);
    while (!what()) {
        if (now() >= end) {
            return false;
        }
        REQUIRE(w.home().step(weft::deadline_after(now(), step)));
    }
    return true;
}

void scene::later(duration time, std::function<void()> what) {
    REQUIRE(actors_->spawn(act(time, std::move(what))));
}

unsigned scene::mask_of(const socket& s, unsigned asked) {
    int error = 0;
    return static_cast<unsigned>(stream_ioctl(s, stream_poll, asked, &error));
}

unsigned scene::becomes(const socket& s, unsigned mask, unsigned asked) {
    until([&] { return mask_of(s, asked) == mask; });
    return mask_of(s, asked);
}

void scene::reset(socket& s) {
    s.setsockopt(SOL_SOCKET, SO_LINGER, 0);
    s.close();
}

const parity::bytes& scene::plenty() const {
    static const parity::bytes made = known_bytes(0, known().most_in_flight + 1'000'003);
    return made;
}

std::size_t scene::fill_up(socket& s, std::size_t from) {
    s.settimeout(0);
    std::size_t taken = from;
    for (int quiet = 0;;) {
        // where many bytes do not fit, one may
        std::optional<std::size_t> n = s.write(known_bytes(taken, 65536));
        if (!n) {
            n = s.write(known_bytes(taken, 1));
        }
        taken += n.value_or(0);
        quiet = n ? 0 : quiet + 1;
        if (quiet == 6) {
            return taken; // at once: a byte of room may come in any pause
        }
        if (!n) {
            // a kernel delays its acknowledgement of what is less than a segment by 200 ms at most
            pass(known().virtual_time ? 5s : duration(60ms));
        }
    }
}

} // namespace contract
