// The waist where lwIP is the only stack: its calls are these functions and none is virtual, so
// that a program links what it calls and no more. On hosts this file is empty.

#include "stack/lwip/host.hpp"
#include "stack/lwip/tcp.hpp"
#include "stack/lwip/udp.hpp"

#if WEFT_ONE_STACK

namespace weft {

namespace {

lwip::tcp& mine(tcp_socket& s) noexcept {
    return static_cast<lwip::tcp&>(s);
}
const lwip::tcp& mine(const tcp_socket& s) noexcept {
    return static_cast<const lwip::tcp&>(s);
}
lwip::udp& mine(datagram_socket& s) noexcept {
    return static_cast<lwip::udp&>(s);
}
const lwip::udp& mine(const datagram_socket& s) noexcept {
    return static_cast<const lwip::udp&>(s);
}
lwip::host& mine(stack& s) noexcept {
    return static_cast<lwip::host&>(s);
}
const lwip::host& mine(const stack& s) noexcept {
    return static_cast<const lwip::host&>(s);
}

} // namespace

// --- a TCP socket

result<> tcp_socket::bind(const endpoint& at) noexcept {
    return mine(*this).bind(at);
}
result<> tcp_socket::listen(std::size_t backlog) noexcept {
    return mine(*this).listen(backlog);
}
errc tcp_socket::take_pending(tcp_socket*& taken) noexcept {
    return mine(*this).take_pending(taken);
}
result<tcp_socket*> tcp_socket::try_accept() noexcept {
    return mine(*this).try_accept();
}
result<> tcp_socket::start_connect(const endpoint& to) noexcept {
    return mine(*this).start_connect(to);
}
result<> tcp_socket::connect_result() noexcept {
    return mine(*this).connect_result();
}
io_count tcp_socket::receive_some(std::byte* into, std::size_t size) noexcept {
    return mine(*this).receive_some(into, size);
}
io_count tcp_socket::send_some(const std::byte* from, std::size_t size) noexcept {
    return mine(*this).send_some(from, size);
}
result<std::span<const std::byte>> tcp_socket::peek() noexcept {
    return mine(*this).peek();
}
void tcp_socket::consume(std::size_t n) noexcept {
    mine(*this).consume(n);
}
result<> tcp_socket::shutdown_send() noexcept {
    return mine(*this).shutdown_send();
}
void tcp_socket::abort() noexcept {
    mine(*this).abort();
}
std::size_t tcp_socket::send_space() noexcept {
    return mine(*this).send_space();
}
readiness tcp_socket::confirmed() noexcept {
    return mine(*this).confirmed();
}
errc tcp_socket::take_error() noexcept {
    return mine(*this).take_error();
}
result<> tcp_socket::set_option(socket_option option, int value) noexcept {
    return mine(*this).set_option(option, value);
}
result<int> tcp_socket::get_option(socket_option option) const noexcept {
    return mine(*this).get_option(option);
}
result<> tcp_socket::set_reuse_address(bool on) noexcept {
    return mine(*this).set_reuse_address(on);
}
result<endpoint> tcp_socket::local() const noexcept {
    return mine(*this).local();
}
result<endpoint> tcp_socket::remote() const noexcept {
    return mine(*this).remote();
}

// --- a UDP socket

result<> datagram_socket::bind(const endpoint& at) noexcept {
    return mine(*this).bind(at);
}
result<> datagram_socket::connect(const endpoint& to) noexcept {
    return mine(*this).connect(to);
}
std::uint64_t datagram_socket::dropped() const noexcept {
    return mine(*this).dropped();
}
result<> datagram_socket::set_queue_limit(std::size_t datagrams) noexcept {
    return mine(*this).set_queue_limit(datagrams);
}
result<> datagram_socket::join_group(const address& group, const address& own) noexcept {
    return mine(*this).join_group(group, own);
}
result<> datagram_socket::leave_group(const address& group, const address& own) noexcept {
    return mine(*this).leave_group(group, own);
}
result<datagram> datagram_socket::receive_one(std::span<std::byte> into) noexcept {
    return mine(*this).receive_one(into);
}
io_count datagram_socket::send_one(std::span<const std::byte> from, const endpoint* to) noexcept {
    return mine(*this).send_one(from, to);
}
readiness datagram_socket::confirmed() noexcept {
    return mine(*this).confirmed();
}
errc datagram_socket::take_error() noexcept {
    return mine(*this).take_error();
}
result<> datagram_socket::set_option(socket_option option, int value) noexcept {
    return mine(*this).set_option(option, value);
}
result<int> datagram_socket::get_option(socket_option option) const noexcept {
    return mine(*this).get_option(option);
}
result<endpoint> datagram_socket::local() const noexcept {
    return mine(*this).local();
}
result<endpoint> datagram_socket::remote() const noexcept {
    return mine(*this).remote();
}

// --- any socket

namespace {

/// `call` on the socket as what it is.
template <class Core, class F>
auto of_its_kind(Core& s, bool streams, F&& call) noexcept {
    if (streams) {
        return call(
            static_cast<std::conditional_t<std::is_const_v<Core>, const lwip::tcp, lwip::tcp>&>(s));
    }
    return call(
        static_cast<std::conditional_t<std::is_const_v<Core>, const lwip::udp, lwip::udp>&>(s));
}

} // namespace

readiness socket_core::confirmed() noexcept {
    return of_its_kind(*this, is_stream(), [](auto& s) { return s.confirmed(); });
}
errc socket_core::take_error() noexcept {
    return of_its_kind(*this, is_stream(), [](auto& s) { return s.take_error(); });
}
result<> socket_core::set_option(socket_option option, int value) noexcept {
    return of_its_kind(*this, is_stream(), [&](auto& s) { return s.set_option(option, value); });
}
result<int> socket_core::get_option(socket_option option) const noexcept {
    return of_its_kind(*this, is_stream(), [&](auto& s) { return s.get_option(option); });
}
result<endpoint> socket_core::local() const noexcept {
    return of_its_kind(*this, is_stream(), [](auto& s) { return s.local(); });
}
result<endpoint> socket_core::remote() const noexcept {
    return of_its_kind(*this, is_stream(), [](auto& s) { return s.remote(); });
}

// --- the stack

void stack::operator delete(stack* gone, std::destroying_delete_t) noexcept {
    lwip::host& going = mine(*gone);
    going.~host(); // its memory is there for another
}
std::string_view stack::name() const noexcept {
    return mine(*this).name();
}
result<tcp_socket*> stack::open_tcp(family f) noexcept {
    return mine(*this).open_tcp(f);
}
result<tcp_listener> stack::listen(const endpoint& at, std::size_t backlog) noexcept {
    return lwip::tcp::open_listening(mine(*this), at, backlog);
}
result<datagram_socket*> stack::open_udp(family f) noexcept {
    return mine(*this).open_udp(f);
}
void stack::start_query(name_query& query) noexcept {
    mine(*this).start_query(query);
}
void stack::forget_query(name_query& query) noexcept {
    mine(*this).forget_query(query);
}
bool stack::drained() const noexcept {
    return mine(*this).drained();
}

} // namespace weft

#endif
