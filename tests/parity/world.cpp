#include "world.hpp"

#include <weft/sleep.hpp>
#include <weft/sync_wait.hpp>
#include <weft/timeout.hpp>

#include <doctest/doctest.h>

namespace parity {

weft::duration world::random_moment(weft::duration longest) noexcept {
    const auto most = static_cast<std::uint64_t>(longest.count());
    return weft::duration(static_cast<std::int64_t>(random(most + 1))) *
           (facts_.virtual_time ? 100 : 1);
}

weft::duration world::settling() const noexcept {
    return facts_.virtual_time ? weft::duration(5s) : weft::duration(50ms);
}

weft::duration world::silence() const noexcept {
    return settling() * (facts_.lossy ? 240 : 4); // a segment may be lost many times
}

weft::duration world::patience() const noexcept {
    return facts_.virtual_time ? weft::duration(6h) : weft::duration(120s);
}

namespace {

task<> pass_time(weft::duration time) {
    auto slept = co_await weft::sleep_for(time);
    (void)slept;
}

/// Closing goes on after a test: FINs cross, a retired socket is freed at the end of a turn.
std::size_t sockets_left(world& w, std::size_t expected) {
    std::size_t left = w.open_sockets();
    for (int waits = 0; left > expected && waits < 200; ++waits) {
        const auto passed = weft::sync_wait(w.home(), pass_time(w.settling()));
        REQUIRE(passed);
        left = w.open_sockets();
    }
    return left;
}

} // namespace

void run(const test& t) {
    run(t, "");
}

void run(const test& t, const std::string& variant) {
    world& w = here();
    INFO("--config=", w.known().configuration, " --seed=", w.seed(), " ", variant);
    const std::size_t before = w.open_sockets();
    const result<> outcome =
        weft::sync_wait(w.home(), weft::as_task(weft::timeout(t(w), w.patience())));
    const errc error = outcome ? errc::ok : outcome.error();
    INFO(
        "the test ended with ", std::string(weft::name(error)),
        " (ETIMEDOUT: the watchdog's patience)");
    CHECK(error == errc::ok);
    CHECK(sockets_left(w, before) == before);
}

void run_both(task<> (*t)(world&, family)) {
    run([t](world& w) { return t(w, family::ipv4); }, "over IPv4");
    if (here().known().ipv6) {
        run([t](world& w) { return t(w, family::ipv6); }, "over IPv6");
    }
}

void skip(const std::string& why) {
    MESSAGE("SKIP on ", here().known().configuration, ": ", why);
}

} // namespace parity
