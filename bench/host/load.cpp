// The client of every echo server of the bench: N connections over loopback, M checked round trips
// of 64 bytes.
//
//     load PORT --connections N --round-trips M [--warm-up W] [--wait-us U] [--seconds S]
//          [--server-pid PID] [--count-file PATH] [--lockstep] [--idle]
//
// All N connections stay busy: each sends its next message as soon as the last one is back. With
// --wait-us (one connection only) it pauses between messages, so that the server goes to sleep as
// it would between real requests; a server slowed down by callgrind would otherwise find the next
// message already there. After W round trips the measured part begins. The result is one line of
// JSON: round trips, seconds, rate, the server's CPU time (--server-pid) and what the preloaded
// counter saw (--count-file) in the measured part.
//
// --lockstep sends all N messages, then awaits all N answers: a server's speculative read never
// finds data by luck, so system calls are comparable.
//
// --idle opens the connections, exchanges one message on each and reports the counts' differences
// between the first connection and the last.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../count/count.h"
#include "server.hpp"

namespace {

constexpr std::size_t message_size = 64;
constexpr const char* usage =
    "usage: load PORT --connections N --round-trips M [--warm-up W] [--wait-us U] [--seconds S] "
    "[--server-pid PID] [--count-file PATH] [--lockstep] [--idle]";

struct load_options {
    std::uint16_t port = 0;
    std::size_t connections = 1;
    std::uint64_t round_trips = 1;
    std::uint64_t warm_up = 0;
    unsigned wait_us = 0;
    unsigned seconds = 120;
    pid_t server_pid = 0;
    const char* count_file = nullptr;
    bool idle = false;
    bool lockstep = false;
};

load_options parse_load(int argc, char** argv) {
    load_options o;
    if (argc < 2)
        bench::fail("load", usage);
    o.port = bench::number<std::uint16_t>(argv[1], "PORT");
    for (int i = 2; i < argc; ++i) {
        const std::string_view flag = argv[i];
        if (flag == "--idle") {
            o.idle = true;
            continue;
        }
        if (flag == "--lockstep") {
            o.lockstep = true;
            continue;
        }
        if (i + 1 == argc)
            bench::fail(argv[i], usage);
        const char* value = argv[++i];
        if (flag == "--connections")
            o.connections = bench::number<std::size_t>(value, "--connections");
        else if (flag == "--round-trips")
            o.round_trips = bench::number<std::uint64_t>(value, "--round-trips");
        else if (flag == "--warm-up")
            o.warm_up = bench::number<std::uint64_t>(value, "--warm-up");
        else if (flag == "--wait-us")
            o.wait_us = bench::number<unsigned>(value, "--wait-us");
        else if (flag == "--seconds")
            o.seconds = bench::number<unsigned>(value, "--seconds");
        else if (flag == "--server-pid")
            o.server_pid = bench::number<pid_t>(value, "--server-pid");
        else if (flag == "--count-file")
            o.count_file = value;
        else
            bench::fail(argv[i - 1], usage);
    }
    if (o.connections == 0 || o.connections > 100000)
        bench::fail("--connections", "must be 1 to 100000");
    if (o.wait_us != 0 && o.connections != 1)
        bench::fail("--wait-us", "is for one connection");
    return o;
}

// One connection and the message that it has on the way.
struct connection {
    int fd = -1;
    std::size_t received = 0;
    std::uint64_t sequence = 0;
    std::array<char, message_size> message{};

    void next_message() {
        ++sequence;
        std::memcpy(message.data(), &sequence, sizeof sequence);
        received = 0;
    }
};

// A connection's port is used up for a minute after it closes, so connections spread over source
// addresses.
int connect_from(std::uint16_t port, std::size_t index) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench::fail("socket", std::strerror(errno));
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    const auto low = static_cast<std::uint32_t>(getpid()) % 250U + 1U;
    from.sin_addr.s_addr =
        htonl(INADDR_LOOPBACK + (low << 16U) + (static_cast<std::uint32_t>(index / 5000) << 8U));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0 ||
        connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        bench::fail("connect", std::strerror(errno));
    return fd;
}

void send_next(connection& c) {
    c.next_message();
    // At most 64 bytes are on the way in each direction, so a socket's buffer always has room.
    if (send(c.fd, c.message.data(), message_size, MSG_NOSIGNAL) !=
        static_cast<ssize_t>(message_size))
        bench::fail("send", std::strerror(errno));
}

// True when the whole message is back; `flags` is 0 to wait for it.
bool receive(connection& c, int flags) {
    std::array<char, message_size + 1> got;
    while (c.received < message_size) {
        // One byte more than is due, so that a server that invents bytes is caught.
        const ssize_t n = recv(c.fd, got.data(), message_size + 1 - c.received, flags);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0)
            bench::fail("recv", n == 0 ? "the server closed early" : std::strerror(errno));
        const auto size = static_cast<std::size_t>(n);
        if (size > message_size - c.received ||
            std::memcmp(got.data(), c.message.data() + c.received, size) != 0)
            bench::fail("recv", "bytes differ from what was sent");
        c.received += size;
    }
    return true;
}

double server_cpu_us(pid_t pid) {
    if (pid == 0)
        return 0;
    clockid_t clock{};
    timespec t{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        bench::fail("--server-pid", "no such process");
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

// Everything that is read at both ends of the measured part.
struct snapshot {
    std::chrono::steady_clock::time_point time;
    double cpu_us;
    weft_counts counts;
};

snapshot take(const load_options& o, const weft_counts* shared) {
    snapshot s{std::chrono::steady_clock::now(), server_cpu_us(o.server_pid), {}};
    if (shared != nullptr)
        s.counts = *shared;
    return s;
}

void report(const load_options& o, std::uint64_t trips, const snapshot& a, const snapshot& b) {
    const double seconds = std::chrono::duration<double>(b.time - a.time).count();
    std::printf(
        "{\"connections\": %zu, \"round_trips\": %llu, \"seconds\": %.6f, \"rps\": %.0f",
        o.connections, static_cast<unsigned long long>(trips), seconds,
        static_cast<double>(trips) / seconds);
    if (o.server_pid != 0)
        std::printf(", \"server_cpu_us\": %.1f", b.cpu_us - a.cpu_us);
    if (o.count_file != nullptr) {
#define PRINT_COUNT(name)                                                                          \
    std::printf(", \"%s\": %lld", #name, static_cast<long long>(b.counts.name - a.counts.name));
        WEFT_COUNT_LIST(PRINT_COUNT)
#undef PRINT_COUNT
    }
    std::printf("}\n");
}

void one_by_one(connection& c, std::uint64_t trips, unsigned wait_us) {
    const timespec pause{0, static_cast<long>(wait_us) * 1000};
    for (std::uint64_t i = 0; i < trips; ++i) {
        if (wait_us != 0)
            nanosleep(&pause, nullptr);
        send_next(c);
        receive(c, 0);
    }
}

// Keeps every connection busy until `warm_up + round_trips` messages are back; fills both
// snapshots.
void all_busy(
    const load_options& o, std::vector<connection>& connections, const weft_counts* shared,
    snapshot& begin, snapshot& end) {
    const int poller = epoll_create1(EPOLL_CLOEXEC);
    for (auto& c : connections) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.ptr = &c;
        epoll_ctl(poller, EPOLL_CTL_ADD, c.fd, &event);
    }
    const std::uint64_t total = std::max<std::uint64_t>(o.warm_up + o.round_trips, o.connections);
    std::uint64_t sent = 0;
    std::uint64_t done = 0;
    begin = take(o, shared);
    for (auto& c : connections) {
        send_next(c);
        ++sent;
    }
    std::array<epoll_event, 1024> ready;
    while (done < total) {
        const int n = epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < n; ++i) {
            auto& c = *static_cast<connection*>(ready[static_cast<std::size_t>(i)].data.ptr);
            if (!receive(c, MSG_DONTWAIT))
                continue;
            if (++done == o.warm_up)
                begin = take(o, shared);
            if (!o.lockstep && sent < total) {
                send_next(c);
                ++sent;
            }
        }
        if (o.lockstep && done == sent && sent < total) {
            for (auto& c : connections)
                send_next(c);
            sent += connections.size();
        }
    }
    end = take(o, shared);
    close(poller);
}

void idle(const load_options& o, std::vector<connection>& connections, const weft_counts* shared) {
    connections[0].fd = connect_from(o.port, 0);
    one_by_one(connections[0], 1, 0);
    const snapshot begin = take(o, shared);
    for (std::size_t i = 1; i < connections.size(); ++i) {
        connections[i].fd = connect_from(o.port, i);
        one_by_one(connections[i], 1, 0);
    }
    // The last answer may arrive before the server has settled into its next wait.
    const timespec settle{0, 50'000'000};
    nanosleep(&settle, nullptr);
    report(o, connections.size() - 1, begin, take(o, shared));
}

void too_late(int) {
    constexpr std::string_view text = "load: out of time; the server does not answer\n";
    const auto ignored = write(STDERR_FILENO, text.data(), text.size());
    static_cast<void>(ignored);
    _exit(2);
}

} // namespace

int main(int argc, char** argv) {
    const auto o = parse_load(argc, argv);
    bench::raise_file_limit();
    signal(SIGALRM, too_late);
    alarm(o.seconds);
    const weft_counts* shared = nullptr;
    if (o.count_file != nullptr) {
        shared = weft_counts_map(o.count_file);
        if (shared == nullptr)
            bench::fail("--count-file", std::strerror(errno));
    }

    std::vector<connection> connections(o.connections);
    for (std::size_t i = 0; i < connections.size(); ++i)
        for (std::size_t j = 0; j < message_size; ++j)
            connections[i].message[j] = static_cast<char>(i * 31 + j);
    if (o.idle) {
        idle(o, connections, shared);
        return 0;
    }
    for (std::size_t i = 0; i < connections.size(); ++i)
        connections[i].fd = connect_from(o.port, i);

    snapshot begin{};
    snapshot end{};
    if (o.connections == 1) {
        one_by_one(connections[0], o.warm_up, o.wait_us);
        begin = take(o, shared);
        one_by_one(connections[0], o.round_trips, o.wait_us);
        end = take(o, shared);
    } else {
        all_busy(o, connections, shared, begin, end);
    }
    report(o, o.round_trips, begin, end);
}
