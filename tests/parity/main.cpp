// parity_test --config=NAME [--seed=N] [doctest's options]
//
// One set of tests; NAME says over which stacks. Exit status 77, Meson's SKIP, where this machine
// cannot have that configuration; a failure if CI=true.
#include "world.hpp"

#include <doctest/doctest.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

std::unique_ptr<parity::world> the_world;

int usage(std::string_view wrong) {
    std::fprintf(
        stderr, "parity_test: %.*s; give --config= one of:", static_cast<int>(wrong.size()),
        wrong.data());
    for (const parity::configuration& each : parity::configurations) {
        std::fprintf(stderr, " %s", each.name);
    }
    std::fprintf(stderr, "\n");
    return 2;
}

int unavailable(const char* name, const std::string& why) {
    const char* ci = std::getenv("CI");
    const bool must_run = ci != nullptr && std::string_view(ci) == "true";
    std::fprintf(
        stderr, "parity_test: %s %s: %s\n", name, must_run ? "FAILED (CI=true)" : "SKIP",
        why.c_str());
    return must_run ? 1 : 77;
}

} // namespace

const std::vector<parity::configuration> parity::configurations = {
#ifdef PARITY_HOST
    {"host-epoll", make_host_world},  {"host-poll", make_host_world},
    {"host-select", make_host_world},
#endif
#ifdef PARITY_LWIP
    {"wire", make_wire_world},        {"lossy-wire", make_wire_world},
#endif
#ifdef PARITY_TAP
    {"tap", make_tap_world},          {"tap-reversed", make_tap_world},
#endif
};

parity::world& parity::here() {
    return *the_world;
}

int main(int argc, char** argv) {
    std::string_view name;
    std::uint64_t seed = 1;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.starts_with("--config=")) {
            name = argument.substr(9);
        } else if (argument.starts_with("--seed=")) {
            const std::string_view digits = argument.substr(7);
            const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
            if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
                return usage("--seed= wants a number");
            }
        }
    }
    const parity::configuration* chosen = nullptr;
    for (const parity::configuration& each : parity::configurations) {
        if (name == each.name) {
            chosen = &each;
        }
    }
    if (chosen == nullptr) {
        return usage("no such configuration");
    }
    parity::attempt made = chosen->make(chosen->name, seed);
    if (!made.made) {
        return unavailable(chosen->name, made.why_not);
    }
    the_world = std::move(made.made);
    doctest::Context context(argc, argv);
    const int failed = context.run();
    the_world.reset();
    if (failed != 0) {
        std::fprintf(
            stderr, "parity_test: FAILED; again with --config=%s --seed=%llu\n", chosen->name,
            static_cast<unsigned long long>(seed));
    }
    return failed;
}
