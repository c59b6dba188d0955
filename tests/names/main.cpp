// names_test --config=host-epoll|host-poll|host-select|tap [doctest's options]
//
// Exit status 77, Meson's SKIP, where this machine cannot have that configuration; a failure if
// CI=true.
#include "world.hpp"

#include <weft/sleep.hpp>

#include <cstdio>
#include <cstdlib>

namespace names_test {
namespace {

std::unique_ptr<world> the_world;

attempt make_world(std::string_view name) {
    if (name.starts_with("host-")) {
        const std::optional<weft::poller> kind = weft::poller_named(name.substr(5));
        return kind ? make_host_world(*kind) : attempt{};
    }
#ifdef NAMES_TAP
    if (name == "tap") {
        return make_tap_world();
    }
#endif
    return {};
}

int unavailable(const std::string& why) {
    const char* ci = std::getenv("CI");
    const bool must_run = ci != nullptr && std::string_view(ci) == "true";
    std::fprintf(
        stderr, "names_test: %s: %s\n", must_run ? "FAILED (CI=true)" : "SKIP", why.c_str());
    return must_run ? 1 : 77;
}

} // namespace

world& here() {
    return *the_world;
}

void run(task<> (*test)(world&)) {
    world& w = here();
    const std::size_t before = w.open_sockets();
    const result<> outcome = weft::sync_wait(w.home(), weft::as_task(weft::timeout(test(w), 60s)));
    CHECK(error_of(outcome) == errc::ok);    // ETIMEDOUT: a hang
    const result<> turned = w.home().poll(); // what the test closed goes at the end of a turn
    (void)turned;
    CHECK(w.open_sockets() == before);
}

std::string text(const result<address_list>& found) {
    if (!found) {
        return weft::name(found.error());
    }
    std::string all;
    for (const address& each : *found) {
        std::array<char, weft::endpoint_text_size> room{};
        all += (all.empty() ? "" : " ") + std::string(weft::to_text(each, room));
    }
    return all;
}

} // namespace names_test

int main(int argc, char** argv) {
    std::string_view name;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.starts_with("--config=")) {
            name = argument.substr(9);
        }
    }
    names_test::attempt made = names_test::make_world(name);
    if (!made.made) {
        if (made.why_not.empty()) {
            std::fprintf(stderr, "names_test: give --config=host-epoll or the like\n");
            return 2;
        }
        return names_test::unavailable(made.why_not);
    }
    names_test::the_world = std::move(made.made);
    doctest::Context context(argc, argv);
    const int failed = context.run();
    names_test::the_world.reset();
    return failed;
}
