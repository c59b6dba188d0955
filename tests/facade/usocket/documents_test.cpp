// The checklist of the documents' names, and their examples as they are written, over both stacks.
#include "scene.hpp"

struct error {};
struct gaierror {};
struct timeout {};

namespace {

/// A name that the module had too would be ambiguous here and not compile.
[[maybe_unused]] void has_no_exceptions_of_its_own() {
    using namespace usocket;
    [[maybe_unused]] const error a;
    [[maybe_unused]] const gaierror b;
    [[maybe_unused]] const timeout c;
}

} // namespace

namespace contract {
namespace {

TEST_CASE(
    "documents: error, gaierror and timeout are absent: OSError, whose args[0] is the number") {
    scene at;
    auto [server, client] = at.connected();
    client.settimeout(0);
    try {
        client.recv(1);
        FAIL("nothing was thrown");
    } catch (const OSError& e) {
        CHECK(e.args[0] == EAGAIN);
        CHECK(e.args.size() == 1);
        CHECK(std::string_view(e.name()) == "EAGAIN");
        CHECK(std::string_view(e.call()) == "recv");
        CHECK(std::string_view(e.what()).starts_with("[Errno 11] EAGAIN: recv: "));
    }
    bool is_standard = false;
    try {
        socket(99);
    } catch (const std::exception&) {
        is_standard = true;
    }
    CHECK(is_standard);
}

TEST_CASE("documents: e.args[0] < 0 tells getaddrinfo's errors from errnos") {
    scene at;
    try {
        (void)getaddrinfo("no number", 80, 0, 0, 0, AI_NUMERICHOST);
        FAIL("nothing was thrown");
    } catch (const OSError& e) {
        CHECK(e.args[0] < 0);
        CHECK(std::string_view(e.name()) == "EAI_NONAME");
    }
}

TEST_CASE("documents: from usocket import *") {
    using namespace usocket;
    scene at;
    CHECK(socket(AF_INET, SOCK_STREAM).fileno() > 0); // 创建 TCP socket
    CHECK(socket(AF_INET, SOCK_DGRAM).fileno() > 0);  // 创建 UDP socket
}

TEST_CASE("documents: every method of the five documents is there and works") {
    on_both([](scene& at) {
        socket server = at.server();
        server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
        server.bind(at.server_at());
        server.listen(5);
        server.settimeout(20);
        socket client = at.client();
        client.connect(server.getsockname());
        auto [conn, from] = server.accept();
        conn.setblocking(true);
        CHECK(client.send("a line\n") == 7);
        client.sendall("sent all");
        CHECK(client.write("written") == 7);
        CHECK(text_of(conn.readline()) == "a line\n");
        CHECK(text_of(conn.read(8)) == "sent all");
        std::byte room[8];
        CHECK(conn.readinto(room, 3) == 3);
        CHECK(conn.recv(100) == "tten");
        file f = client.makefile("rwb");
        f.write("more");
        client.close();
        CHECK(text_of(conn.read()) == "more");
        socket d = at.server_datagrams();
        socket e = at.client_datagrams();
        CHECK(e.sendto("datagram", d.getsockname()) == 8);
        CHECK(d.recvfrom(100).first == "datagram");
        conn.close();
        server.close();
    });
}

TEST_CASE("documents 000: the TCP server and the client whose send(\"micropython\") is 11") {
    scene at;
    use(at.w.server_net());
    auto s = socket(AF_INET, SOCK_STREAM); // Create STREAM TCP socket
    s.bind({at.server_host(), 6001});
    s.listen(5);
    s.setblocking(true);
    use(at.w.client_net());
    auto c = socket(AF_INET, SOCK_STREAM);
    c.connect({at.server_host(), 6001});
    CHECK(c.send("micropython") == 11);
    auto [sock, addr] = s.accept();
    CHECK(sock.recv(10) == "micropytho");
    CHECK(sock.recv(10) == "n");
    c.close();
    s.close();
}

/// Answers one request and closes, from inside the loop.
void serve_once(scene& at, socket& listener, std::string answer) {
    listener.settimeout(0);
    listener.setsockopt(SOL_SOCKET, SO_CALLBACK, [&at, answer](socket& l) {
        std::optional<socket> conn;
        if (number_of([&] { conn.emplace(l.accept().first); }) != 0) {
            return;
        }
        conn->settimeout(0);
        auto held = std::make_shared<socket>(std::move(*conn));
        held->setsockopt(SOL_SOCKET, SO_CALLBACK, [answer, held = std::weak_ptr(held)](socket& s) {
            if (s.read(1000) && held.lock()) {
                s.write(answer);
                s.close();
            }
        });
        at.later(at.scaled(20s), [held] {}); // keeps it
    });
}

TEST_CASE("documents 000, 001, 002: a web site: connect(getaddrinfo(host, 80)[0][-1])") {
    on_both([](scene& at) {
        socket l = at.server();
        l.bind(at.server_at(80));
        l.listen();
        serve_once(at, l, "HTTP/1.0 200 OK\r\n\r\nhello");
        socket s = at.client();
        // numeric, for a world without name servers
        s.connect(getaddrinfo(at.server_host(), 80)[0][-1]);
        s.send("GET / HTTP/1.0\r\n\r\n");
        CHECK(text_of(s.read()) == "HTTP/1.0 200 OK\r\n\r\nhello");
        socket again = at.client();
        again.connect(getaddrinfo(at.server_host(), 80, 0, SOCK_STREAM)[0][-1]);
    });
}

TEST_CASE("documents 001: the picture is downloaded with settimeout(5), until recv() gives b\"\"") {
    scene at;
    socket l = at.listener();
    const std::string picture(20'000, '\x42');
    serve_once(at, l, "HTTP/1.1 200 OK\r\n\r\n" + picture);
    auto sock = socket();
    const auto addr = getaddrinfo(at.server_host(), l.getsockname().port())[0][-1];
    sock.connect(addr);
    sock.send("GET /MAIX/MaixPy/assets/Alice.bmp HTTP/1.1\nHost: dl.sipeed.com\ncache-control: "
              "no-cache\n\n");
    std::string img;
    sock.settimeout(5);
    while (true) {
        const bytes data = sock.recv(4096);
        if (data.size() == 0) {
            break;
        }
        img += data.view();
    }
    img = img.substr(img.find("\r\n\r\n") + 4);
    CHECK(img == picture);
}

TEST_CASE(
    "documents 001: the picture is uploaded in 2,048-byte sends whose counts nobody looks at") {
    scene at;
    socket l = at.listener();
    auto sock = socket();
    sock.connect(l.getsockname());
    sock.settimeout(5);
    socket conn = l.accept().first;
    const auto picture = known_bytes(0, 30'000);
    std::span<const std::byte> f(picture);
    while (!f.empty()) {
        const auto img = f.first(std::min<std::size_t>(2048, f.size()));
        sock.send(img);
        f = f.subspan(img.size());
    }
    sock.close();
    const bytes got = *conn.read();
    CHECK(got.size() == picture.size());
    CHECK(parity::agreeing(got.span(), 0) == picture.size());
}

TEST_CASE(
    "documents 001, 002: instead of a timeout poll(1000), whose empty result is the timeout") {
    scene at;
    auto [server, s] = at.connected();
    s.settimeout(at.seconds(at.scaled(1s)));
    CHECK(number_of([&s] { s.read(10); }) == ETIMEDOUT);
    auto poller = uselect::poll();
    poller.register_(s, uselect::POLLIN);
    auto res = poller.poll(at.known().virtual_time ? 1000 : 20);
    CHECK(res.empty()); // s is still not ready for input, i.e. operation timed out
    server.send("ready");
    CHECK(poller.poll(20'000).size() == 1);
}

TEST_CASE("documents 001: inet_ntop and inet_pton as they are shown") {
    CHECK(inet_ntop(AF_INET, std::string_view("\x7f\0\0\1", 4)) == "127.0.0.1");
    CHECK(inet_pton(AF_INET, "1.2.3.4") == "\x01\x02\x03\x04");
}

TEST_CASE("documents 003, 004: the K230 client: proto 0, ten times write(str), close()") {
    scene at;
    socket l = at.listener();
    const auto ai = getaddrinfo(at.server_host(), l.getsockname().port());
    const auto addr = ai[0][-1];
    auto s = socket(AF_INET, SOCK_STREAM, 0);
    s.connect(addr);
    socket conn = l.accept().first;
    std::string expected;
    for (int i = 0; i != 10; ++i) {
        const std::string str = "K230 tcp client send test " + std::to_string(i) + " \r\n";
        CHECK(s.write(str) == str.size());
        expected += str;
        at.pass(at.scaled(200ms));
    }
    s.close();
    CHECK(text_of(conn.read()) == expected);
}

TEST_CASE("documents 002: a socket's address of four parts: flowinfo is 0") {
    if (!here().known().ipv6) {
        skip("no IPv6");
        return;
    }
    scene at(family::ipv6);
    socket l = at.listener();
    socket c = at.client();
    c.connect({at.server_host(), l.getsockname().port(), 0, 0});
    CHECK(l.accept().second.family() == AF_INET6);
}

TEST_CASE("IPv6: a link-local address needs its scope id, and comes back with it") {
    scene at(here().known().ipv6 ? family::ipv6 : family::ipv4);
    const sockaddr link_local("fe80::1234", 7, 0, 3);
    CHECK(link_local.scope_id() == 3);
    const addrinfo_list found = getaddrinfo("fe80::1234%3", 7, AF_INET6, SOCK_STREAM);
    CHECK(found[0].sockaddr.scope_id() == 3);
    CHECK(found[0].sockaddr == link_local);
}

} // namespace
} // namespace contract
