// TAP, in a network namespace of a forked child: nothing is left behind on the machine.
#include "frames.hpp"
#include "surroundings.hpp"

#include <weft/tap.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

using namespace frames;
using weft::errc;

namespace {
// A child process has no doctest: it returns the line of the first expectation that did not hold.
#define EXPECT(condition)                                                                          \
    if (!(condition)) {                                                                            \
        std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                       \
        return 1;                                                                                  \
    }

constexpr char host_ip[] = "10.77.0.1";
constexpr char weft_ip[] = "10.77.0.2";
constexpr weft::hardware_address weft_mac{2, 0x77, 0, 0, 0, 2};

bool may_run() {
    const int status = in_child([] { return unshare(CLONE_NEWNET) == 0 ? 0 : 1; });
    if (status != 0) {
        skip("a network namespace needs root");
        return false;
    }
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        skip("there is no /dev/net/tun");
        return false;
    }
    return true;
}

/// What `ip addr add 10.77.0.1/24 dev NAME; ip link set NAME up` does.
bool bring_up(const char* name) {
    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, host_ip, &address.sin_addr);
    std::memcpy(&request.ifr_addr, &address, sizeof(address));
    bool done = ioctl(control, SIOCSIFADDR, &request) == 0;
    inet_pton(AF_INET, "255.255.255.0", &address.sin_addr);
    std::memcpy(&request.ifr_netmask, &address, sizeof(address));
    done = done && ioctl(control, SIOCSIFNETMASK, &request) == 0;
    request.ifr_flags = IFF_UP;
    done = done && ioctl(control, SIOCSIFFLAGS, &request) == 0;
    close(control);
    return done;
}

std::uint64_t packets_into_the_kernel(const char* name) {
    const std::string all = read_all("/proc/self/net/dev");
    const std::size_t at = all.find(std::string(name) + ":");
    unsigned long long received_bytes = 0;
    unsigned long long packets = 0;
    if (at == std::string::npos || std::sscanf(
                                       all.c_str() + at + std::strlen(name) + 1, "%llu %llu",
                                       &received_bytes, &packets) != 2) {
        return UINT64_MAX;
    }
    return packets;
}

bool has_type(const bytes& frame, unsigned type) {
    return frame.size() > 14 && std::to_integer<unsigned>(frame[12]) == type >> 8 &&
           std::to_integer<unsigned>(frame[13]) == (type & 255);
}

/// The next frame of this type; others (router solicitations, MLD) go by.
bytes receive_type(weft::link& from, unsigned type) {
    bytes frame;
    while (!has_type(frame, type)) {
        if (!wait_readable(from.descriptor())) {
            return {};
        }
        frame = receive(from);
    }
    return frame;
}

/// RFC 826: the question turned round, with our address as the answer.
bytes arp_reply(const bytes& request) {
    bytes reply(request.begin(), request.begin() + 42);
    for (std::size_t i = 0; i < 6; ++i) {
        reply[i] = request[22 + i]; // to whom asked
        reply[6 + i] = reply[22 + i] = std::byte{weft_mac[i]};
        reply[32 + i] = request[22 + i];
    }
    for (std::size_t i = 0; i < 4; ++i) {
        reply[28 + i] = request[38 + i];
        reply[38 + i] = request[28 + i];
    }
    reply[21] = std::byte{2};
    return reply;
}

int exchange_with_the_kernel() {
    EXPECT(unshare(CLONE_NEWNET) == 0);
    auto made = weft::make_tap_link({.name = "weft0", .address = weft_mac});
    EXPECT(made.has_value());
    weft::tap_link& tap = **made;
    EXPECT(tap.name() == "weft0");
    EXPECT(tap.address() == weft_mac);
    EXPECT(tap.mtu() == 1500);
    EXPECT(receive(tap).empty());

    const bytes unknown = make_frame(everyone, weft_mac, 1, 100);
    const weft::result<> while_down = send(tap, unknown);
    EXPECT(!while_down && while_down.error() == errc::network_down);
    EXPECT(tap.counters().no_peer == 1);
    EXPECT(bring_up("weft0"));

    // the kernel asks who has our address, before it can send us a datagram
    const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    inet_pton(AF_INET, weft_ip, &to.sin_addr);
    const auto* const raw = reinterpret_cast<const sockaddr*>(&to);
    EXPECT(sendto(socket_fd, "hello over TAP", 14, 0, raw, sizeof(to)) == 14);
    const bytes question = receive_type(tap, 0x0806);
    EXPECT(question.size() >= 42);
    EXPECT(send(tap, arp_reply(question)).has_value());
    const bytes datagram = receive_type(tap, 0x0800);
    EXPECT(datagram.size() == 14 + 20 + 8 + 14);
    EXPECT(std::memcmp(datagram.data() + 42, "hello over TAP", 14) == 0);
    EXPECT(std::memcmp(datagram.data(), weft_mac.data(), 6) == 0);

    // what we send is counted, and gathered
    const std::uint64_t before = packets_into_the_kernel("weft0");
    const std::span<const std::byte> all = unknown;
    const std::array<std::span<const std::byte>, 3> parts{
        all.first(14), all.subspan(14, 50), all.subspan(64)};
    EXPECT(tap.send(parts).has_value());
    EXPECT(packets_into_the_kernel("weft0") == before + 1);

    // a buffer too small: the frame is dropped and counted, the next one comes whole
    const std::string large(200, 'x');
    EXPECT(sendto(socket_fd, large.data(), large.size(), 0, raw, sizeof(to)) == 200);
    EXPECT(sendto(socket_fd, "next", 4, 0, raw, sizeof(to)) == 4);
    EXPECT(wait_readable(tap.descriptor()));
    std::array<std::byte, 60> small{};
    std::size_t size = 0;
    while (size != 46) {
        size = tap.receive(small);
        EXPECT(size != 0 || wait_readable(tap.descriptor()));
    }
    EXPECT(std::memcmp(small.data() + 42, "next", 4) == 0);
    EXPECT(tap.counters().received_too_long >= 1);

    EXPECT(send(tap, bytes(1515)).error() == errc::message_too_long);
    EXPECT(send(tap, bytes(13)).error() == errc::invalid_argument);

    // errors that need a real device
    EXPECT(weft::make_tap_link({.name = "weft0"}).error() == errc::busy);
    EXPECT(weft::make_tap_link({.name = "lo"}).error() == errc::invalid_argument);
    const auto other = weft::make_tap_link({});
    EXPECT(other.has_value() && !(*other)->name().empty() && (*other)->name() != "weft0");
    EXPECT(((*other)->address()[0] & 3) == 2);
    close(socket_fd);
    made->reset();
    EXPECT(packets_into_the_kernel("weft0") == UINT64_MAX); // gone with the link
    return 0;
}
} // namespace

TEST_CASE("TAP: names, MTUs and addresses that cannot be are refused without a device") {
    for (const char* const name :
         {"sixteen-letters-", "a/b", "with space", "tap%d", "a:b", ".", ".."}) {
        CAPTURE(name);
        CHECK(weft::make_tap_link({.name = name}).error() == errc::invalid_argument);
    }
    CHECK(weft::make_tap_link({.name = "weft0", .mtu = 0}).error() == errc::invalid_argument);
    CHECK(weft::make_tap_link({.name = "weft0", .mtu = 65522}).error() == errc::invalid_argument);
    CHECK(
        weft::make_tap_link({.name = "weft0", .address = everyone}).error() ==
        errc::invalid_argument);
}

TEST_CASE("TAP: frames go to the kernel and come from it") {
    if (may_run()) {
        CHECK(in_child(exchange_with_the_kernel) == 0);
    }
}

TEST_CASE("TAP: without the right, and without the device, the error says which") {
    if (!may_run()) {
        return;
    }
    CHECK(in_child([] {
              EXPECT(unshare(CLONE_NEWNET) == 0);
              EXPECT(setgid(65534) == 0 && setuid(65534) == 0);
              EXPECT(weft::make_tap_link({.name = "weft0"}).error() == errc::permission_denied);
              return 0;
          }) == 0);
    CHECK(in_child([] {
              EXPECT(unshare(CLONE_NEWNS) == 0);
              EXPECT(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
              EXPECT(mount("none", "/dev/net", "tmpfs", 0, nullptr) == 0);
              EXPECT(weft::make_tap_link({.name = "weft0"}).error() == errc::no_such_device);
              return 0;
          }) == 0);
}
