// tls::socket: a TCP socket over another one, by mbedTLS. It implements the waist, so that streams,
// façades and pollers take it as they take a stack's.
//
// mbedTLS is never called from inside a stack: what the socket below tells only queues `step_`, and
// the loop runs that: one message of the handshake, or what could not be sent, or the next record.
#pragma once

#include "net/tls/configuration.hpp"
#include "net/tls/expected.hpp"
#include "net/tls/memory.hpp"
#include "net/tls/saved_session.hpp"

#include <weft/socket.hpp>
#include <weft/timer.hpp>
#include <weft/tls.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::tls {

class socket final : public tcp_socket,
                     public allocated,
                     private readiness_observer,
                     private timer {
  public:
    /// Takes `below`, which is connected. errc::no_memory, errc::invalid_argument (the name).
    static result<tcp_socket*> open(
        configuration& how, tcp_stream below, std::string_view name,
        const saved_session* earlier) noexcept;

    result<> bind(const endpoint& at) noexcept override;
    result<> listen(std::size_t backlog) noexcept override;
    result<tcp_socket*> try_accept() noexcept override;
    result<> start_connect(const endpoint& to) noexcept override;
    /// Of the handshake: errc::would_block while it is under way.
    result<> connect_result() noexcept override;
    result<std::span<const std::byte>> peek() noexcept override;
    void consume(std::size_t) noexcept override {}
    result<> shutdown_send() noexcept override;
    void abort() noexcept override;

    result<> set_option(socket_option option, int value) noexcept override;
    result<int> get_option(socket_option option) const noexcept override;
    [[nodiscard]] std::size_t send_space() noexcept override;

    readiness confirmed() noexcept override;
    errc take_error() noexcept override;
    result<endpoint> local() const noexcept override;
    result<endpoint> remote() const noexcept override;

    [[nodiscard]] const mbedtls_ssl_context& session() const noexcept { return ssl_; }
    [[nodiscard]] bool resumed() const noexcept { return state_ == state::open && !whole_; }
    result<saved_session*> save_session() const noexcept;
    /// What is wrong with the peer's certificate, or was when it was looked at: MBEDTLS_X509_*.
    [[nodiscard]] std::uint32_t found() const noexcept;

    bool reclaim() noexcept override;

  protected:
    io_count receive_some(std::byte* into, std::size_t size) noexcept override;
    io_count send_some(const std::byte* from, std::size_t size) noexcept override;
    void dispose() noexcept override { delete this; }
    void do_close() noexcept override;

  private:
    ///   handshake -> open
    ///   handshake -> failed
    enum class state : std::uint8_t { handshake, open, failed };
    /// close_notify: not asked for -> to be said -> given to mbedTLS -> gone, and FIN behind it
    enum class farewell : std::uint8_t { none, due, said, finished };

    struct step : waiter {
        explicit step(socket& s) noexcept : waiter(&run_step), owner(&s) {}
        socket* owner;
    };

    socket(configuration& how, tcp_socket& below) noexcept;
    ~socket();

    static void run_step(waiter& node) noexcept;
    static int take_in(void* self, unsigned char* into, std::size_t size) noexcept;
    static int give_out(void* self, const unsigned char* from, std::size_t size) noexcept;

    void wake() noexcept;
    void advance() noexcept;
    void advance_in_call() noexcept;
    void shake_hands() noexcept;
    void send_rest() noexcept;
    void fetch() noexcept;
    io_count read_records(std::byte* into, std::size_t size) noexcept;
    io_count tell_end() noexcept;

    int expect(const expected& whom) noexcept;
    static int
    judge_address(void* self, mbedtls_x509_crt* shown, int depth, std::uint32_t* flags) noexcept;
    bool give_spilled() noexcept;
    [[nodiscard]] bool all_given() const noexcept { return unsent_ == 0 && spilled_ == 0; }
    [[nodiscard]] bool handshake_over() const noexcept;
    [[nodiscard]] bool at_certificates() const noexcept;
#if WEFT_TLS_1_3
    [[nodiscard]] bool is_1_3() const noexcept;
#endif
    [[nodiscard]] errc why(int returned) const noexcept;
    void end_input(errc reason) noexcept;
    void end_output(errc reason) noexcept;
    void fail_both(errc reason) noexcept;
    void say_goodbye() noexcept;
    void leave() noexcept;
    [[nodiscard]] bool is_ready(readiness bit) const noexcept { return any(ready() & bit); }

    /// What take_in() and give_out() return to mbedTLS when the socket below has failed: then
    /// below_error_ tells how. (-0x50, MBEDTLS_ERR_NET_CONN_RESET, is no module's that we link.)
    static constexpr int below_failed = -0x50;
    /// How many records without a byte for the program are taken in a row.
    static constexpr int records_at_a_time = 16;

    configuration* how_;
    tcp_socket* below_; // null once closed, and all was given to it
    step step_;
    state state_ = state::handshake;
    farewell farewell_ = farewell::none;
    bool blocked_ = false;     // the socket below has said would_block since this was cleared
    bool spoke_ = false;       // and has been given something
    bool below_ended_ = false; // and its stream has ended
    bool sending_ = false;     // mbedTLS is in a record of the program's
    bool whole_ = false;       // the handshake had certificates, so it resumed nothing
    bool has_ticket_ = false;  // TLS 1.3: there is a session to be saved
    // Without TCP_NODELAY once the handshake is over. In it messages go out one by one, and the
    // last of each flight would wait for the delayed ACK of those before.
    bool gathers_ = false;
    bool by_address_ = false;            // a client that expects address_
    readiness gained_ = readiness::none; // to be raised by the next step
    errc input_end_ = errc::ok;          // end_of_stream: the peer said so
    errc output_end_ = errc::ok;         // why nothing more is sent
    errc below_error_ = errc::ok;
    errc lost_ = errc::ok;   // why the other end does not hear a handshake that is read on
    errc untold_ = errc::ok; // take_error()
    // A record that mbedTLS has made and not yet given out whole: the program was told that so many
    // of its bytes are taken. mbedTLS takes no others before, and nothing of its own either.
    std::size_t unsent_ = 0;
    address address_;
    std::uint32_t found_before_ = 0; // of the session that is gone on from
    // Of the record under way, what was not given out yet. mbedTLS may give it out while it reads,
    // too: after the last of it, it must not be asked to go on.
    std::size_t left_ = 0;
    // What mbedTLS says of itself outside handshakes (alerts, close_notify) never blocks, because
    // it would take the program's next bytes for said instead: what finds no room below waits here.
    std::array<std::byte, 128> spill_;
    std::size_t spilled_ = 0;
    mbedtls_ssl_context ssl_;
};

} // namespace weft::tls
