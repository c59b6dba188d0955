// TLS, from below and from above: any bytes as a peer's handshake, and after a real handshake any
// program of sends, receives, deliveries, changed bytes and ends. A handshake of strangers' bytes
// never succeeds; what is received is always the beginning of what was sent, and all of it if
// nothing was changed and the end was told; nothing is left behind (AddressSanitizer looks).
#include "pipe_socket.hpp"

#include <weft/driver.hpp>
#include <weft/loop.hpp>
#include <weft/tls.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <unistd.h>

namespace {

using fuzz::pipe_socket;
using fuzz::wire;
using weft::errc;
using weft::tls_context;
using weft::tls_stream;

void insist(bool truth, const char* what) {
    if (!truth) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

int random(void*, unsigned char* into, std::size_t size) {
    return ::getentropy(into, size);
}

struct identity {
    std::array<char, 2000> certificate{};
    std::array<char, 2000> key{};
    identity() {
        mbedtls_pk_context pair;
        mbedtls_mpi serial;
        mbedtls_x509write_cert made;
        mbedtls_pk_init(&pair);
        mbedtls_mpi_init(&serial);
        mbedtls_x509write_crt_init(&made);
        mbedtls_pk_setup(&pair, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pair), random, nullptr);
        mbedtls_mpi_lset(&serial, 1);
        mbedtls_x509write_crt_set_serial(&made, &serial);
        mbedtls_x509write_crt_set_subject_key(&made, &pair);
        mbedtls_x509write_crt_set_issuer_key(&made, &pair);
        mbedtls_x509write_crt_set_subject_name(&made, "CN=fuzz");
        mbedtls_x509write_crt_set_issuer_name(&made, "CN=fuzz");
        mbedtls_x509write_crt_set_md_alg(&made, MBEDTLS_MD_SHA256);
        mbedtls_x509write_crt_set_validity(&made, "20200101000000", "20500101000000");
        auto* const into = reinterpret_cast<unsigned char*>(certificate.data());
        const int written =
            mbedtls_x509write_crt_pem(&made, into, certificate.size(), random, nullptr);
        insist(written == 0, "a certificate can be made");
        mbedtls_pk_write_key_pem(&pair, reinterpret_cast<unsigned char*>(key.data()), key.size());
        mbedtls_x509write_crt_free(&made);
        mbedtls_mpi_free(&serial);
        mbedtls_pk_free(&pair);
    }
};

/// As long as the process lives.
struct world {
    weft::virtual_driver clock;
    weft::loop loop{clock};
    tls_context server;
    tls_context client;
    weft::tls_session session; // a handshake that resumes is a hundred times as fast

    world() {
        const identity own;
        auto s = tls_context::server(
            {.certificate = own.certificate.data(),
             .key = own.key.data(),
             .verify = weft::tls_verify::none});
        auto c = tls_context::client({.verify = weft::tls_verify::none});
        insist(s.has_value() && c.has_value(), "contexts can be made");
        server = std::move(*s);
        client = std::move(*c);
    }
    void turns(int how_many) {
        for (int i = 0; i < how_many; ++i) {
            (void)loop.poll();
        }
    }
};

/// The input, taken from the front.
struct program {
    const std::uint8_t* data;
    std::size_t size;
    [[nodiscard]] bool more() const { return size > 0; }
    std::uint8_t byte() {
        if (size == 0) {
            return 0;
        }
        --size;
        return *data++;
    }
    std::vector<std::byte> bytes(std::size_t n) {
        n = std::min(n, size);
        const auto* const from = reinterpret_cast<const std::byte*>(data);
        data += n;
        size -= n;
        return {from, from + n};
    }
};

tls_stream
begin(world& w, wire& at, const tls_context& how, const weft::tls_session& earlier = {}) {
    auto* const plain = new pipe_socket(w.loop, at);
    auto begun = tls_stream::begin(how, weft::tcp_stream(plain), "", earlier);
    insist(begun.has_value(), "a handshake begins");
    return tls_stream(*begun);
}

/// Strangers' bytes, in pieces.
void handshake(world& w, const tls_context& how, program input) {
    wire at;
    tls_stream shaking = begin(w, at, how);
    while (input.more()) {
        const std::uint8_t size = input.byte();
        const auto piece = input.bytes(size == 255 ? input.size : size);
        at.coming.insert(at.coming.end(), piece.begin(), piece.end());
        if (at.socket != nullptr) {
            at.socket->look();
        }
        w.turns(4);
    }
    at.ended = true;
    if (at.socket != nullptr) {
        at.socket->look();
    }
    w.turns(100);
    const weft::result<> outcome = shaking.socket()->connect_result();
    const errc end = outcome ? errc::ok : outcome.error();
    insist(end != errc::ok && end != errc::would_block, "a stranger's handshake fails");
    shaking.close();
    w.turns(4);
    insist(at.socket == nullptr, "the socket below is gone");
}

// --- after a handshake

std::byte known_byte(std::size_t offset) {
    return static_cast<std::byte>(offset * 131 + (offset >> 8));
}

struct one_end {
    wire at;
    tls_stream stream;
    std::size_t sent = 0;
    std::size_t received = 0;
    bool told_end = false; // the other end has said that it has finished
};

class talk {
  public:
    explicit talk(world& w) : world_(w) {
        ends_[0].stream = begin(w, ends_[0].at, w.server);
        ends_[1].stream = begin(w, ends_[1].at, w.client, w.session);
        for (int round = 0; round < 100; ++round) {
            w.turns(2);
            deliver(0, all);
            deliver(1, all);
        }
        for (one_end& each : ends_) {
            insist(each.stream.socket()->connect_result().has_value(), "they can meet");
        }
        if (!w.session) {
            w.session = std::move(*ends_[1].stream.session());
        }
    }
    talk(const talk&) = delete;
    talk& operator=(const talk&) = delete;

    void run(program input) {
        while (input.more()) {
            const std::uint8_t what = input.byte();
            const std::size_t who = what & 1;
            const std::size_t much = std::size_t{input.byte()} * (what & 2 ? 100 : 1);
            switch (what >> 2 & 7) {
            case 0:
            case 1:
                send(who, much);
                break;
            case 2:
                receive(who, much);
                break;
            case 3:
                deliver(who, much);
                break;
            case 4:
                deliver(who, much + 1, input.byte() * std::size_t{7}, std::byte{input.byte()});
                break;
            case 5: // there is so much room only
                ends_[who].at.room = much;
                look(who);
                break;
            case 6:
                world_.turns(1);
                break;
            default:
                finish(who, much);
                break;
            }
        }
        come_to_an_end();
    }

  private:
    static constexpr std::size_t all = static_cast<std::size_t>(-1);

    void look(std::size_t who) {
        if (pipe_socket* const below = ends_[who].at.socket; below != nullptr) {
            below->look();
        }
    }

    void send(std::size_t who, std::size_t much) {
        std::vector<std::byte> data(much);
        for (std::size_t i = 0; i < much; ++i) {
            data[i] = known_byte(ends_[who].sent + i);
        }
        if (ends_[who].stream.is_open()) {
            const auto taken = ends_[who].stream.socket()->ask_send(data);
            ends_[who].sent += taken > 0 ? static_cast<std::size_t>(taken) : 0;
        }
    }

    void receive(std::size_t who, std::size_t much) {
        one_end& here = ends_[who];
        std::vector<std::byte> data(much);
        if (!here.stream.is_open()) {
            return;
        }
        const weft::io_count n = here.stream.socket()->ask_recv(data);
        for (std::size_t i = 0; n > 0 && i < static_cast<std::size_t>(n); ++i) {
            insist(data[i] == known_byte(here.received + i), "what is received was sent so");
        }
        here.received += n > 0 ? static_cast<std::size_t>(n) : 0;
        here.told_end |= n == 0 && much > 0;
        insist(here.received <= ends_[1 - who].sent, "no more is received than was sent");
        insist(!here.told_end || here.received == ends_[1 - who].sent, "the end is behind all");
        insist(changed_ || cut_ || n >= 0 || n == weft::io_error(errc::would_block), "all is well");
    }

    /// What `who` has sent comes to the other; the byte at `where` of it is another one.
    void deliver(std::size_t who, std::size_t much, std::size_t where = 0, std::byte change = {}) {
        std::vector<std::byte>& from = ends_[who].at.sent;
        wire& to = ends_[1 - who].at;
        const std::size_t n = std::min(much, from.size());
        if (change != std::byte{} && where < n) {
            from[where] ^= change;
            changed_ = true;
        }
        const auto last = from.begin() + static_cast<std::ptrdiff_t>(n);
        to.coming.insert(to.coming.end(), from.begin(), last);
        from.erase(from.begin(), last);
        to.ended = to.ended || (ends_[who].at.finished && from.empty());
        look(1 - who);
    }

    void finish(std::size_t who, std::size_t how) {
        if (how % 4 == 0) {
            cut_ = true;
            ends_[1 - who].at.ended = true; // FIN by nobody who may
            ends_[who].at.sent.clear();
            look(1 - who);
        } else if (how % 4 == 1) {
            ends_[who].stream.close();
            cut_ = true; // what comes now is not read
        } else if (how % 4 == 2) {
            ends_[who].stream.abort();
            cut_ = true;
        } else if (ends_[who].stream.is_open()) {
            (void)ends_[who].stream.shutdown_send();
        }
    }

    void come_to_an_end() {
        for (const std::size_t who : {0U, 1U}) {
            ends_[who].at.room = all;
            look(who);
            if (ends_[who].stream.is_open()) {
                (void)ends_[who].stream.shutdown_send();
            }
        }
        for (int round = 0; round < 50; ++round) {
            world_.turns(2);
            for (const std::size_t who : {0U, 1U}) {
                deliver(who, all);
                receive(who, 20'000);
            }
        }
        if (!changed_ && !cut_) {
            insist(ends_[0].told_end && ends_[1].told_end, "both are told of the end");
        }
        for (one_end& each : ends_) {
            each.stream.close();
        }
        (void)world_.loop.run_for(tls_stream::goodbye_limit * 2);
        insist(ends_[0].at.socket == nullptr && ends_[1].at.socket == nullptr, "nothing is left");
    }

    world& world_;
    std::array<one_end, 2> ends_;
    bool changed_ = false;
    bool cut_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static world& w = *new world; // it is never destroyed: contexts outlive all sockets
    program input{data, size};
    switch (input.byte() % 4) {
    case 0:
        handshake(w, w.server, input);
        break;
    case 1:
        handshake(w, w.client, input);
        break;
    default:
        talk(w).run(input);
        break;
    }
    return 0;
}
