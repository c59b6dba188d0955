// Against OpenSSL, in both directions: Python's ssl at the other end of the host's loopback.
#include "contexts.hpp"

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

bool on_host() {
    return here().known().configuration.starts_with("host-");
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
            (void)exit_status();
        }
        std::fclose(output_);
    }

    /// The port that a server prints.
    [[nodiscard]] endpoint at() const {
        std::array<char, 32> line{};
        REQUIRE(std::fgets(line.data(), line.size(), output_) != nullptr);
        return {
            address::loopback(family::ipv4),
            static_cast<std::uint16_t>(std::strtoul(line.data(), nullptr, 10))};
    }
    int exit_status() {
        int status = -1;
        ::waitpid(id_, &status, 0);
        id_ = -1;
        return status;
    }

  private:
    pid_t id_ = -1;
    std::FILE* output_ = nullptr;
};

task<tls_stream> connect_to(world& w, endpoint at) {
    const tls_context context = client_of(made().authority);
    auto plain = co_await w.client_net().connect(at);
    REQUIRE(plain.has_value());
    auto secure = co_await tls_stream::client(context, std::move(*plain), name);
    if (!secure) {
        co_return weft::fail(secure.error());
    }
    co_return std::move(*secure);
}

task<> send_then_finish(world& w, tcp_stream& to, std::uint64_t end) {
    auto sent = co_await send_sequence(w, to, 0, end, 30'000);
    REQUIRE(sent.has_value());
    const result<> finished = to.shutdown_send();
    REQUIRE(finished.has_value());
}

task<> echo_client(world& w) {
    process openssl({"server", "echo"});
    auto secure = co_await connect_to(w, openssl.at());
    REQUIRE(secure.has_value());
    auto both = co_await weft::when_all(
        send_then_finish(w, *secure, 200'000), expect_sequence(w, *secure, 0, 200'000, 30'000));
    CHECK(std::get<0>(both).has_value());
    CHECK(std::get<1>(both).has_value());
    auto ended = co_await expect_end(*secure);
    CHECK(ended.has_value());
    secure->close();
    CHECK(openssl.exit_status() == 0);
}
TEST_CASE("openssl serves: echo, and close_notify both ways") {
    if (on_host()) {
        run(echo_client);
    }
}

task<> ends_rudely(world& w, const char* mode, errc expected) {
    process openssl({"server", mode});
    auto secure = co_await connect_to(w, openssl.at());
    REQUIRE(secure.has_value());
    std::array<std::byte, 4> half{};
    auto got = co_await secure->read_exactly(half);
    CHECK(got.error == errc::ok);
    auto asked = co_await secure->send("?");
    CHECK(asked.value_or(0) == 1);
    auto ended = co_await secure->recv(half);
    CHECK(error_of(ended) == expected);
    CHECK(openssl.exit_status() == 0);
}
TEST_CASE("openssl serves and ends without close_notify: truncated, or reset") {
    if (on_host()) {
        run([](world& w) { return ends_rudely(w, "cut", errc::tls_truncated); }, "cut");
        run([](world& w) { return ends_rudely(w, "reset", errc::connection_reset); }, "reset");
    }
}

task<> not_trusted(world& w) {
    process openssl({"server", "stranger"});
    auto secure = co_await connect_to(w, openssl.at());
    CHECK(error_of(secure) == errc::certificate_untrusted);
    CHECK(openssl.exit_status() == 0);
}
TEST_CASE("openssl serves and is not trusted: it is told that its authority is unknown") {
    if (on_host()) {
        run(not_trusted);
    }
}

std::string port_of(const tcp_listener& listener) {
    return std::to_string(endpoint_of(listener).port);
}

task<> echo_server(world& w) {
    const tls_context context = server_of(made().server);
    tcp_listener listener = listen(w);
    process openssl({"client", "echo", port_of(listener)});
    auto plain = co_await listener.accept();
    REQUIRE(plain.has_value());
    auto secure = co_await tls_stream::server(context, std::move(*plain));
    REQUIRE(secure.has_value());
    auto echoed = co_await echo(*secure); // that of tests/parity, which takes a tcp_stream
    CHECK(echoed.has_value());
    secure->close();
    CHECK(openssl.exit_status() == 0);
}
TEST_CASE("openssl asks: echo by a coroutine that takes any stream") {
    if (on_host()) {
        run(echo_server);
    }
}

task<> refused_by_client(world& w) {
    const tls_context context = server_of(made().server);
    tcp_listener listener = listen(w);
    process openssl({"client", "stranger", port_of(listener)});
    auto plain = co_await listener.accept();
    REQUIRE(plain.has_value());
    auto secure = co_await tls_stream::server(context, std::move(*plain));
    CHECK(error_of(secure) == errc::tls_alert);
    CHECK(openssl.exit_status() == 0);
}
TEST_CASE("openssl asks and does not trust: the server is told by an alert") {
    if (on_host()) {
        run(refused_by_client);
    }
}

} // namespace
} // namespace tls_test
