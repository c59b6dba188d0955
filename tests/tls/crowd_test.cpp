// Many at a time, and much: what TLS does to the loop that others live in.
#include "contexts.hpp"

#include <weft/task_group.hpp>
#include <weft/timer.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace tls_test {
namespace {

constexpr int crowd = 200;

/// Counts the turns of a loop: a timer that is due fires once in each if the ready queue winds it.
class turns : weft::timer, weft::waiter {
  public:
    explicit turns(weft::loop& home) noexcept : timer(&count), waiter(&wind), home_(&home) {
        home.make_ready(*this);
    }
    turns(const turns&) = delete;
    turns& operator=(const turns&) = delete;
    ~turns() { home_->timers().cancel(*this); }
    [[nodiscard]] int passed() const noexcept { return passed_; }

  private:
    static void wind(waiter& node) noexcept {
        auto& self = static_cast<turns&>(node);
        self.home_->timers().schedule(self, weft::at_once);
    }
    static void count(timer& due) noexcept {
        auto& self = static_cast<turns&>(due);
        ++self.passed_;
        self.home_->make_ready(self);
    }
    weft::loop* home_;
    int passed_ = 0;
};

task<> one_of_them(world& w, tcp_listener& listener, const tls_context& client, int& met) {
    auto plain = co_await w.client_net().connect(endpoint_of(listener));
    REQUIRE(plain.has_value());
    auto secure = co_await tls_stream::client(client, std::move(*plain), name);
    const errc error = error_of(secure);
    REQUIRE(error == errc::ok);
    ++met;
    auto echoed = co_await weft::when_all(
        send_sequence(w, *secure, 0, 100, 100), expect_sequence(w, *secure, 0, 100, 100));
    REQUIRE(std::get<1>(echoed).has_value());
}

task<> answer(const tls_context& server, tcp_stream plain) {
    auto secure = co_await tls_stream::server(server, std::move(plain));
    REQUIRE(secure.has_value());
    auto echoed = co_await echo(*secure);
    (void)echoed;
}

task<> serve(weft::task_group& peers, tcp_listener& listener, const tls_context& server) {
    for (int i = 0; i < crowd; ++i) {
        auto plain = co_await listener.accept();
        REQUIRE(plain.has_value());
        const result<> spawned = peers.spawn(answer(server, std::move(*plain)));
        REQUIRE(spawned.has_value());
    }
}

struct answers {
    int count = 0;
    int most_turns = 0;
    weft::duration longest{};
};

/// Plain echoes, one after the other, until all of the crowd have met.
task<> ping(world& w, tcp_stream& plain, const int& met, answers& got) {
    turns counted(w.home());
    while (met < crowd) {
        const int turn = counted.passed();
        const auto begun = w.home().read_clock();
        std::array<std::byte, 1> byte{};
        auto sent = co_await plain.send_all(byte);
        auto back = co_await plain.read_exactly(byte);
        REQUIRE((sent.error() == errc::ok && back.error() == errc::ok));
        ++got.count;
        got.most_turns = std::max(got.most_turns, counted.passed() - turn);
        got.longest = std::max(got.longest, w.home().read_clock() - begun);
    }
}

task<> many(world& w) {
    const tls_context server = server_of(made().server, {.resumption = false});
    const tls_context client = client_of(made().authority);
    tcp_listener listener = listen(w, weft::family::ipv4, crowd);
    auto plain = co_await connect_pair(w);
    REQUIRE(plain.has_value());
    int met = 0;
    answers got;
    {
        weft::task_group peers(w.home());
        const result<> echoing = peers.spawn(echo(plain->server));
        const result<> serving = peers.spawn(serve(peers, listener, server));
        REQUIRE((echoing.has_value() && serving.has_value()));
        for (int i = 0; i < crowd; ++i) {
            const result<> spawned = peers.spawn(one_of_them(w, listener, client, met));
            REQUIRE(spawned.has_value());
        }
        auto pinged = co_await ping(w, plain->client, met, got);
        REQUIRE(pinged.has_value());
        plain->client.close();
        auto joined = co_await peers.join();
        REQUIRE(joined.has_value());
    }
    MESSAGE(
        "plain echoes beside ", crowd, " handshakes: ", got.count, ", of ", got.most_turns,
        " turns at most, ", got.longest / 1us, " us the longest");
    CHECK(got.count >= 20);
    // over a link an echo's frames wait behind the others', of which a turn takes 16
    CHECK(got.most_turns <= (w.known().configuration == "tap" ? 40 : 4));
}
TEST_CASE("200 handshakes at a time: plain echo goes on, each within a few turns of the loop") {
    const std::string& configuration = here().known().configuration;
    if (configuration == "host-epoll" || configuration == "tap") { // it takes its time
        (void)made(); // outside the loop, whose clock does not stand still meanwhile
        run(many);
    }
}

task<> much(world& w) {
    constexpr std::uint64_t size = 10'000'000;
    auto met = co_await meet(w);
    REQUIRE(met.has_value());
    auto both = co_await weft::when_all(
        send_sequence(w, *met->server, 0, size, 65'536),
        expect_sequence(w, *met->client, 0, size, 65'536));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
    met->server->close();
    auto ended = co_await expect_end(*met->client);
    CHECK(ended.has_value());
}
TEST_CASE("10 MB arrive, where one frame in twenty is lost too, and their end behind them") {
    run(much);
}

} // namespace
} // namespace tls_test
