// TLS by the façade's calls against OpenSSL: Python's ssl, s_server and s_client, over the host's
// loopback.
#include "tls.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace contract {
namespace {

bool on_host() {
    return here().known().configuration ==
           "host-epoll"; // which of them, is below what this is about
}

/// A command of a shell, whose output can be read.
class peer_process {
  public:
    explicit peer_process(const std::string& command)
        : output_(::popen(("exec 2>/dev/null; " + command).c_str(), "r")) {
        REQUIRE(output_ != nullptr);
    }
    peer_process(const peer_process&) = delete;
    peer_process& operator=(const peer_process&) = delete;
    ~peer_process() { finish(); }

    /// Where a server says that it is: a line with its port alone, or "ACCEPT 127.0.0.1:PORT".
    [[nodiscard]] sockaddr at() const {
        while (true) {
            const std::string line = next_line();
            REQUIRE(!line.empty());
            const std::size_t colon = line.starts_with("ACCEPT ") ? line.rfind(':') : 0;
            const std::string digits = line.substr(colon == 0 ? 0 : colon + 1);
            if (const int port = std::atoi(digits.c_str()); port != 0) {
                return {"127.0.0.1", port};
            }
        }
    }
    [[nodiscard]] std::string next_line() const {
        std::array<char, 128> line{};
        return std::fgets(line.data(), line.size(), output_) != nullptr ? line.data() : "";
    }
    int finish() { return output_ != nullptr ? ::pclose(std::exchange(output_, nullptr)) : -1; }

  private:
    std::FILE* output_;
};

std::string python(const std::string& arguments) {
    return "exec python3 " TLS_PEER " " + made().directory + " " + arguments;
}

std::string port_of(socket& listener) {
    return std::to_string(listener.getsockname().port());
}

socket loopback_listener(scene& at) {
    socket made = at.server();
    made.bind({"127.0.0.1", 0});
    made.listen(2);
    return made;
}

enum class mode { blocking, timeout, non_blocking };
constexpr mode modes[] = {mode::blocking, mode::timeout, mode::non_blocking};

void set(socket& s, mode m) {
    if (m == mode::timeout) {
        s.settimeout(20);
    } else {
        s.setblocking(m == mode::blocking);
    }
}

/// `n` bytes, by a poll where `s` does not wait.
parity::bytes exactly(socket& s, std::size_t n) {
    auto poller = uselect::poll();
    poller.register_(s, POLLIN);
    parity::bytes got;
    while (got.size() != n) {
        const std::optional<bytes> some = s.read(static_cast<std::int64_t>(n - got.size()));
        if (some) {
            REQUIRE(!some->empty());
            got.insert(got.end(), some->begin(), some->end());
        } else {
            REQUIRE(!poller.poll(20'000).empty());
        }
    }
    return got;
}
void all(socket& s, std::span<const std::byte> from) {
    auto poller = uselect::poll();
    poller.register_(s, POLLOUT);
    while (!from.empty()) {
        if (const std::optional<std::size_t> n = s.write(from)) {
            from = from.subspan(*n);
        } else {
            REQUIRE(!poller.poll(20'000).empty());
        }
    }
}

TEST_CASE("ssl: Python's ssl echoes 100,000 bytes, in each mode, and both say close_notify") {
    if (!on_host()) {
        return;
    }
    for (const mode each : modes) {
        INFO("mode ", static_cast<int>(each));
        scene at;
        peer_process server(python("serve"));
        SSLContext context = asking();
        socket plain = at.client();
        plain.connect(server.at());
        set(plain, each);
        SSLSocket s = context.wrap_socket(std::move(plain), {.server_hostname = "weft.test"});
        const parity::bytes sent = known_bytes(0, 100'000);
        for (std::size_t from = 0; from != sent.size(); from += 20'000) {
            all(s, std::span(sent).subspan(from, 20'000));
            CHECK((exactly(s, 20'000) == known_bytes(from, 20'000)));
        }
        s.setblocking(true);
        s.shutdown(usocket::SHUT_WR);
        CHECK(s.recv(1) == "");
        CHECK(server.finish() == 0);
    }
}

TEST_CASE("ssl: Python's ssl asks for an echo, of a listener that was wrapped") {
    if (!on_host()) {
        return;
    }
    for (const mode each : {mode::blocking, mode::timeout}) {
        scene at;
        SSLContext context = serving();
        SSLSocket listener = context.wrap_socket(loopback_listener(at), {.server_side = true});
        peer_process client(python("ask " + port_of(listener)));
        auto [s, from] = listener.accept();
        set(s, each);
        for (bytes some = s.recv(10'000); !some.empty(); some = s.recv(10'000)) {
            s.sendall(some);
        }
        CHECK(s.cipher().second.starts_with("TLSv1."));
        s.close();
        at.pass(1ms);
        CHECK(client.finish() == 0);
    }
}

TEST_CASE("ssl: OpenSSL's s_server turns lines round, and IPPROTO_SEC's connect() shakes hands") {
    if (!on_host()) {
        return;
    }
    scene at;
    const std::string own = made().directory + "/server";
    peer_process server(
        "exec openssl s_server -rev -naccept 1 -accept 127.0.0.1:0 -cert " + own + ".pem -key " +
        own + ".key");
    socket s(AF_INET, SOCK_STREAM, IPPROTO_SEC);
    s.settimeout(20);
    s.connect(server.at());
    s.send("hello\n");
    CHECK(text_of(s.readline()) == "olleh\n");
    s.send("CLOSE\n");
    CHECK(s.recv(1) == "");
}

TEST_CASE("ssl: OpenSSL's s_client verifies the name, and reads what is written") {
    if (!on_host()) {
        return;
    }
    scene at;
    SSLContext context = serving();
    SSLSocket listener = context.wrap_socket(loopback_listener(at), {.server_side = true});
    peer_process client(
        "exec </dev/null openssl s_client -quiet -verify_return_error -verify_hostname weft.test "
        "-CAfile " +
        made().directory + "/authority.pem -connect 127.0.0.1:" + port_of(listener));
    auto [s, from] = listener.accept();
    s.settimeout(20);
    s.do_handshake();
    s.write("a line\n");
    s.close();
    at.pass(1ms);
    CHECK(client.next_line() == "a line\n");
}

} // namespace
} // namespace contract
