#include "net/tls/socket.hpp"

#include "net/tls/errors.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace weft::tls {

namespace {

constexpr readiness both = readiness::readable | readiness::writable;

/// TLS 1.3: a session to be resumed, at any time after the handshake.
bool is_ticket([[maybe_unused]] int returned) noexcept {
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
    return returned == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
    return false;
#endif
}

bool is_wait(int returned) noexcept {
    switch (returned) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
    case MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS: // elliptic curves in steps
    case MBEDTLS_ERR_SSL_ASYNC_IN_PROGRESS:
        return true;
    default:
        return is_ticket(returned);
    }
}

} // namespace

// --- beginning

socket::socket(configuration& how, tcp_socket& below) noexcept
    : tcp_socket(below.home()), readiness_observer([](readiness_observer& self, readiness) {
          static_cast<socket&>(self).wake();
      }),
      timer([](timer& due) { static_cast<socket&>(due).abort(); }), how_(&how), below_(&below),
      step_(*this) {
    how.keep();
    mbedtls_ssl_init(&ssl_);
    below.observe(*this);
    const result<int> no_delay = below.get_option(socket_option::no_delay);
    gathers_ = no_delay && *no_delay == 0 && below.set_no_delay(true).has_value();
}

socket::~socket() {
    leave();
    mbedtls_ssl_free(&ssl_);
    how_->drop();
}

result<tcp_socket*> socket::open(
    configuration& how, tcp_stream below, std::string_view name,
    const saved_session* earlier) noexcept {
    if (!below.is_open()) {
        return fail(errc::bad_handle);
    }
    const expected whom(name);
    if (!whom.is_possible() || (earlier != nullptr && !earlier->is_of(how, whom.text()))) {
        return fail(errc::invalid_argument);
    }
    auto* const made = new (std::nothrow) socket(how, *below.socket());
    if (made == nullptr) {
        return fail(errc::no_memory);
    }
    (void)below.detach();
    tcp_stream owner(made);
    int failed = mbedtls_ssl_setup(&made->ssl_, how.get());
#if defined(MBEDTLS_SSL_CLI_C)
    if (failed == 0 && how.which() == configuration::end::client) {
        failed = made->expect(whom);
    }
    if (failed == 0 && earlier != nullptr) {
        failed = mbedtls_ssl_set_session(&made->ssl_, &earlier->get());
        made->found_before_ = earlier->found();
    }
#endif
    if (failed != 0) {
        return fail(meaning_for_options(failed));
    }
    mbedtls_ssl_set_bio(&made->ssl_, made, &give_out, &take_in, nullptr);
    made->wake();
    return owner.detach();
}

// --- steps

void socket::wake() noexcept {
    if (state_ == state::handshake) {
        how_->handshakes().queue(step_, home());
    } else {
        home().make_ready(step_);
    }
}

void socket::run_step(waiter& node) noexcept {
    socket& self = *static_cast<step&>(node).owner;
    if (self.below_ == nullptr) {
        return;
    }
    if (self.closed()) {
        self.say_goodbye();
        return;
    }
    self.advance();
    if (const readiness gained = std::exchange(self.gained_, readiness::none); any(gained)) {
        self.raise(gained);
    }
}

/// All that can be done now.
void socket::advance() noexcept {
    if (state_ == state::handshake) {
        shake_hands();
    }
    if (state_ == state::open) {
        send_rest();
        fetch();
    }
}

/// The same inside a call of the waist: a bit may not be raised in there, because the waiter that
/// calls would be made runnable while it runs. Others learn of it in the next step.
void socket::advance_in_call() noexcept {
    if (below_ == nullptr || closed()) {
        return;
    }
    advance();
    if (any(gained_)) {
        presume(gained_);
        home().make_ready(step_);
    }
}

bool socket::handshake_over() const noexcept {
#if MBEDTLS_VERSION_MAJOR < 3
    return ssl_.state == MBEDTLS_SSL_HANDSHAKE_OVER;
#else
    return mbedtls_ssl_is_handshake_over(const_cast<mbedtls_ssl_context*>(&ssl_)) != 0;
#endif
}

#if WEFT_TLS_1_3
bool socket::is_1_3() const noexcept {
    return mbedtls_ssl_get_version_number(&ssl_) == MBEDTLS_SSL_VERSION_TLS1_3;
}
#endif

bool socket::at_certificates() const noexcept {
#if MBEDTLS_VERSION_MAJOR < 3
    return ssl_.state == MBEDTLS_SSL_SERVER_CERTIFICATE;
#else
    return ssl_.MBEDTLS_PRIVATE(state) == MBEDTLS_SSL_SERVER_CERTIFICATE;
#endif
}

std::uint32_t socket::found() const noexcept {
    const std::uint32_t told = mbedtls_ssl_get_verify_result(&ssl_);
    return resumed() ? told | found_before_ : told;
}

result<saved_session*> socket::save_session() const noexcept {
#if !defined(MBEDTLS_SSL_CLI_C)
    return fail(errc::not_supported);
#else
    if (!how_->resumes() || state_ != state::open) {
        return fail(errc::not_supported);
    }
#if MBEDTLS_VERSION_MAJOR < 3
    const char* const name = ssl_.hostname;
#else
    const char* const name = ssl_.MBEDTLS_PRIVATE(hostname); // "" if there was none
#endif
    const expected whom =
        by_address_ ? expected(address_) : expected(name != nullptr ? name : std::string_view());
    std::unique_ptr<saved_session> made(new (std::nothrow)
                                            saved_session(*how_, whom.text(), found()));
    if (!made) {
        return fail(errc::no_memory);
    }
#if WEFT_TLS_1_3
    if (is_1_3() && !has_ticket_) {
        return fail(errc::would_block);
    }
    // each may be had once only, in case that another comes; whoever asks twice wants the same
    ssl_.MBEDTLS_PRIVATE(session)->MBEDTLS_PRIVATE(exported) = 0;
#endif
    if (const int failed = mbedtls_ssl_get_session(&ssl_, &made->get()); failed != 0) {
        return fail(meaning(failed, 0) == errc::no_memory ? errc::no_memory : errc::not_supported);
    }
    return made.release();
#endif
}

/// One message of it.
void socket::shake_hands() noexcept {
    blocked_ = false;
    spoke_ = false;
    whole_ = whole_ || at_certificates();
    const memory_watch watch;
    const int returned = mbedtls_ssl_handshake_step(&ssl_);
    if (returned != 0 && !is_wait(returned)) {
        const errc reason = watch.or_memory(why(returned));
        if (!spoke_ && returned != MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
            // mbedTLS ends some without a word (2.28: no certificate where one is required)
            (void)mbedtls_ssl_send_alert_message(
                &ssl_, MBEDTLS_SSL_ALERT_LEVEL_FATAL, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
        }
        state_ = state::failed;
        fail_both(reason);
    } else if (handshake_over()) {
        state_ = state::open;
        gained_ |= readiness::writable;
        if (gathers_) {
            (void)below_->set_no_delay(false);
        }
    } else if (!blocked_) {
        wake(); // behind others
    }
}

/// What was taken and not given out yet; then the goodbye.
void socket::send_rest() noexcept {
    if (!give_spilled() && below_error_ != errc::ok) {
        end_output(below_error_);
        return;
    }
    if (unsent_ > 0 && left_ > 0) {
        const unsigned char unread = 0; // as long as a record is under way it asks for the size
        const int returned = mbedtls_ssl_write(&ssl_, &unread, unsent_);
        if (is_wait(returned)) {
            return;
        }
        if (returned < 0) {
            end_output(why(returned));
            return;
        }
    }
    unsent_ = 0;
    if (farewell_ == farewell::due) {
        farewell_ = farewell::said;
        if (const int returned = mbedtls_ssl_close_notify(&ssl_); returned != 0) {
            end_output(why(returned));
            return;
        }
    }
    if (farewell_ == farewell::said && spilled_ == 0 && !closed()) {
        farewell_ = farewell::finished;
        (void)below_->shutdown_send();
    }
    if (output_end_ == errc::ok && all_given() && any(below_->ready() & readiness::writable) &&
        !is_ready(readiness::writable)) {
        gained_ |= readiness::writable;
    }
}

/// Takes in the next record, unless bytes of the last are still there.
void socket::fetch() noexcept {
    if (input_end_ == errc::ok && mbedtls_ssl_get_bytes_avail(&ssl_) == 0) {
        std::byte nothing{};
        if (would_block(read_records(&nothing, 0))) {
            lower(readiness::readable);
            return;
        }
    }
    if (!is_ready(readiness::readable)) {
        gained_ |= readiness::readable;
    }
}

// --- bytes

/// A count; with `size` 0 it is 0 if there are bytes to be had.
io_count socket::read_records(std::byte* into, std::size_t size) noexcept {
    for (int records = 0; records < records_at_a_time; ++records) {
        blocked_ = false;
        const int n = mbedtls_ssl_read(&ssl_, reinterpret_cast<unsigned char*>(into), size);
        if (n > 0 || (n == 0 && mbedtls_ssl_get_bytes_avail(&ssl_) > 0)) {
            return n;
        }
        has_ticket_ = has_ticket_ || is_ticket(n);
        if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            end_input(errc::end_of_stream);
        } else if (n == 0 && below_ended_) {
            end_input(errc::tls_truncated);
        } else if (n == below_failed) {
            end_input(below_error_);
        } else if (n != 0 && !is_wait(n)) {
            fail_both(why(n));
        }
        if (input_end_ != errc::ok) {
            return io_error(input_end_);
        }
        if (blocked_) {
            return io_error(errc::would_block);
        }
    }
    home().make_ready(step_); // others' turn: there may be more
    return io_error(errc::would_block);
}

io_count socket::receive_some(std::byte* into, std::size_t size) noexcept {
    if (closed()) {
        return io_error(errc::bad_handle);
    }
    if (state_ == state::handshake) {
        lower(readiness::readable);
        return io_error(errc::would_block);
    }
    if (size == 0) {
        return 0;
    }
    if (input_end_ == errc::ok) {
        const io_count n = read_records(into, size);
        if (n >= 0) {
            return n;
        }
        if (would_block(n)) {
            lower(readiness::readable);
            return n;
        }
    }
    return tell_end();
}

/// What the TCP underneath failed with is told once, as TCP does; what TLS says, each time.
io_count socket::tell_end() noexcept {
    const errc told = input_end_;
    untold_ = errc::ok;
    if (told == below_error_) {
        input_end_ = errc::end_of_stream;
    }
    return told == errc::end_of_stream ? 0 : io_error(told);
}

io_count socket::send_some(const std::byte* from, std::size_t size) noexcept {
    if (closed()) {
        return io_error(errc::bad_handle);
    }
    if (output_end_ != errc::ok) {
        untold_ = errc::ok;
        return io_error(output_end_);
    }
    if (state_ == state::open) {
        send_rest();
    }
    if (output_end_ != errc::ok) {
        return io_error(output_end_);
    }
    if (state_ != state::open || !all_given()) {
        lower(readiness::writable);
        return io_error(errc::would_block);
    }
    if (size == 0) {
        return 0;
    }
    sending_ = true;
    int n = 0;
    do { // a ticket that was to be looked at first, if reading stopped before it
        n = mbedtls_ssl_write(&ssl_, reinterpret_cast<const unsigned char*>(from), size);
        has_ticket_ = has_ticket_ || is_ticket(n);
    } while (is_ticket(n));
    sending_ = false;
    if (n > 0) {
        return n;
    }
    if (!is_wait(n)) {
        end_output(why(n));
        return io_error(output_end_);
    }
    // the record is made: these bytes are taken, and the rest of it follows when there is room
    const int most = mbedtls_ssl_get_max_out_record_payload(&ssl_);
    unsent_ = std::min(size, static_cast<std::size_t>(std::max(most, 1)));
    lower(readiness::writable);
    return static_cast<io_count>(unsent_);
}

std::size_t socket::send_space() noexcept {
    if (below_ == nullptr || state_ != state::open || !all_given()) {
        return 0;
    }
    const int more = mbedtls_ssl_get_record_expansion(&ssl_);
    const int most = mbedtls_ssl_get_max_out_record_payload(&ssl_);
    const std::size_t space = below_->send_space();
    if (more < 0 || most < 0 || space <= static_cast<std::size_t>(more)) {
        return 0;
    }
    return std::min(space - static_cast<std::size_t>(more), static_cast<std::size_t>(most));
}

result<std::span<const std::byte>> socket::peek() noexcept {
    return fail(closed() ? errc::bad_handle : errc::not_supported);
}

// --- readiness

readiness socket::confirmed() noexcept {
    if (below_ != nullptr && !closed()) {
        (void)below_->confirmed(); // what no turn of the loop has told yet
    }
    advance_in_call();
    if (closed() || below_ == nullptr) {
        return ready();
    }
    readiness found = ready() & (readiness::error | readiness::hangup);
    const bool open = state_ == state::open;
    if (input_end_ != errc::ok || (open && mbedtls_ssl_get_bytes_avail(&ssl_) > 0)) {
        found |= readiness::readable;
    }
    if (output_end_ != errc::ok ||
        (open && all_given() && any(below_->confirmed() & readiness::writable))) {
        found |= readiness::writable;
    }
    lower(both & ~found);
    presume(found);
    return found;
}

errc socket::take_error() noexcept {
    if (below_ == nullptr) {
        return errc::bad_handle;
    }
    const errc own = std::exchange(untold_, errc::ok);
    return own != errc::ok ? own : below_->take_error();
}

errc socket::why(int returned) const noexcept {
#if WEFT_TLS_1_3
    // a client by mbedTLS refuses certificates in clear, when its server expects ciphertext already
    if (returned == MBEDTLS_ERR_SSL_INVALID_MAC && state_ == state::handshake && is_1_3() &&
        ssl_.MBEDTLS_PRIVATE(in_hdr)[0] == MBEDTLS_SSL_MSG_ALERT) {
        return errc::tls_alert;
    }
#elif MBEDTLS_VERSION_MAJOR < 3
    // it has no number for this, but has said it to the peer
    if (returned == MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO &&
        ssl_.out_msgtype == MBEDTLS_SSL_MSG_ALERT &&
        ssl_.out_msg[1] == MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL) {
        return errc::tls_no_agreement;
    }
#endif
    return returned == below_failed ? below_error_
                                    : meaning(returned, mbedtls_ssl_get_verify_result(&ssl_));
}

void socket::end_input(errc reason) noexcept {
    input_end_ = reason;
    gained_ |= readiness::readable;
}

void socket::end_output(errc reason) noexcept {
    unsent_ = 0;
    spilled_ = 0;
    output_end_ = reason;
    gained_ |= readiness::writable;
}

void socket::fail_both(errc reason) noexcept {
    end_input(reason);
    end_output(reason);
    untold_ = reason;
    gained_ |= readiness::error | readiness::hangup;
}

// --- ending

result<> socket::shutdown_send() noexcept {
    if (closed()) {
        return fail(errc::bad_handle);
    }
    if (state_ != state::open) {
        return fail(errc::not_connected);
    }
    if (farewell_ == farewell::none) {
        farewell_ = farewell::due;
        if (output_end_ == errc::ok) {
            output_end_ = errc::broken_pipe;
        }
        gained_ |= readiness::writable; // whoever waits to send learns of it
    }
    advance_in_call();
    return {};
}

void socket::do_close() noexcept {
    const bool can_send = output_end_ == errc::ok || output_end_ == errc::broken_pipe;
    if (state_ == state::open && can_send && below_ != nullptr) {
        if (farewell_ == farewell::none) {
            farewell_ = farewell::due;
        }
        say_goodbye();
    } else {
        leave();
    }
}

/// As far as the socket below takes it; as long as it takes some of it now and then.
void socket::say_goodbye() noexcept {
    const std::size_t before = left_ + spilled_;
    send_rest();
    if (all_given()) {
        leave();
    } else if (left_ + spilled_ < before || !timer::pending()) {
        home().timers().cancel(*this);
        home().timers().schedule( // then abort()
            *this, deadline_after(home().now(), tls_stream::goodbye_limit));
    }
}

void socket::abort() noexcept {
    if (below_ != nullptr) {
        below_->abort();
        end_output(errc::broken_pipe);
        farewell_ = farewell::said;
        leave();
    }
    close();
}

/// Nothing is left to be said: the socket below goes its own way.
void socket::leave() noexcept {
    readiness_observer::unlink();
    step_.unlink();
    home().timers().cancel(*this);
    if (below_ != nullptr) {
        std::exchange(below_, nullptr)->release();
    }
}

/// A closed one stays until its goodbye is said.
bool socket::reclaim() noexcept {
    if (home().ending()) {
        abort();
    }
    return below_ == nullptr && socket_core::reclaim();
}

} // namespace weft::tls
