// Against real peers, in both directions: Python's ssl (OpenSSL), openssl, curl and nginx, on the
// host's sockets and over lwIP with the kernel at the other end of a TAP interface. What the peers
// find is checked in peer.py.
#include "contexts.hpp"

#include <weft/sleep.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <csignal>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tls_test {
namespace {

constexpr std::size_t file_size = 300'000;

std::byte file_byte(std::size_t i) {
    return static_cast<std::byte>(i * 7 % 251);
}

/// One host's poller is as good as another's here, and processes take their time.
bool has_peers() {
    const std::string& configuration = here().known().configuration;
    return configuration == "host-epoll" || configuration == "tap";
}

/// peer.py in a process of its own.
class process {
  public:
    explicit process(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"python3", TLS_PEER, made().directory});
        std::vector<char*> argv;
        for (std::string& each : arguments) {
            argv.push_back(each.data());
        }
        argv.push_back(nullptr);
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        const int failed = ::posix_spawnp(&id_, "python3", &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ::fdopen(ends[0], "r");
        REQUIRE(failed == 0);
        REQUIRE(output_ != nullptr);
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() {
        if (id_ > 0) {
            ::kill(id_, SIGKILL);
            ::waitpid(id_, nullptr, 0);
        }
        std::fclose(output_);
    }

    /// Where a server, which prints its port, is reached.
    [[nodiscard]] endpoint at(world& w) const {
        std::array<char, 32> line{};
        REQUIRE(std::fgets(line.data(), line.size(), output_) != nullptr);
        return {
            w.client_address(family::ipv4),
            static_cast<std::uint16_t>(std::strtoul(line.data(), nullptr, 10))};
    }

    /// In which nothing else goes on, either.
    void wait_for_line() const {
        std::array<char, 32> line{};
        REQUIRE(std::fgets(line.data(), line.size(), output_) != nullptr);
    }

    /// Its end, while the stack goes on.
    task<> good_end() {
        int status = -1;
        while (::waitpid(id_, &status, WNOHANG) == 0) {
            auto slept = co_await weft::sleep_for(2ms);
            (void)slept;
        }
        id_ = -1;
        CHECK(status == 0);
    }

  private:
    pid_t id_ = -1;
    std::FILE* output_ = nullptr;
};

// --- weft asks

task<tls_stream>
connect_to(world& w, endpoint at, tls_context context, const char* expected, tls_session earlier) {
    auto plain = co_await w.server_net().connect(at);
    REQUIRE(plain.has_value());
    auto secure = co_await tls_stream::client(context, std::move(*plain), expected, earlier);
    if (!secure) {
        co_return weft::fail(secure.error());
    }
    co_return std::move(*secure);
}

tls_context usual_client(tls_options more = {}) {
    static constexpr std::string_view protocols[] = {"h2", "weft/1", "http/1.1"};
    more.protocols = protocols;
    return client_of(made().authority, more);
}

/// Sends so much, gets it back, and both say that they have finished.
task<> echoed(world& w, tls_stream& secure, std::uint64_t size) {
    auto both = co_await weft::when_all(
        send_sequence(w, secure, 0, size, 30'000), expect_sequence(w, secure, 0, size, 30'000));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
    const result<> finished = secure.shutdown_send();
    CHECK(finished.has_value());
    auto ended = co_await expect_end(secure);
    CHECK(ended.has_value());
}

task<> asks_echo(world& w, const char* mode, tls_options more, const char* agreed) {
    process peer({"serve", mode});
    auto secure = co_await connect_to(w, peer.at(w), usual_client(more), name, {});
    REQUIRE(secure.has_value());
    CHECK(secure->protocol() == agreed);
    CHECK(secure->certificate() == errc::ok);
    auto done = co_await echoed(w, *secure, 200'000);
    CHECK(done.has_value());
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("Python serves: echo, SNI, ALPN, an intermediate authority, close_notify both ways") {
    if (has_peers()) {
        run([](world& w) { return asks_echo(w, "echo", {}, "weft/1"); });
    }
}
TEST_CASE("Python serves and wants a certificate") {
    if (has_peers()) {
        run([](world& w) {
            const identity& own = made().client;
            return asks_echo(w, "certified", {.certificate = own.certificate, .key = own.key}, "");
        });
    }
}

task<> ends_rudely(world& w, const char* mode, errc expected) {
    process peer({"serve", mode});
    auto secure = co_await connect_to(w, peer.at(w), usual_client(), name, {});
    REQUIRE(secure.has_value());
    std::array<std::byte, 4> half{};
    auto got = co_await secure->read_exactly(half);
    CHECK(got.error() == errc::ok);
    auto asked = co_await secure->send("?");
    CHECK(asked.value_or(0) == 1);
    auto ended = co_await secure->recv(half);
    CHECK(error_of(ended) == expected);
    auto gone = co_await peer.good_end();
    CHECK(gone.has_value());
}
TEST_CASE("Python serves and ends without close_notify: truncated, or reset") {
    if (has_peers()) {
        run([](world& w) { return ends_rudely(w, "cut", errc::tls_truncated); }, "cut");
        run([](world& w) { return ends_rudely(w, "reset", errc::connection_reset); }, "reset");
    }
}

task<> not_trusted(world& w, const char* mode, errc expected) {
    process peer({"serve", mode});
    auto secure = co_await connect_to(w, peer.at(w), usual_client(), name, {});
    CHECK(error_of(secure) == expected);
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("Python serves and is not trusted: it is told by the alert of the reason") {
    struct row {
        const char* mode;
        errc reason;
    };
    constexpr row table[] = {
        {"stranger", errc::certificate_untrusted},
        {"itself", errc::certificate_untrusted},
        {"other", errc::certificate_wrong_name},
        {"expired", errc::certificate_expired},
    };
    if (has_peers()) {
        for (const row& each : table) {
            run([&](world& w) { return not_trusted(w, each.mode, each.reason); }, each.mode);
        }
    }
}

task<> asks_again(world& w, const char* mode) {
    process peer({"serve", mode});
    const endpoint at = peer.at(w);
    bytes kept; // through which a session goes into another context
    for (const bool resumed : {false, true}) {
        const tls_context context = usual_client();
        result<tls_session> earlier = tls_session::load(context, kept);
        CHECK(error_of(earlier) == (resumed ? errc::ok : errc::invalid_argument));
        tls_session session = earlier ? std::move(*earlier) : tls_session();
        auto secure = co_await connect_to(w, at, context, name, std::move(session));
        REQUIRE(secure.has_value());
        CHECK(secure->resumed() == resumed);
        auto done = co_await echoed(w, *secure, 100);
        CHECK(done.has_value());
        const result<tls_session> saved = secure->session();
        REQUIRE(saved.has_value());
        kept.resize(saved->saved_size());
        CHECK(saved->save(kept).value_or(0) == kept.size());
    }
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("Python serves twice: the second handshake is resumed, by ticket or by session id") {
    if (has_peers()) {
        run([](world& w) { return asks_again(w, "tickets"); }, "tickets");
        run([](world& w) { return asks_again(w, "ids"); }, "ids");
    }
}

/// What a server of HTTP/1.0 answers, with its head.
task<std::string> get(tls_stream& from, std::string_view what) {
    const std::string request = "GET " + std::string(what) + " HTTP/1.0\r\n\r\n";
    auto sent = co_await from.send_all(request);
    CHECK(sent.error() == errc::ok);
    std::string got;
    bytes buffer(20'000);
    while (true) {
        auto piece = co_await from.recv(buffer);
        CHECK(error_of(piece) == errc::ok);
        if (piece.value_or(0) == 0) {
            break;
        }
        got.append(reinterpret_cast<const char*>(buffer.data()), *piece);
    }
    co_return got;
}

task<> asks_openssl(world& w) {
    process peer({"serve", "openssl"});
    const endpoint at = peer.at(w);
    const tls_context context = usual_client();
    tls_session session;
    for (const char* how : {"New, ", "Reused, "}) {
        auto secure = co_await connect_to(w, at, context, name, std::move(session));
        REQUIRE(secure.has_value());
        CHECK(secure->protocol() == "weft/1");
        auto page = co_await get(*secure, "/");
        REQUIRE(page.has_value());
        CHECK(page->find(how + std::string(secure->version())) != std::string::npos);
        result<tls_session> saved = secure->session();
        REQUIRE(saved.has_value());
        session = std::move(*saved);
    }
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("openssl serves its status, and sees that the second connection resumes the first") {
    if (has_peers()) {
        run(asks_openssl);
    }
}

task<> asks_nginx(world& w) {
    process peer({"serve", "nginx"});
    const endpoint at = peer.at(w);
    const tls_context context = usual_client();
    tls_session session;
    for (const char* site : {"other.test", name, name}) {
        auto secure = co_await connect_to(w, at, context, site, std::move(session));
        REQUIRE(secure.has_value());
        auto page = co_await get(*secure, "/file");
        REQUIRE(page.has_value());
        result<tls_session> saved = secure->session();
        REQUIRE(saved.has_value());
        session = site == name ? std::move(*saved) : tls_session();
        const std::size_t head = page->find("\r\n\r\n") + 4;
        REQUIRE(page->size() == head + file_size);
        std::size_t good = 0;
        while (good < file_size &&
               static_cast<std::byte>((*page)[head + good]) == file_byte(good)) {
            ++good;
        }
        CHECK(good == file_size);
    }
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("nginx serves a file by two names, each with its own certificate") {
    if (has_peers()) {
        run(asks_nginx);
    }
}

// --- weft serves

/// A page for curl.
task<> give_page(tls_stream& peer) {
    std::string head;
    std::array<char, 4096> buffer{};
    while (head.find("\r\n\r\n") == std::string::npos) {
        auto piece = co_await peer.recv(std::as_writable_bytes(std::span(buffer)));
        REQUIRE(piece.value_or(0) > 0);
        head.append(buffer.data(), *piece);
    }
    std::string page = "HTTP/1.0 200 OK\r\n\r\n";
    for (std::size_t i = 0; i < file_size; ++i) {
        page += static_cast<char>(file_byte(i));
    }
    auto sent = co_await peer.send_all(page);
    CHECK(sent.error() == errc::ok);
}

/// How weft serves one peer, and what it sees of it.
struct service {
    const char* mode;
    int connections = 1;
    errc at_handshake = errc::ok;
    errc at_end = errc::ok; // of an echo
    bool page = false;
};

task<> serves(world& w, const service& how) {
    static constexpr std::string_view protocols[] = {"weft/1", "http/1.1"};
    static constexpr std::string_view ciphers[] = {
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    const tls_identity other{"other.test", made().other.certificate, made().other.key};
    const tls_context context = server_of(
        made().chain, {.authorities = made().authority,
                       .identities = {{&other, 1}},
                       .verify = tls_verify::optional,
                       .protocols = protocols,
                       .ciphers = ciphers});
    tcp_listener listener = listen(w);
    const endpoint at = endpoint_of(listener);
    std::array<char, weft::endpoint_text_size> text{};
    const std::string address(weft::to_text(at.address, text));
    process peer({"ask", how.mode, address, std::to_string(at.port)});
    for (int i = 0; i < how.connections; ++i) {
        auto plain = co_await listener.accept();
        REQUIRE(plain.has_value());
        auto secure = co_await tls_stream::server(context, std::move(*plain));
        CHECK(error_of(secure) == how.at_handshake);
        if (!secure) {
            continue;
        }
        CHECK(secure->resumed() == (i > 0));
        if (how.page) {
            auto given = co_await give_page(*secure);
            CHECK(given.has_value());
        } else {
            auto done = co_await echo(*secure); // that of tests/parity, which takes a tcp_stream
            CHECK(done.has_value());
            std::array<std::byte, 1> byte{};
            auto end = co_await secure->recv(byte);
            CHECK(error_of(end) == how.at_end);
            CHECK(end.value_or(0) == 0);
        }
    }
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("weft serves Python, openssl and curl, and is told why it is not trusted") {
    constexpr service table[] = {
        {"echo"},
        {"stranger", 1, errc::tls_alert},
        {"other", 1, errc::tls_alert},
        {"by name"},
        {"again", 2},
        {"openssl", 2},
        {"renegotiation", 1, errc::ok, errc::tls_alert},
        {.mode = "curl", .page = true},
        {"curl wrong name"}, // it looks when the handshake is over
    };
    if (has_peers()) {
        for (const service& each : table) {
            run([&](world& w) { return serves(w, each); }, each.mode);
        }
    }
}

task<> asked_in_a_record(world& w) {
    const tls_context context = server_of(made().server);
    tcp_listener listener = listen(w);
    const endpoint at = endpoint_of(listener);
    std::array<char, weft::endpoint_text_size> text{};
    const std::string address(weft::to_text(at.address, text));
    process peer({"ask", "renegotiation in a record", address, std::to_string(at.port)});
    auto control = co_await listener.accept();
    REQUIRE(control.has_value());
    auto plain = co_await listener.accept();
    REQUIRE(plain.has_value());
    weft::tcp_socket* const below = plain->socket();
    auto secure = co_await tls_stream::server(context, std::move(*plain));
    REQUIRE(secure.has_value());
    std::size_t sent = 0;
    const auto next = [&sent](std::size_t size) {
        bytes piece(size);
        for (std::size_t i = 0; i < size; ++i) {
            piece[i] = file_byte(sent + i);
        }
        return piece;
    };
    for (int full = 0; full < 10;) { // buffers grow for a while
        const result<std::size_t> taken = secure->try_send(next(16'000));
        sent += taken.value_or(0);
        if (error_of(taken) == errc::would_block) {
            ++full;
            auto slept = co_await weft::sleep_for(5ms);
            REQUIRE(slept.has_value());
        } else {
            full = 0;
        }
    }
    auto told = co_await control->send("!");
    REQUIRE(told.has_value());
    while (!any(secure->socket()->ready() & weft::readiness::readable)) { // a byte of the peer's
        auto slept = co_await weft::sleep_for(1ms);
        REQUIRE(slept.has_value());
    }
    auto told_too = co_await control->send("!");
    REQUIRE(told_too.has_value());
    peer.wait_for_line();
    // No turn of the loop, in which the rest of the record would go first: there is room for it
    // now, the request has come behind that byte, and the program reads.
    CHECK(any(below->confirmed() & weft::readiness::writable));
    std::array<std::byte, 2> bytes_of_peer{};
    CHECK(secure->try_recv(bytes_of_peer).value_or(0) == 1);
    CHECK(error_of(secure->try_recv(bytes_of_peer)) == errc::would_block);
    const bytes last = next(16'000);
    auto more = co_await secure->send_all(last);
    CHECK(more.error() == errc::ok);
    sent += last.size();
    const std::string size = std::to_string(sent) + "\n";
    auto let_go = co_await control->send_all(size);
    REQUIRE(let_go.error() == errc::ok);
    secure->close();
    auto ended = co_await peer.good_end();
    CHECK(ended.has_value());
}
TEST_CASE("openssl asks for renegotiation in the middle of a record: nothing of that is lost") {
    if (here().known().configuration == "host-epoll") { // lwIP takes nothing without a turn
        run(asked_in_a_record);
    }
}

} // namespace
} // namespace tls_test
