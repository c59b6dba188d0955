#include "network_namespace.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace parity {
namespace {

/// A socket for ioctl(2).
class control_socket {
  public:
    explicit control_socket(int f) : descriptor_(::socket(f, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    control_socket(const control_socket&) = delete;
    control_socket& operator=(const control_socket&) = delete;
    ~control_socket() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    [[nodiscard]] bool ask(unsigned long request, void* argument) const {
        return descriptor_ >= 0 && ::ioctl(descriptor_, request, argument) == 0;
    }

  private:
    int descriptor_;
};

std::string failed(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
}

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    return request;
}

void put(sockaddr& into, std::uint32_t ipv4_in_network_order) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = ipv4_in_network_order;
    std::memcpy(&into, &at, sizeof at);
}

void write_setting(const std::string& path, const char* value) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file >= 0) { // a container may keep /proc/sys read-only; then duplicate detection takes 1 s
        const ssize_t written = ::write(file, value, std::strlen(value));
        (void)written;
        ::close(file);
    }
}

std::string give_ipv4(const std::string& name, const weft::address& ipv4, std::uint8_t prefix) {
    const control_socket control(AF_INET);
    ifreq request = request_for(name);
    std::uint32_t bits = 0;
    std::memcpy(&bits, ipv4.bytes().data(), sizeof bits);
    put(request.ifr_addr, bits);
    if (!control.ask(SIOCSIFADDR, &request)) {
        return failed("SIOCSIFADDR");
    }
    put(request.ifr_netmask, htonl(~std::uint32_t{0} << (32 - prefix)));
    return control.ask(SIOCSIFNETMASK, &request) ? "" : failed("SIOCSIFNETMASK");
}

std::string give_ipv6(const std::string& name, const weft::address& ipv6, std::uint8_t prefix) {
    struct { // linux/ipv6.h's in6_ifreq; that header and netinet/in.h exclude each other
        in6_addr address;
        std::uint32_t prefix;
        int index;
    } request{};
    std::memcpy(&request.address, ipv6.bytes().data(), 16);
    request.prefix = prefix;
    request.index = static_cast<int>(::if_nametoindex(name.c_str()));
    const control_socket control(AF_INET6);
    return control.ask(SIOCSIFADDR, &request) ? "" : failed("SIOCSIFADDR, IPv6");
}

/// Not while its duplicate address detection is under way.
bool usable(const weft::address& ipv6) {
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    std::memcpy(&at.sin6_addr, ipv6.bytes().data(), 16);
    const int probe = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    ::close(probe);
    return bound;
}

} // namespace

std::string switch_interface(const std::string& name, bool on) {
    constexpr short up = IFF_UP | IFF_RUNNING;
    const control_socket control(AF_INET);
    ifreq request = request_for(name);
    if (!control.ask(SIOCGIFFLAGS, &request)) {
        return failed("SIOCGIFFLAGS");
    }
    request.ifr_flags =
        static_cast<short>(on ? request.ifr_flags | up : request.ifr_flags & ~IFF_UP);
    return control.ask(SIOCSIFFLAGS, &request) ? "" : failed("SIOCSIFFLAGS");
}

std::string enter_network_namespace() {
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return failed("no network namespace can be made here: unshare");
    }
    return switch_interface("lo", true);
}

std::string set_up_interface(
    const std::string& name, const weft::address& ipv4, std::uint8_t ipv4_prefix,
    const weft::address& ipv6, std::uint8_t ipv6_prefix) {
    write_setting("/proc/sys/net/ipv6/conf/" + name + "/accept_dad", "0");
    std::string wrong = give_ipv4(name, ipv4, ipv4_prefix);
    if (wrong.empty()) {
        wrong = switch_interface(name, true);
    }
    if (wrong.empty()) {
        wrong = give_ipv6(name, ipv6, ipv6_prefix);
    }
    for (int waits = 0; wrong.empty() && !usable(ipv6); ++waits) {
        if (waits == 500) {
            return "the IPv6 address stays tentative";
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return wrong;
}

} // namespace parity
