#include "usocket/core/names.hpp"

#include "usocket/constants.hpp"

#include <weft/resolve.hpp>
#include <weft/stack.hpp>
#include <weft/task_group.hpp>

#include <algorithm>

namespace usocket {

using weft::address;
using weft::endpoint;
using weft::errc;
using weft::fail;
using weft::result;

result<endpoint> endpoint_of(
    std::string_view host, std::int64_t port, std::int64_t flowinfo, std::int64_t scope_id,
    weft::family any_of) noexcept {
    if (port < 0 || port > 65535 || flowinfo != 0 || scope_id < 0 || scope_id > 0xffffffff) {
        return fail(errc::invalid_argument);
    }
    result<address> at = address::any(any_of);
    if (!host.empty()) {
        at = address::parse(host);
    }
    if (!at) {
        return fail(errc::invalid_argument);
    }
    if (scope_id != 0 && !at->is_v4()) {
        std::array<std::uint8_t, 16> bytes{};
        std::copy(at->bytes().begin(), at->bytes().end(), bytes.begin());
        at = address::v6(bytes, static_cast<std::uint32_t>(scope_id));
    }
    return endpoint{*at, static_cast<std::uint16_t>(port)};
}

namespace {

struct service {
    std::string_view name;
    std::uint16_t port;
};
// The same on every stack: a board has no /etc/services, and many containers have none.
constexpr service services[] = {
    {"echo", 7},         {"discard", 9}, {"daytime", 13},      {"ftp-data", 20},
    {"ftp", 21},         {"ssh", 22},    {"telnet", 23},       {"smtp", 25},
    {"time", 37},        {"domain", 53}, {"bootps", 67},       {"bootpc", 68},
    {"tftp", 69},        {"http", 80},   {"www", 80},          {"pop3", 110},
    {"ntp", 123},        {"imap", 143},  {"imap2", 143},       {"snmp", 161},
    {"ldap", 389},       {"https", 443}, {"submissions", 465}, {"syslog", 514},
    {"submission", 587}, {"ldaps", 636}, {"imaps", 993},       {"pop3s", 995},
    {"mqtt", 1883},      {"coap", 5683}, {"mqtts", 8883},      {"secure-mqtt", 8883},
};

struct socket_type {
    int type;
    int proto;
};
constexpr socket_type types[] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}};

bool fits(const socket_type& each, const name_filter& filter) noexcept {
    return (filter.type == 0 || filter.type == each.type) &&
           (filter.proto == 0 || filter.proto == each.proto);
}

errc check(const name_filter& filter) noexcept {
    if (filter.family != 0 && filter.family != AF_INET && filter.family != AF_INET6) {
        return errc::name_family_not_supported;
    }
    if ((filter.flags & ~AI_NUMERICHOST) != 0) {
        return errc::name_bad_flags;
    }
    if (!fits(types[0], filter) && !fits(types[1], filter)) {
        return errc::name_socket_type_not_supported;
    }
    return errc::ok;
}

/// IPv4 first, SOCK_STREAM before SOCK_DGRAM for each address.
void append(
    address_entries& into, std::span<const address> found, std::uint16_t port,
    const name_filter& filter) noexcept {
    for (const address& each : found) {
        const int af = each.is_v4() ? AF_INET : AF_INET6;
        for (const socket_type& type : types) {
            const bool wanted = (filter.family == 0 || filter.family == af) && fits(type, filter);
            if (wanted && into.size != into.entries.size()) {
                into.entries[into.size++] = {af, type.type, type.proto, {each, port}};
            }
        }
    }
}

/// A number, or "": no server is asked. errc::would_block: it is a name.
errc look_up_number(
    std::string_view host, std::uint16_t port, const name_filter& filter,
    address_entries& into) noexcept {
    if (const errc wrong = check(filter); wrong != errc::ok) {
        return wrong;
    }
    if (host.empty()) {
        const address any[] = {address::any(weft::family::ipv4), address::any(weft::family::ipv6)};
        append(into, any, port, filter);
        return errc::ok;
    }
    const result<address> number = address::parse(host);
    if (!number) {
        return (filter.flags & AI_NUMERICHOST) != 0 ? errc::name_not_found : errc::would_block;
    }
    append(into, std::span(&*number, 1), port, filter);
    return into.size != 0 ? errc::ok : errc::name_no_address;
}

weft::families asked_for(const name_filter& filter) noexcept {
    switch (filter.family) {
    case AF_INET:
        return weft::families::ipv4;
    case AF_INET6:
        return weft::families::ipv6;
    default:
        return weft::families::any;
    }
}

struct answer {
    address_entries* into;
    errc outcome = errc::ok;
    bool done = false;
};

weft::task<> answer_into(answer& there, weft::task<address_entries> asking) {
    auto found = co_await std::move(asking);
    if (found) {
        *there.into = *found;
    } else {
        there.outcome = found.error();
    }
    there.done = true;
}

} // namespace

result<std::uint16_t> port_of(std::string_view text) noexcept {
    unsigned port = 0;
    bool digits = !text.empty() && text.size() <= 5;
    for (const char c : text) {
        digits = digits && c >= '0' && c <= '9';
        port = digits ? port * 10 + static_cast<unsigned>(c - '0') : port;
    }
    if (digits && port <= 65535) {
        return static_cast<std::uint16_t>(port);
    }
    for (const service& each : services) {
        if (each.name == text) {
            return each.port;
        }
    }
    return fail(errc::name_service_not_supported);
}

weft::task<address_entries> look_up(
    weft::stack& net, std::string_view host, result<std::uint16_t> port,
    name_filter filter) noexcept {
    if (!port) {
        co_return fail(port.error());
    }
    address_entries found;
    const errc number = look_up_number(host, *port, filter, found);
    if (number == errc::ok) {
        co_return found;
    }
    if (number != errc::would_block) {
        co_return fail(number);
    }
    auto addresses = co_await net.resolve(host, asked_for(filter));
    if (!addresses) {
        co_return fail(addresses.error());
    }
    append(found, addresses->addresses(), *port, filter);
    co_return found;
}

errc look_up_now(
    thread& here, std::string_view host, std::uint16_t port, name_filter filter,
    weft::duration limit, address_entries& into) noexcept {
    if (const errc number = look_up_number(host, port, filter, into); number != errc::would_block) {
        return number;
    }
    const result<weft::stack*> net = here.net();
    if (!net) {
        return net.error();
    }
    weft::loop& home = (*net)->loop();
    if (home.running()) {
        here.explain({"getaddrinfo() would wait for the loop that it was called from; co_await "
                      "usocket::getaddrinfo_async there instead"});
        return errc::would_deadlock;
    }
    const weft::time_point deadline = limit == weft::duration::max()
                                          ? weft::never
                                          : weft::deadline_after(home.read_clock(), limit);
    answer there{&into};
    weft::task_group asking(home); // ended here without an answer, it takes the question with it
    const result<> spawned = asking.spawn(answer_into(there, look_up(**net, host, port, filter)));
    if (!spawned) {
        return errc::name_no_memory;
    }
    while (!there.done) {
        if (deadline != weft::never && home.read_clock() >= deadline) {
            return errc::name_try_again;
        }
        if (const errc slept = here.sleep(home, deadline); slept != errc::ok) {
            return slept;
        }
    }
    return there.outcome;
}

} // namespace usocket
