// The contract's table "Module", and its paragraph on addresses.
#include "scene.hpp"

#include <c/usocket.h>

#include <weft/sync_wait.hpp>

#include <algorithm>

namespace contract {
namespace {

TEST_CASE("constants: one table of numbers, the same everywhere") {
    CHECK(AF_INET == 2);
    CHECK(AF_INET6 == 10);
    CHECK(SOCK_STREAM == 1);
    CHECK(SOCK_DGRAM == 2);
    CHECK(SOCK_RAW == 3);
    CHECK(IPPROTO_IP == 0);
    CHECK(IPPROTO_TCP == 6);
    CHECK(IPPROTO_UDP == 17);
    CHECK(IPPROTO_SEC == 100);
    CHECK(SOL_SOCKET == 0xfff);
    CHECK(SO_REUSEADDR == 4);
    CHECK(SO_KEEPALIVE == 8);
    CHECK(SO_CALLBACK == 20);
    CHECK(SO_BROADCAST == 0x20);
    CHECK(SO_LINGER == 0x80);
    CHECK(SO_SNDBUF == 0x1001);
    CHECK(SO_RCVBUF == 0x1002);
    CHECK(SO_ERROR == 0x1007);
    CHECK(TCP_NODELAY == 0x40);
    CHECK(IP_ADD_MEMBERSHIP == 0x400);
    CHECK(IP_DROP_MEMBERSHIP == 0x401);
    CHECK(MSG_PEEK == 2);
    CHECK(MSG_DONTWAIT == 0x40);
    CHECK(POLLIN == 1);
    CHECK(POLLOUT == 4);
    CHECK(POLLERR == 8);
    CHECK(POLLHUP == 0x10);
    CHECK(POLLNVAL == 0x20);
    CHECK(US_AF_INET6 == AF_INET6);
    CHECK(US_SOL_SOCKET == SOL_SOCKET);
    CHECK(US_SO_BINDTODEVICE == SO_BINDTODEVICE);
    CHECK(US_SO_TYPE == SO_TYPE);
}

TEST_CASE("errno: Linux's numbers") {
    using weft::errc;
    const std::pair<errc, int> numbers[] = {
        {errc::interrupted, 4},
        {errc::would_block, 11},
        {errc::no_memory, 12},
        {errc::invalid_argument, 22},
        {errc::too_many_open, 24},
        {errc::broken_pipe, 32},
        {errc::would_deadlock, 35},
        {errc::bad_option, 92},
        {errc::not_supported, 95},
        {errc::family_not_supported, 97},
        {errc::address_in_use, 98},
        {errc::network_unreachable, 101},
        {errc::connection_reset, 104},
        {errc::already_connected, 106},
        {errc::not_connected, 107},
        {errc::timed_out, 110},
        {errc::connection_refused, 111},
        {errc::host_unreachable, 113},
        {errc::already, 114},
        {errc::in_progress, 115},
        {errc::bad_handle, 9},
        {errc::no_such_entry, 2},
    };
    for (const auto& [name, number] : numbers) {
        CHECK(static_cast<int>(name) == number);
    }
}

// --- socket()

TEST_CASE("socket(): AF_INET, SOCK_STREAM and IPPROTO_TCP unless told otherwise") {
    scene at;
    socket s;
    CHECK(s.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
    CHECK(s.getsockname().family() == AF_INET);
    CHECK(s.gettimeout() == std::nullopt); // it blocks
}

TEST_CASE("socket(): proto 0 or omitted follows the type") {
    on_both([](scene& at) {
        CHECK(socket(at.af(), SOCK_DGRAM).getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
        CHECK(socket(at.af(), SOCK_DGRAM, 0).getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
        CHECK(
            socket(at.af(), SOCK_DGRAM, IPPROTO_UDP).getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
        CHECK(socket(at.af(), SOCK_STREAM, 0).getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
        CHECK(
            socket(at.af(), SOCK_STREAM, IPPROTO_TCP).getsockopt(SOL_SOCKET, SO_TYPE) ==
            SOCK_STREAM);
    });
}

TEST_CASE(
    "socket(): unknown family EAFNOSUPPORT, type EINVAL, another type's proto EPROTONOSUPPORT") {
    scene at;
    CHECK(number_of([] { socket(1, SOCK_STREAM); }) == EAFNOSUPPORT);
    CHECK(number_of([] { socket(0, SOCK_STREAM); }) == EAFNOSUPPORT);
    CHECK(number_of([] { socket(-1, SOCK_STREAM); }) == EAFNOSUPPORT);
    CHECK(number_of([] { socket(AF_INET, 99); }) == EINVAL);
    CHECK(number_of([] { socket(AF_INET, 0); }) == EINVAL);
    CHECK(number_of([] { socket(AF_INET, SOCK_RAW, 1); }) == EINVAL);
    CHECK(number_of([] { socket(AF_INET, SOCK_STREAM, IPPROTO_UDP); }) == EPROTONOSUPPORT);
    CHECK(number_of([] { socket(AF_INET, SOCK_STREAM, 99); }) == EPROTONOSUPPORT);
}

TEST_CASE("socket(): no resources left: EMFILE or ENOMEM, and there are some again") {
    scene at;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        use(at.w.server_net());
        const std::shared_ptr<void> scarce = at.w.ration_sockets(10);
        std::vector<socket> held;
        const int number = number_of([&] {
            while (held.size() != 100'000) {
                held.emplace_back(AF_INET, type);
            }
        });
        CHECK(number == static_cast<int>(at.known().exhausted));
        held.pop_back();
        CHECK(number_of([&] { held.emplace_back(AF_INET, type); }) == 0);
    }
}

TEST_CASE("IPPROTO_SEC: EPROTONOSUPPORT in a build without TLS") {
    scene at;
#if defined(WITH_TLS)
    CHECK(number_of([] { socket(AF_INET, SOCK_STREAM, IPPROTO_SEC); }) == 0);
    CHECK(number_of([] { socket(AF_INET, SOCK_DGRAM, IPPROTO_SEC); }) == EPROTONOSUPPORT);
#else
    CHECK(number_of([] { socket(AF_INET, SOCK_STREAM, IPPROTO_SEC); }) == EPROTONOSUPPORT);
    CHECK(us_open(US_AF_INET, US_SOCK_STREAM, US_IPPROTO_SEC) == -EPROTONOSUPPORT);
#endif
}

// --- getaddrinfo()

TEST_CASE("getaddrinfo(): (family, type, proto, canonname, sockaddr), a stream before datagrams") {
    scene at;
    const addrinfo_list found = getaddrinfo("10.1.2.3", 8080);
    REQUIRE(found.size() == 2);
    CHECK(found[0].family == AF_INET);
    CHECK(found[0].type == SOCK_STREAM);
    CHECK(found[0].proto == IPPROTO_TCP);
    CHECK(found[0].canonname == "");
    CHECK(found[0].sockaddr.host() == "10.1.2.3");
    CHECK(found[0].sockaddr.port() == 8080);
    CHECK(found[1].type == SOCK_DGRAM);
    CHECK(found[1].proto == IPPROTO_UDP);
    CHECK(found[0][-1] == found[0].sockaddr);
    CHECK(found[0][4] == found[0].sockaddr);
}

TEST_CASE("getaddrinfo(): all families that fit, AF_INET first") {
    scene at;
    const addrinfo_list found = getaddrinfo("", 80);
    REQUIRE(found.size() == 4);
    const std::pair<int, int> order[] = {
        {AF_INET, SOCK_STREAM},
        {AF_INET, SOCK_DGRAM},
        {AF_INET6, SOCK_STREAM},
        {AF_INET6, SOCK_DGRAM},
    };
    for (std::size_t i = 0; i != 4; ++i) {
        CHECK(found[i].family == order[i].first);
        CHECK(found[i].type == order[i].second);
    }
    CHECK(found[0].sockaddr.host() == "0.0.0.0");
    CHECK(found[2].sockaddr.host() == "::");
}

TEST_CASE("getaddrinfo(): family, type and proto filter") {
    scene at;
    CHECK(getaddrinfo("", 80, AF_INET6).size() == 2);
    CHECK(getaddrinfo("", 80, 0, SOCK_DGRAM).size() == 2);
    CHECK(getaddrinfo("", 80, AF_INET, SOCK_STREAM).size() == 1);
    CHECK(getaddrinfo("::1", 80, 0, 0, IPPROTO_UDP).size() == 1);
    CHECK(getaddrinfo("::1", 80, 0, 0, IPPROTO_UDP)[0].type == SOCK_DGRAM);
}

TEST_CASE("getaddrinfo(): the port is a number 0..65535 or the name of a service") {
    scene at;
    CHECK(getaddrinfo("::1", 0)[0][-1].port() == 0);
    CHECK(getaddrinfo("::1", 65535)[0][-1].port() == 65535);
    CHECK(getaddrinfo("::1", "http")[0][-1].port() == 80);
    CHECK(getaddrinfo("::1", "443")[0][-1].port() == 443);
    CHECK(number_of([] { getaddrinfo("::1", "no-such-service"); }) == -8);
    CHECK(number_of([] { getaddrinfo("::1", 65536); }) == EINVAL);
    CHECK(number_of([] { getaddrinfo("::1", -1); }) == EINVAL);
}

TEST_CASE("getaddrinfo(): a failure is OSError with glibc's negative EAI_* number") {
    scene at;
    CHECK(number_of([] { getaddrinfo("not a number", 80, 0, 0, 0, AI_NUMERICHOST); }) == -2);
    CHECK(number_of([] { getaddrinfo("127.0.0.1", 80, AF_INET6); }) == -5);
    CHECK(number_of([] { getaddrinfo("127.0.0.1", 80, 99); }) == -6);
    CHECK(number_of([] { getaddrinfo("127.0.0.1", 80, 0, SOCK_RAW); }) == -7);
    CHECK(number_of([] { getaddrinfo("127.0.0.1", 80, 0, 0, 0, 1 << 20); }) == -1);
}

TEST_CASE("getaddrinfo(): in the C ABI its numbers are below -1000, so never an errno") {
    scene at;
    us_addrinfo found[4];
    CHECK(us_getaddrinfo("::1", 3, nullptr, 80, 0, 0, 0, 0, -1, found, 4) == 2);
    CHECK(us_getaddrinfo("x y", 3, nullptr, 80, 0, 0, 0, US_AI_NUMERICHOST, -1, found, 4) == -1002);
    CHECK(us_getaddrinfo("::1", 3, "nothing", 0, 0, 0, 0, 0, -1, found, 4) == -1008);
    CHECK(std::string_view(us_error_name(-1002)) == "EAI_NONAME");
}

TEST_CASE("getaddrinfo(): numeric hosts never ask a server: no turn of the loop is taken") {
    scene at;
    bool turned = false;
    at.later(0ms, [&] { turned = true; });
    (void)getaddrinfo("192.0.2.1", 80);
    (void)getaddrinfo("2001:db8::1", 80);
    CHECK_FALSE(turned);
    at.until([&] { return turned; });
}

TEST_CASE("getaddrinfo(): a coroutine form exists") {
    scene at;
    const auto found = weft::sync_wait(
        at.w.home(), getaddrinfo_async(at.w.client_net(), "192.0.2.7", 80, AF_INET, SOCK_STREAM));
    REQUIRE(found);
    REQUIRE(found->size == 1);
    CHECK(sockaddr(found->entries[0].at).host() == "192.0.2.7");
}

// --- inet_pton(), inet_ntop()

TEST_CASE("inet_pton(), inet_ntop(): both families, there and back") {
    CHECK(inet_pton(AF_INET, "1.2.3.4") == std::string_view("\1\2\3\4", 4));
    CHECK(inet_ntop(AF_INET, std::string_view("\x7f\0\0\1", 4)) == "127.0.0.1");
    const bytes six = inet_pton(AF_INET6, "2001:db8::1");
    CHECK(six.size() == 16);
    CHECK(inet_ntop(AF_INET6, six) == "2001:db8::1");
    CHECK(inet_ntop(AF_INET6, inet_pton(AF_INET6, "::ffff:1.2.3.4")) == "::ffff:1.2.3.4");
}

TEST_CASE("inet_pton(), inet_ntop(): wrong length or text EINVAL, unknown family EAFNOSUPPORT") {
    for (const char* wrong : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "host", "::1", " 1.2.3.4"}) {
        CHECK(number_of([&] { inet_pton(AF_INET, wrong); }) == EINVAL);
    }
    for (const char* wrong : {"", "1.2.3.4", ":::", "1::2::3", "12345::", "fe80::1%2"}) {
        CHECK(number_of([&] { inet_pton(AF_INET6, wrong); }) == EINVAL);
    }
    CHECK(number_of([] { inet_pton(99, "1.2.3.4"); }) == EAFNOSUPPORT);
    CHECK(number_of([] { inet_ntop(99, std::string_view("\1\2\3\4", 4)); }) == EAFNOSUPPORT);
    for (const std::size_t wrong : std::initializer_list<std::size_t>{0, 1, 3, 5, 16}) {
        CHECK(number_of([&] { inet_ntop(AF_INET, std::string(wrong, 'x')); }) == EINVAL);
    }
    for (const std::size_t wrong : std::initializer_list<std::size_t>{0, 4, 15, 17}) {
        CHECK(number_of([&] { inet_ntop(AF_INET6, std::string(wrong, 'x')); }) == EINVAL);
    }
}

TEST_CASE("inet_ntop() never reads past the buffer") {
    for (std::size_t size = 0; size != 16; ++size) {
        const std::vector<std::byte> exactly(
            size, std::byte{1}); // AddressSanitizer watches its end
        CHECK(number_of([&] { inet_ntop(AF_INET6, exactly); }) == EINVAL);
        char text[64];
        CHECK(
            us_inet_ntop(
                US_AF_INET6, reinterpret_cast<const std::uint8_t*>(exactly.data()), size, text,
                sizeof text) == -EINVAL);
    }
    char text[8];
    const std::uint8_t loopback[] = {127, 0, 0, 1};
    CHECK(us_inet_ntop(US_AF_INET, loopback, 4, text, sizeof text) == -EINVAL); // nor writes
}

// --- addresses

TEST_CASE("addresses: (host, port) and (host, port, flowinfo, scope id), \"\" is any") {
    const sockaddr two{"192.168.12.32", 6001};
    CHECK(two.host() == "192.168.12.32");
    CHECK(two.port() == 6001);
    CHECK(two.family() == AF_INET);
    const sockaddr four{"fe80::1", 80, 0, 2};
    CHECK(four.host().view().starts_with("fe80::1"));
    CHECK(four.port() == 80);
    CHECK(four.flowinfo() == 0);
    CHECK(four.scope_id() == 2);
    on_both([](scene& at) {
        socket any = at.server();
        any.bind({"", 0});
        CHECK(any.getsockname().family() == at.af());
        CHECK(any.getsockname().host() == (at.ip == family::ipv4 ? "0.0.0.0" : "::"));
        CHECK(any.getsockname().port() != 0);
    });
}

TEST_CASE("addresses: what getaddrinfo gives is taken everywhere an address is") {
    on_both([](scene& at) {
        const std::string host = at.server_host();
        socket l = at.server();
        l.bind(getaddrinfo(host, 0)[0][-1]);
        l.listen();
        socket c = at.client();
        c.connect(getaddrinfo(host, l.getsockname().port())[0][-1]);
        socket d = at.client(SOCK_DGRAM);
        CHECK(d.sendto("x", getaddrinfo(host, 9)[0][-1]) == 1);
    });
}

/// Each call that takes an address ends with `number` for `wrong`.
void is_wrong_everywhere(scene& at, const sockaddr& wrong, int number) {
    socket s = at.client();
    CHECK(number_of([&] { s.bind(wrong); }) == number);
    CHECK(number_of([&] { s.connect(wrong); }) == number);
    socket d = at.client(SOCK_DGRAM);
    CHECK(number_of([&] { d.bind(wrong); }) == number);
    CHECK(number_of([&] { d.connect(wrong); }) == number);
    CHECK(number_of([&] { d.sendto("x", wrong); }) == number);
}

TEST_CASE("addresses: a host name outside getaddrinfo is EINVAL") {
    scene at;
    is_wrong_everywhere(at, {"localhost", 80}, EINVAL);
    is_wrong_everywhere(at, {"www.micropython.org", 80}, EINVAL);
    is_wrong_everywhere(at, {"1.2.3", 80}, EINVAL);
}

TEST_CASE("addresses: a port outside 0..65535 is EINVAL, never wrapped") {
    on_both([](scene& at) {
        const std::string host = at.server_host();
        is_wrong_everywhere(at, {host, 65536}, EINVAL);
        is_wrong_everywhere(at, {host, 65536 + 80}, EINVAL);
        is_wrong_everywhere(at, {host, -1}, EINVAL);
        is_wrong_everywhere(at, {host, (std::int64_t{1} << 32) + 80}, EINVAL);
        is_wrong_everywhere(at, {"", 65536}, EINVAL);
    });
}

TEST_CASE("addresses: flowinfo must be 0, a scope id fits 32 bits") {
    scene at(here().known().ipv6 ? family::ipv6 : family::ipv4);
    is_wrong_everywhere(at, {at.server_host(), 80, 1}, EINVAL);
    is_wrong_everywhere(at, {at.server_host(), 80, 0, -1}, EINVAL);
    is_wrong_everywhere(at, {at.server_host(), 80, 0, std::int64_t{1} << 32}, EINVAL);
}

TEST_CASE("addresses come back as such tuples") {
    on_both([](scene& at) {
        socket l = at.listener();
        socket c = at.client();
        c.connect(l.getsockname());
        const auto [s, from] = l.accept();
        CHECK(from == c.getsockname());
        CHECK(c.getpeername() == l.getsockname());
        CHECK(c.getpeername().host() == at.server_host());
        CHECK(from.flowinfo() == 0);
        CHECK(from.scope_id() == 0);
    });
}

} // namespace
} // namespace contract
