#include <weft/stack.hpp>

namespace weft {

void socket_core::raise_apart(readiness gained) noexcept {
    raise(gained);
}

#if WEFT_ONE_STACK
void socket_core::raise(readiness gained) noexcept {
    ready_ |= gained;
    wake(reader_);
    if (gained != readiness::readable) {
        wake(writer_);
    }
    if (observers_ != nullptr) {
        tell_observers(gained);
    }
}

void socket_core::wake(wait_side& side) noexcept {
    if (side.operation != nullptr && !side.linked()) {
        loop_->make_unlinked_ready(side);
    }
}
#endif

void socket_core::tell_observers(readiness gained) noexcept {
    for (readiness_observer* each = observers_; each != nullptr;) {
        readiness_observer& told = *each;
        each = told.next_; // it may unlink itself
        told.changed_(told, gained);
    }
}

connecting::connecting(result<tcp_socket*> fresh, const endpoint& to) noexcept
    : io_wait(fresh ? *fresh : nullptr), stream_(fresh ? *fresh : nullptr), to_(to),
      opening_(fresh ? errc::ok : fresh.error()) {}

io_count connecting::attempt() noexcept {
    tcp_socket& socket = *stream_.socket();
    result<> outcome;
    if (!started_) {
        started_ = true;
        outcome = socket.start_connect(to_);
    } else {
        outcome = socket.connect_result();
    }
    if (outcome) {
        return 0;
    }
    return outcome.error() == errc::in_progress ? io_error(errc::would_block)
                                                : io_error(outcome.error());
}

result<tcp_stream> connecting::await_resume() noexcept {
    if (opening_ != errc::ok) {
        return fail(opening_);
    }
    if (const errc error = finish_error(); error != errc::ok) {
        stream_ = tcp_stream();
        return fail(error);
    }
    return std::move(stream_);
}

#if !WEFT_ONE_STACK
result<tcp_listener> stack::listen(const endpoint& at, std::size_t backlog) noexcept {
    const result<tcp_socket*> fresh = open_tcp(at.address.family());
    if (!fresh) {
        return fail(fresh.error());
    }
    tcp_listener listener(*fresh);
    if (const errc error = (*fresh)->listen_at(at, backlog); error != errc::ok) {
        return fail(error);
    }
    return listener;
}
#endif

result<udp_socket> stack::bind_udp(const endpoint& at) noexcept {
    const result<datagram_socket*> fresh = open_udp(at.address.family());
    if (!fresh) {
        return fail(fresh.error());
    }
    udp_socket socket(*fresh);
    if (const result<> bound = (*fresh)->bind(at); !bound) {
        return fail(bound.error());
    }
    return socket;
}

} // namespace weft
