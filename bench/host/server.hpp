// What every echo server of the bench shares, so that the servers differ only in what is measured:
// the command line, the listening socket's options and the line that tells the harness the port.
//
//     echo_X PORT [--buffer BYTES]      PORT 0 picks a free one; buffer is 1,024 bytes unless told
//
// Each prints `listening PORT`, echoes what it receives with TCP_NODELAY set, and exits with status
// 0 when the last connection that it accepted has closed. Nothing is counted on the path that is
// measured.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <netinet/in.h>
#include <sys/resource.h>

namespace bench {

inline constexpr int backlog = 4096;

struct server_options {
    std::uint16_t port = 0;
    std::size_t buffer = 1024;
};

[[noreturn]] inline void fail(const char* what, const char* detail) {
    std::fprintf(stderr, "%s: %s\n", what, detail);
    std::exit(2);
}

template <class Number>
Number number(std::string_view text, const char* what) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        fail(what, "not a number, or out of range");
    return value;
}

// Soft limit of open files up to the hard one: 10,000 connections are more than the usual 1,024.
inline void raise_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

inline server_options parse(int argc, char** argv) {
    server_options options;
    if (argc < 2)
        fail(argv[0], "usage: PORT [--buffer BYTES]");
    options.port = number<std::uint16_t>(argv[1], "PORT");
    for (int i = 2; i < argc; i += 2) {
        if (std::string_view(argv[i]) != "--buffer" || i + 1 == argc)
            fail(argv[i], "usage: PORT [--buffer BYTES]");
        options.buffer = number<std::size_t>(argv[i + 1], "--buffer");
    }
    if (options.buffer == 0 || options.buffer > 65536)
        fail("--buffer", "must be 1 to 65536");
    raise_file_limit();
    return options;
}

inline void announce(std::uint16_t port) {
    std::printf("listening %u\n", static_cast<unsigned>(port));
    std::fflush(stdout);
}

} // namespace bench
