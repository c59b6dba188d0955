// A socket of the façade: opening, states, connecting, readiness, closing.

#include "usocket/core/object.hpp"

#include "usocket/constants.hpp"

#include <new>
#include <utility>

namespace usocket {

using weft::fail;
using weft::readiness;

namespace {
constexpr readiness readable = readiness::readable;
constexpr readiness writable = readiness::writable;
} // namespace

object::object(thread& owner, weft::loop& home, kind k, weft::family f) noexcept
    : readiness_observer([](readiness_observer& self, readiness gained) {
          auto& here = static_cast<object&>(self);
          here.told_ |= static_cast<unsigned>(gained);
          here.tell_observers(object_observer::news::changed);
      }),
      kind_(k), family_(f), loop_(&home) {
    owner.add(*this);
}

object::~object() {
    drop_core();
}

result<object*> object::make(thread& owner, weft::loop& home, kind k, weft::family f) noexcept {
    auto* const made = new (std::nothrow) object(owner, home, k, f);
    if (made == nullptr) {
        return fail(errc::no_memory);
    }
    made->place_ = handles::take(*made);
    if (made->place_ == nullptr) {
        delete made;
        return fail(errc::too_many_open);
    }
    return made;
}

result<object*> object::open(thread& owner, int af, int type, int proto) noexcept {
    if (af != AF_INET && af != AF_INET6) {
        return fail(errc::family_not_supported);
    }
    const bool stream = type == SOCK_STREAM;
    if (!stream && type != SOCK_DGRAM) {
        return fail(errc::invalid_argument);
    }
    // the default protocol is TCP, whatever the type: it follows
    const bool becomes_tls = stream && proto == IPPROTO_SEC && secure::is_there();
    if (proto != 0 && proto != IPPROTO_TCP && (stream || proto != IPPROTO_UDP) && !becomes_tls) {
        return fail(errc::protocol_not_supported);
    }
    const result<weft::stack*> net = owner.net();
    if (!net) {
        return fail(net.error());
    }
    const weft::family f = af == AF_INET ? weft::family::ipv4 : weft::family::ipv6;
    const result<object*> made =
        make(owner, (*net)->loop(), stream ? kind::stream : kind::datagram, f);
    if (!made) {
        return fail(made.error());
    }
    (*made)->net_ = *net;
    (*made)->becomes_tls_ = becomes_tls;
    if (const errc error = (*made)->reopen(); error != errc::ok) {
        (*made)->close();
        return fail(error);
    }
    return *made;
}

void object::adopt(weft::socket_core& core) noexcept {
    core_ = &core;
    core.observe(*this);
}

void object::drop_core() noexcept {
    if (core_ != nullptr) {
        if (place_ != nullptr) {
            place_->direct = nullptr;
        }
        quick_ = false;
        secured_ = false;
        readiness_observer::unlink();
        std::exchange(core_, nullptr)->release();
    }
}

/// A socket of the stack for an object that has none, with the options that it was given.
errc object::reopen() noexcept {
    if (kind_ == kind::datagram) {
        const result<weft::datagram_socket*> opened = net_->open_udp(family_);
        if (!opened) {
            return opened.error();
        }
        adopt(**opened);
        return errc::ok;
    }
    const result<weft::tcp_socket*> opened = net_->open_tcp(family_);
    if (!opened) {
        return opened.error();
    }
    adopt(**opened);
    state_ = state::fresh;
    pending_ = errc::ok;
    if (no_delay_) {
        (void)tcp().set_no_delay(true);
    }
    if (reuse_address_) {
        (void)tcp().set_reuse_address(true);
    }
    if (keep_alive_) {
        (void)tcp().set_keep_alive(true);
    }
    return errc::ok;
}

void object::close() noexcept {
    if (place_ == nullptr) {
        return;
    }
    handles::give_back(*std::exchange(place_, nullptr));
    if (resets_on_close_ && kind_ == kind::stream && core_ != nullptr) {
        tcp().abort();
    }
    drop_core();
    of_thread::unlink();
    ready_call_.reset();
    tell_observers(object_observer::news::gone);
    loop_->reclaim();
    if (calls_ == 0) {
        delete this;
    }
}

void object::tell_observers(object_observer::news what) noexcept {
    observers_.for_each([what](object_observer& each) { each.tell_(each, what); });
}

errc object::set_ready(
    ready_call::function call, void* context, void (*release)(void*) noexcept) noexcept {
    ready_call_.reset();
    if (call == nullptr) {
        return errc::ok;
    }
    ready_call_.reset(new (std::nothrow) ready_call(*loop_, number(), call, context, release));
    if (!ready_call_) {
        if (release != nullptr) {
            release(context);
        }
        return errc::no_memory;
    }
    observe(*ready_call_);
    ready_call_->soon();
    return errc::ok;
}

// --- waiting

errc object::may_wait(const patience& p, const char* call, const char* instead) const noexcept {
    if (p.limit_ == weft::duration::zero() || !loop_->running()) {
        return errc::ok;
    }
    thread::here().explain(
        {call, "() would wait for the loop that it was called from; co_await weft::", instead,
         " there instead"});
    return errc::would_deadlock;
}

void object::turn() noexcept {
    const in_call alive(*this);
    (void)loop_->poll();
}

/// errc::ok: try again. Whoever calls keeps the object alive.
errc object::wait(patience& p) noexcept {
    if (p.limit_ == weft::duration::zero()) {
        if (p.begun_ || !(loop_->has_services() || secured_) || loop_->running()) {
            return errc::would_block;
        }
        p.begun_ = true; // what has arrived comes in with a turn, and TLS goes on in it
        (void)loop_->poll();
        return place_ != nullptr ? errc::ok : errc::bad_handle;
    }
    if (!p.begun_) {
        p.begun_ = true;
        if (p.limit_ != forever) {
            p.deadline_ = weft::deadline_after(loop_->read_clock(), p.limit_);
        }
    } else if (p.deadline_ != weft::never && loop_->read_clock() >= p.deadline_) {
        return errc::timed_out;
    }
    const errc slept = thread::here().sleep(*loop_, p.deadline_);
    return place_ != nullptr ? slept : errc::bad_handle;
}

// --- being named, listening, accepting

errc object::bind(const endpoint& at) noexcept {
    if (core_ == nullptr) {
        if (const errc error = reopen(); error != errc::ok) {
            return error;
        }
    }
    if (state_ != state::fresh) {
        return errc::invalid_argument;
    }
    const result<> bound = kind_ == kind::stream ? tcp().bind(at) : udp().bind(at);
    return bound ? errc::ok : bound.error();
}

errc object::listen() noexcept {
    return listen(static_cast<int>(weft::stack::default_backlog));
}

errc object::listen(int backlog) noexcept {
    if (kind_ == kind::datagram) {
        return errc::not_supported;
    }
    if (core_ == nullptr) {
        if (const errc error = reopen(); error != errc::ok) {
            return error;
        }
    }
    if (state_ == state::connecting) {
        advance_connect();
    }
    if (state_ != state::fresh && state_ != state::listening) {
        return errc::invalid_argument; // it has a peer
    }
    const result<> listening = tcp().listen(backlog < 0 ? 0 : static_cast<std::size_t>(backlog));
    if (!listening) {
        return listening.error();
    }
    state_ = state::listening;
    return errc::ok;
}

result<object*> object::accept(endpoint& from) noexcept {
    if (kind_ == kind::datagram) {
        return fail(errc::not_supported);
    }
    if (state_ != state::listening) {
        return fail(errc::invalid_argument);
    }
    const in_call alive(*this);
    if (const errc error = secure_by_default(secure::end::server); error != errc::ok) {
        return fail(error);
    }
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "accept", "tcp_listener::accept"); error != errc::ok) {
        return fail(error);
    }
    const result<object*> room = make(thread::here(), *loop_, kind::stream, family_);
    if (!room) {
        return fail(room.error());
    }
    while (true) {
        if (p.limit_ == weft::duration::zero()) {
            core_->presume(readable);
        }
        const result<weft::tcp_socket*> next = tcp().try_accept();
        if (next) {
            object& child = **room;
            child.net_ = net_;
            child.adopt(**next);
            child.state_ = state::connected;
            child.choose_way();
            from = child.remote().value_or(endpoint{weft::address::any(family_), 0});
            if (const errc error = child.wrap_as(secure_.get()); error != errc::ok) {
                child.close();
                return fail(error);
            }
            return &child;
        }
        errc why = next.error();
        if (why == errc::would_block) {
            why = wait(p);
        }
        if (why != errc::ok) {
            (*room)->close();
            return fail(why);
        }
    }
}

// --- connecting

/// A connection attempt that nobody waits for may have ended.
void object::advance_connect() noexcept {
    if (!secured_) {
        core_->presume(writable);
    }
    const result<> outcome = tcp().connect_result();
    if (outcome && secure_ && !secured_) {
        pending_ = begin_tls();
        state_ = pending_ == errc::ok ? state::connecting : state::refused;
    } else if (outcome) {
        state_ = state::connected;
    } else if (outcome.error() != errc::would_block) {
        pending_ = fail_connect(outcome.error(), state::refused);
    }
}

errc object::fail_connect(errc why, state then) noexcept {
    if (!secured_ || then == state::failed) {
        tcp().abort(); // an attempt that goes on would hold a pcb
    } // else TLS has ended by itself, and what it said to the peer is on its way
    drop_core();
    loop_->reclaim();
    state_ = then;
    return why;
}

errc object::connect(const endpoint& to) noexcept {
    if (kind_ == kind::stream) {
        return connect_stream(to);
    }
    const result<> done = udp().connect(to);
    if (!done) {
        return done.error();
    }
    return errc::ok;
}

errc object::connect_stream(const endpoint& to) noexcept {
    const in_call alive(*this);
    if (state_ == state::connecting) {
        advance_connect();
        if (state_ == state::connecting) {
            return errc::already;
        }
    }
    switch (state_) {
    case state::refused:
        if (pending_ != errc::ok) {
            return take_error();
        }
        [[fallthrough]];
    case state::failed:
        if (const errc error = reopen(); error != errc::ok) {
            return error;
        }
        break;
    case state::fresh:
        break;
    default:
        return errc::already_connected;
    }
    if (const errc error = secure_by_default(secure::end::client); error != errc::ok) {
        return error;
    }
    patience p = patience_for(0);
    if (const errc error = may_wait(p, "connect", "stack::connect"); error != errc::ok) {
        return error;
    }
    const result<> started = tcp().start_connect(to);
    if (started && !secure_) {
        state_ = state::connected;
        return errc::ok;
    }
    if (!started && started.error() == errc::invalid_argument) {
        return errc::invalid_argument; // not an attempt
    }
    if (!started && started.error() != errc::in_progress) {
        return fail_connect(started.error(), state::failed);
    }
    state_ = state::connecting;
    if (p.limit_ == weft::duration::zero()) {
        push_out();
        return place_ != nullptr ? errc::in_progress : errc::bad_handle;
    }
    while (true) {
        const errc slept = wait(p);
        if (place_ == nullptr) {
            return errc::bad_handle;
        }
        if (state_ == state::connecting) { // else a callback has looked meanwhile
            advance_connect();
        }
        if (state_ == state::connected) {
            return errc::ok;
        }
        if (state_ == state::refused) {
            state_ = state::failed;
            return std::exchange(pending_, errc::ok);
        }
        if (slept != errc::ok) {
            return fail_connect(slept, state::failed);
        }
    }
}

// --- ending

errc object::shutdown(int how) noexcept {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
        return errc::invalid_argument;
    }
    if (kind_ == kind::datagram) {
        return errc::not_supported;
    }
    if (state_ == state::connecting) {
        advance_connect();
    }
    if (state_ != state::connected && state_ != state::half_deaf) {
        return errc::not_connected;
    }
    const in_call alive(*this);
    if (how != SHUT_RD) {
        const result<> finished = tcp().shutdown_send();
        if (!finished) {
            return finished.error();
        }
        push_out();
        if (place_ == nullptr) {
            return errc::bad_handle; // a callback closed it
        }
    }
    if (how != SHUT_WR) {
        state_ = state::half_deaf;
        held_.drop(held_.size());
        choose_way();
    }
    return errc::ok;
}

result<endpoint> object::local() noexcept {
    if (core_ == nullptr) {
        return endpoint{weft::address::any(family_), 0};
    }
    return core_->local();
}

result<endpoint> object::remote() noexcept {
    if (kind_ == kind::stream && state_ == state::connecting) {
        advance_connect();
    }
    if (core_ == nullptr) {
        return fail(errc::not_connected);
    }
    return core_->remote();
}

// --- readiness

errc object::take_error() noexcept {
    if (state_ == state::connecting) {
        advance_connect();
    }
    if (pending_ != errc::ok || core_ == nullptr) {
        return std::exchange(pending_, errc::ok);
    }
    return state_ == state::connecting ? errc::ok : core_->take_error();
}

unsigned object::poll_stream() noexcept {
    using uselect::POLLERR;
    using uselect::POLLHUP;
    using uselect::POLLIN;
    using uselect::POLLOUT;
    if (state_ == state::connecting) {
        advance_connect();
    }
    switch (state_) {
    case state::fresh:
    case state::failed:
        return POLLOUT | POLLHUP;
    case state::connecting:
        return 0;
    case state::refused:
        return POLLIN | POLLOUT | POLLHUP | (pending_ != errc::ok ? POLLERR : 0);
    case state::half_deaf:
        return static_cast<unsigned>(core_->confirmed()) | POLLIN;
    default:
        return static_cast<unsigned>(core_->confirmed()) | (held_.empty() ? 0 : POLLIN) |
               (pending_ != errc::ok ? POLLERR : 0);
    }
}

unsigned object::poll_after_turn(unsigned mask) noexcept {
    if (core_ == nullptr) {
        return poll(mask);
    }
    const unsigned told = std::exchange(told_, 0) & static_cast<unsigned>(core_->ready());
    const bool known = kind_ == kind::datagram ? !held_datagram_ : state_ == state::connected;
    const bool plain = known && held_.empty() && pending_ == errc::ok && (told & told_unasked) == 0;
    const bool covers = (mask & ~told & (uselect::POLLIN | uselect::POLLOUT)) == 0;
    return plain && covers ? told & mask : poll(mask);
}

unsigned object::poll(unsigned mask) noexcept {
    mask |= uselect::POLLERR | uselect::POLLHUP;
    if (kind_ == kind::stream) {
        return poll_stream() & mask;
    }
    const unsigned held = held_datagram_ ? uselect::POLLIN : 0;
    return (static_cast<unsigned>(core_->confirmed()) | held) & mask & ~uselect::POLLHUP;
}

} // namespace usocket
