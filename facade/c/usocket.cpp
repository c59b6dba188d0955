// The C functions: a handle looked up, an argument checked, and the object's call.

#include "c/usocket.h"
#include "c/convert.hpp"

#include "usocket/core/convert.hpp"
#include "usocket/core/handles.hpp"
#include "usocket/core/names.hpp"
#include "usocket/core/object.hpp"
#include "usocket/core/thread.hpp"
#include "usocket/stream_requests.hpp"

#include <algorithm>
#include <cstring>

namespace {

using usocket::handle_place;
using usocket::handles;
using usocket::object;
using usocket::thread;
using weft::endpoint;
using weft::errc;
using weft::result;
using namespace usocket::c;

std::span<std::byte> writable(void* at, std::size_t size) noexcept {
    return {static_cast<std::byte*>(at), size};
}
std::span<const std::byte> readable(const void* at, std::size_t size) noexcept {
    return {static_cast<const std::byte*>(at), size};
}

int give(const result<endpoint>& found, us_address* into) noexcept {
    if (!found) {
        return negative(found.error());
    }
    if (into == nullptr) {
        return negative(errc::invalid_argument);
    }
    to_c(*found, *into);
    return 0;
}

/// `call` on the object of `s`, or why there is none.
template <class Call>
auto on(us_socket s, Call call) noexcept -> decltype(call(*static_cast<object*>(nullptr))) {
    const handles::found it = handles::find(s);
    if (it.target == nullptr) [[unlikely]] {
        return negative(it.why);
    }
    return call(*it.target);
}

/// The same where the caller's memory comes with it.
template <class Call>
auto on(us_socket s, const void* memory, std::size_t size, Call call) noexcept
    -> decltype(call(*static_cast<object*>(nullptr))) {
    const handles::found it = handles::find(s);
    if (it.target == nullptr) [[unlikely]] {
        return negative(it.why);
    }
    if (!is_memory(memory, size)) [[unlikely]] {
        return negative(errc::invalid_argument);
    }
    return call(*it.target);
}

void put(std::size_t count, std::size_t* where) noexcept {
    if (where != nullptr) {
        *where = count;
    }
}

std::size_t no_stream(errc error, int* where) noexcept {
    if (where != nullptr) {
        *where = static_cast<int>(error);
    }
    return static_cast<std::size_t>(-1);
}

int copied(std::string_view text, char* into, std::size_t size) noexcept {
    if (text.empty() || into == nullptr || size <= text.size()) {
        return negative(errc::invalid_argument);
    }
    text.copy(into, text.size());
    into[text.size()] = '\0';
    return static_cast<int>(text.size());
}

[[gnu::noinline]] std::int64_t
send_by_object(us_socket s, const void* data, std::size_t size, int flags) noexcept {
    return on(s, data, size, [=](object& o) -> std::int64_t {
        return o.send(readable(data, size), flags);
    });
}

[[gnu::noinline]] std::int64_t
recv_by_object(us_socket s, void* into, std::size_t size, int flags) noexcept {
    return on(s, into, size, [=](object& o) -> std::int64_t {
        return o.recv(writable(into, size), flags);
    });
}

} // namespace

extern "C" {

// --- addresses

int us_address_set(
    us_address* into, int family, const char* host, size_t size, int64_t port, int64_t flowinfo,
    int64_t scope_id) {
    if (into == nullptr || !is_memory(host, size)) {
        return negative(errc::invalid_argument);
    }
    const auto any_of = family == US_AF_INET6 ? weft::family::ipv6 : weft::family::ipv4;
    return give(
        usocket::endpoint_of(std::string_view(host, size), port, flowinfo, scope_id, any_of), into);
}

int us_address_text(const us_address* from, char* into, size_t size) {
    const result<endpoint> at = from_c(from);
    if (!at) {
        return negative(at.error());
    }
    char text[weft::endpoint_text_size];
    return copied(weft::to_text(at->address, text), into, size);
}

int us_inet_pton(int family, const char* text, size_t text_size, uint8_t* into, size_t size) {
    if (text == nullptr || into == nullptr) {
        return negative(errc::invalid_argument);
    }
    std::array<std::uint8_t, 16> bytes{};
    const result<std::size_t> made =
        usocket::text_to_bytes(family, std::string_view(text, text_size), bytes);
    if (!made || *made > size) {
        return negative(made ? errc::invalid_argument : made.error());
    }
    std::memcpy(into, bytes.data(), *made);
    return static_cast<int>(*made);
}

int us_inet_ntop(int family, const uint8_t* from, size_t from_size, char* into, size_t size) {
    if (from == nullptr) {
        return negative(errc::invalid_argument);
    }
    char text[weft::endpoint_text_size];
    const result<std::string_view> made =
        usocket::bytes_to_text(family, readable(from, from_size), text);
    return made ? copied(*made, into, size) : negative(made.error());
}

// --- sockets

us_socket us_open(int family, int type, int proto) {
    const result<object*> opened = object::open(thread::here(), family, type, proto);
    return opened ? (*opened)->number() : negative(opened.error());
}

int us_close(us_socket s) {
    const handles::found it = handles::find(s);
    if (it.target != nullptr) {
        it.target->close();
        return 0;
    }
    return it.why == errc::bad_handle && handles::was_one(s) ? 0 : negative(it.why);
}

int us_bind(us_socket s, const us_address* at) {
    return on(s, [at](object& o) {
        const result<endpoint> to = from_c(at);
        return negative(to ? o.bind(*to) : to.error());
    });
}

int us_listen(us_socket s, int backlog) {
    return on(s, [backlog](object& o) { return negative(o.listen(backlog)); });
}

int us_listen_default(us_socket s) {
    return on(s, [](object& o) { return negative(o.listen()); });
}

us_socket us_accept(us_socket s, us_address* from) {
    return on(s, [from](object& o) -> us_socket {
        endpoint peer;
        const result<object*> accepted = o.accept(peer);
        if (!accepted) {
            return negative(accepted.error());
        }
        if (from != nullptr) {
            to_c(peer, *from);
        }
        return (*accepted)->number();
    });
}

int us_connect(us_socket s, const us_address* to) {
    return on(s, [to](object& o) {
        const result<endpoint> peer = from_c(to);
        return negative(peer ? o.connect(*peer) : peer.error());
    });
}

int us_shutdown(us_socket s, int how) {
    return on(s, [how](object& o) { return negative(o.shutdown(how)); });
}

int us_getsockname(us_socket s, us_address* into) {
    return on(s, [into](object& o) { return give(o.local(), into); });
}

int us_getpeername(us_socket s, us_address* into) {
    return on(s, [into](object& o) { return give(o.remote(), into); });
}

// Sockets that may not wait go straight to the stack's; all else is apart, so that these two need
// no stack frame.
int64_t us_send(us_socket s, const void* data, size_t size, int flags) {
    handle_place* const place = handles::place_of(s);
    if (place != nullptr && place->direct != nullptr && is_some_memory(data, size)) [[likely]] {
        return place->direct->ask_send(readable(data, size)); // whatever the flags
    }
    return send_by_object(s, data, size, flags);
}

int64_t us_recv(us_socket s, void* into, size_t size, int flags) {
    handle_place* const place = handles::place_of(s);
    if (place != nullptr && place->direct != nullptr && is_some_memory(into, size) && flags == 0)
        [[likely]] {
        return place->direct->ask_recv(writable(into, size));
    }
    return recv_by_object(s, into, size, flags);
}

int64_t us_sendto(us_socket s, const void* data, size_t size, int flags, const us_address* to) {
    return on(s, data, size, [=](object& o) -> int64_t {
        const result<endpoint> peer = from_c(to);
        return peer ? o.send_to(readable(data, size), &*peer, flags) : negative(peer.error());
    });
}

int64_t us_recvfrom(us_socket s, void* into, size_t size, int flags, us_address* from) {
    return on(s, into, size, [=](object& o) -> int64_t {
        endpoint peer;
        const weft::io_count n = o.recv_from(writable(into, size), flags, peer);
        if (n >= 0 && from != nullptr) {
            to_c(peer, *from);
        }
        return n;
    });
}

int us_sendall(us_socket s, const void* data, size_t size, size_t* done) {
    put(0, done);
    return on(s, data, size, [=](object& o) {
        std::size_t taken = 0;
        const errc error = o.send_all(readable(data, size), taken);
        put(taken, done);
        return negative(error);
    });
}

int64_t us_read(us_socket s, void* into, size_t size) {
    return on(s, into, size, [=](object& o) -> int64_t { return o.read(writable(into, size)); });
}

int64_t us_readline(us_socket s, void* into, size_t size) {
    return on(
        s, into, size, [=](object& o) -> int64_t { return o.read_line(writable(into, size)); });
}

int us_write(us_socket s, const void* data, size_t size, size_t* done) {
    put(0, done);
    return on(s, data, size, [=](object& o) {
        std::size_t taken = 0;
        const errc error = o.write(readable(data, size), taken);
        put(taken, done);
        return negative(error);
    });
}

int64_t us_hold(us_socket s, size_t size) {
    return on(s, [size](object& o) -> int64_t { return o.hold(size); });
}

int64_t us_hold_line(us_socket s) {
    return on(s, [](object& o) -> int64_t { return o.hold_line(); });
}

int64_t us_take(us_socket s, void* into, size_t size) {
    return on(s, into, size, [=](object& o) {
        return static_cast<int64_t>(o.take(writable(into, size)));
    });
}

int us_settimeout(us_socket s, int64_t milliseconds) {
    return on(s, [milliseconds](object& o) {
        const result<weft::duration> limit = limit_of(milliseconds);
        return negative(limit ? o.set_timeout(*limit) : limit.error());
    });
}

int us_gettimeout(us_socket s, int64_t* milliseconds) {
    return on(s, [milliseconds](object& o) {
        if (milliseconds == nullptr) {
            return negative(errc::invalid_argument);
        }
        *milliseconds = o.timeout() == object::forever ? -1 : o.timeout().count() / 1'000'000;
        return 0;
    });
}

int us_setsockopt(us_socket s, int level, int option, const void* value, size_t size) {
    return on(s, value, size, [=](object& o) {
        return negative(o.set_option(level, option, readable(value, size)));
    });
}

int us_setsockopt_int(us_socket s, int level, int option, int value) {
    return on(s, [=](object& o) { return negative(o.set_option(level, option, value)); });
}

int us_getsockopt_int(us_socket s, int level, int option, int* value) {
    return on(s, [=](object& o) {
        if (value == nullptr) {
            return negative(errc::invalid_argument);
        }
        const result<int> found = o.get_option(level, option);
        if (!found) {
            return negative(found.error());
        }
        *value = *found;
        return 0;
    });
}

// --- the stream protocol

size_t us_stream_read(us_socket s, void* into, size_t size, int* error) {
    const handles::found it = handles::find(s);
    if (it.target == nullptr || error == nullptr || !is_memory(into, size)) {
        return no_stream(it.target == nullptr ? it.why : errc::invalid_argument, error);
    }
    return it.target->stream_read(writable(into, size), error);
}

size_t us_stream_write(us_socket s, const void* data, size_t size, int* error) {
    const handles::found it = handles::find(s);
    if (it.target == nullptr || error == nullptr || !is_memory(data, size)) {
        return no_stream(it.target == nullptr ? it.why : errc::invalid_argument, error);
    }
    return it.target->stream_write(readable(data, size), error);
}

size_t us_stream_ioctl(us_socket s, unsigned request, uintptr_t argument, int* error) {
    const handles::found it = handles::find(s);
    if (it.target != nullptr && error != nullptr) {
        return it.target->stream_ioctl(request, argument, error);
    }
    if (it.why == errc::bad_handle && request == usocket::stream_poll) {
        return US_POLLNVAL;
    }
    if (it.why == errc::bad_handle && request == usocket::stream_close && handles::was_one(s)) {
        return 0;
    }
    return no_stream(it.target == nullptr ? it.why : errc::invalid_argument, error);
}

// --- readiness and the loop

unsigned us_poll(us_socket s, unsigned mask) {
    const handles::found it = handles::find(s);
    return it.target != nullptr ? it.target->poll(mask) : unsigned{US_POLLNVAL};
}

int us_set_ready(us_socket s, us_ready callback, void* context) {
    return on(s, [=](object& o) { return negative(o.set_ready(callback, context)); });
}

int us_step(int64_t milliseconds) {
    const result<weft::duration> limit = limit_of(milliseconds);
    if (!limit) {
        return negative(limit.error());
    }
    const result<weft::stack*> net = thread::here().net();
    if (!net) {
        return negative(net.error());
    }
    weft::loop& home = (*net)->loop();
    if (home.running()) {
        return negative(errc::would_deadlock);
    }
    const weft::time_point until =
        *limit == object::forever ? weft::never : weft::deadline_after(home.read_clock(), *limit);
    return negative(thread::here().sleep(home, until));
}

int us_wake_fd(void) {
    const result<weft::stack*> net = thread::here().net();
    return net ? (*net)->loop().sleeper().descriptor() : -1;
}

int64_t us_next_deadline(void) {
    const result<weft::stack*> net = thread::here().net();
    if (!net) {
        return -1;
    }
    weft::loop& home = (*net)->loop();
    const weft::time_point next = home.next_deadline();
    if (next == weft::never) {
        return -1;
    }
    const weft::time_point now = home.read_clock();
    constexpr std::int64_t millisecond = 1'000'000;
    return next <= now ? 0 : ((next - now).count() + millisecond - 1) / millisecond;
}

us_waker* us_get_waker(void) {
    const result<weft::stack*> net = thread::here().net();
    return net ? reinterpret_cast<us_waker*>(&(*net)->loop().sleeper()) : nullptr;
}

void us_wake(us_waker* w) {
    if (w != nullptr) {
        reinterpret_cast<weft::driver*>(w)->wake();
    }
}

int us_set_idle(us_idle hook, void* context, int64_t interval_ms) {
    if (interval_ms <= 0 && hook != nullptr) {
        return negative(errc::invalid_argument);
    }
    thread::here().set_idle_hook(hook, context, limit_of(interval_ms).value_or(object::forever));
    return 0;
}

int us_drained(void) {
    const weft::stack* const chosen = thread::here().existing_net();
    return chosen == nullptr || chosen->drained() ? 1 : 0;
}

int us_use(const char* stack) {
    return stack == nullptr ? negative(errc::invalid_argument)
                            : negative(thread::here().use_named(stack));
}

int us_get_interface(us_interface* into) {
    if (into == nullptr) {
        return negative(errc::invalid_argument);
    }
    const result<usocket::interface_facts> facts = thread::here().interface();
    if (!facts) {
        return negative(facts.error());
    }
    to_c({facts->address, 0}, into->address);
    to_c({facts->gateway, 0}, into->gateway);
    to_c({facts->name_server, 0}, into->name_server);
    into->prefix = facts->prefix;
    return 0;
}

// --- errors

const char* us_error_name(int64_t error) {
    return weft::name(usocket::from_c_number(error));
}

const char* us_error_message(int64_t error) {
    return weft::message(usocket::from_c_number(error));
}

const char* us_explanation(void) {
    return thread::here().explanation();
}
}
