// The ssl module, and IPPROTO_SEC: every call of a socket, in its three modes, over TLS.
#include "tls.hpp"

#include <array>
#include <cstring>

namespace contract {
namespace {

TEST_CASE("ssl: send, recv, read, readinto, readline, write as on any socket; b\"\" at the end") {
    on_both([](scene& at) {
        auto [server, client] = tls_connected(at);
        CHECK(client.send("hello") == 5);
        CHECK(server.recv(0) == "");
        CHECK(server.recv(3) == "hel");
        CHECK(server.recv(100) == "lo");
        CHECK(server.write("one\ntwo\nthree") == 13);
        CHECK(text_of(client.readline()) == "one\n");
        std::array<std::byte, 4> four{};
        CHECK(client.readinto(four) == 4);
        CHECK(std::memcmp(four.data(), "two\n", 4) == 0);
        CHECK(client.recv(2, usocket::MSG_PEEK) == "th");
        CHECK(text_of(client.read(5)) == "three");
        server.sendall("the end");
        server.close();
        CHECK(text_of(client.read()) == "the end");
        CHECK(client.recv(1) == "");
        CHECK(client.recv(1) == "");
    });
}

TEST_CASE("ssl: a megabyte by blocking sendall(), either way, read in a callback") {
    scene at;
    auto [server, client] = tls_connected(at);
    const parity::bytes sent = known_bytes(0, 1'000'000);
    const auto pass = [&](SSLSocket& from, SSLSocket& to) {
        parity::bytes got;
        to.settimeout(0);
        to.setsockopt(SOL_SOCKET, SO_CALLBACK, [&](socket& s) {
            while (const std::optional<bytes> some = s.read(30'000)) {
                got.insert(got.end(), some->begin(), some->end());
            }
        });
        from.sendall(sent);
        CHECK(at.until([&] { return got.size() >= sent.size(); }));
        CHECK((got == sent));
        to.setsockopt(SOL_SOCKET, SO_CALLBACK, None);
        to.setblocking(true);
    };
    pass(client, server);
    pass(server, client);
}

TEST_CASE("ssl: a non-blocking handshake goes on in whatever turns the loop") {
    on_both([](scene& at) {
        auto [plain_server, plain_client] = at.connected();
        plain_server.settimeout(0);
        plain_client.settimeout(0);
        SSLContext there = serving();
        SSLContext here = asking();
        SSLSocket server = there.wrap_socket(std::move(plain_server), {.server_side = true});
        SSLSocket client =
            here.wrap_socket(std::move(plain_client), {.server_hostname = "weft.test"});
        CHECK(at.mask_of(client) == 0);
        CHECK(number_of([&] { client.do_handshake(); }) == EAGAIN);
        CHECK(number_of([&] { client.recv(1); }) == EAGAIN);
        CHECK(number_of([&] { client.send("x"); }) == EAGAIN);
        CHECK(number_of([&] { client.cipher(); }) == ENOTCONN);
        CHECK(text_of(client.read(1)) == "None");
        CHECK(client.write("x") == std::nullopt);
        CHECK(at.becomes(client, POLLOUT) == POLLOUT);
        client.do_handshake();
        CHECK(number_of([&] { client.recv(1); }) == EAGAIN);
        CHECK(client.send("hello") == 5);
        CHECK(at.becomes(server, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
        CHECK(server.recv(10) == "hello");
        CHECK(number_of([&] { server.recv(10); }) == EAGAIN);
    });
}

TEST_CASE("ssl: non-blocking calls alone, without a poll, come to the end of a handshake") {
    scene at;
    auto [plain_server, plain_client] = at.connected();
    plain_server.settimeout(0);
    plain_client.settimeout(0);
    SSLContext there = serving();
    SSLContext here = asking();
    SSLSocket server = there.wrap_socket(std::move(plain_server), {.server_side = true});
    SSLSocket client = here.wrap_socket(std::move(plain_client), {.server_hostname = "weft.test"});
    std::string got;
    bool sent = false;
    const weft::time_point end = weft::deadline_after(at.now(), at.w.patience());
    while (got != "hello" && at.now() < end) {
        sent = sent || client.write("hello").value_or(0) == 5;
        got += text_of(server.read(5).value_or(bytes()));
        if (at.known().virtual_time) {
            at.pass(1ms);
        }
    }
    CHECK(got == "hello");
}

TEST_CASE("ssl: do_handshake False: the handshake is the first call's that waits, by its timeout") {
    on_both([](scene& at) {
        auto [plain_server, plain_client] = at.connected();
        SSLContext there = serving();
        SSLContext here = asking();
        SSLSocket client = here.wrap_socket(
            std::move(plain_client),
            {.server_hostname = "weft.test", .do_handshake_on_connect = false});
        const duration limit = at.scaled(2s);
        client.settimeout(at.seconds(limit));
        times_out(at, limit, [&] { client.recv(1); });
        times_out(at, limit, [&] { client.do_handshake(); });
        times_out(at, limit, [&] { client.send("x"); });
        SSLSocket server = there.wrap_socket(
            std::move(plain_server), {.server_side = true, .do_handshake_on_connect = false});
        client.settimeout(None);
        CHECK(client.send("late") == 4); // the time that struck has ended the waiting alone
        CHECK(server.recv(10) == "late");
    });
}

TEST_CASE("ssl: poll says IN as long as TLS holds bytes that nobody has read") {
    on_both([](scene& at) {
        auto [server, client] = tls_connected(at);
        auto poller = uselect::poll();
        poller.register_(client, POLLIN);
        CHECK(poller.poll(0).empty());
        server.send("twelve bytes");
        CHECK(at.becomes(client, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
        for (int left = 12; left != 0; left -= 4) {
            CHECK(poller.poll(0).size() == 1);
            CHECK(client.recv(4).size() == 4);
        }
        CHECK(poller.poll(0).empty());
        CHECK(at.mask_of(client) == POLLOUT);
        server.close();
        CHECK(poller.poll(-1)[0].events == POLLIN); // its goodbye is the end of the stream
        CHECK(client.recv(4) == "");
    });
}

TEST_CASE("ssl: shutdown(SHUT_WR) says close_notify, and receiving goes on") {
    auto body = [](scene& at) {
        auto [server, client] = tls_connected(at);
        client.send("question");
        client.shutdown(usocket::SHUT_WR);
        CHECK(number_of([&] { client.send("x"); }) == EPIPE);
        CHECK(text_of(server.read()) == "question");
        server.send("answer");
        server.close();
        CHECK(text_of(client.read()) == "answer");
    };
    on_both(body);
}

TEST_CASE("ssl: an end without close_notify is told apart: OSError MBEDTLS_ERR_SSL_CONN_EOF") {
    on_both([](scene& at) {
        auto [server, plain_client] = at.connected();
        SSLContext there = serving();
        SSLContext here = asking();
        SSLSocket s = there.wrap_socket(
            std::move(server), {.server_side = true, .do_handshake_on_connect = false});
        plain_client.close();
        CHECK(number_of([&] { s.do_handshake(); }) == cut_short);
        CHECK(number_of([&] { s.do_handshake(); }) == ENOTCONN);
        CHECK(number_of([&] { s.recv(1); }) == ENOTCONN);
    });
}

TEST_CASE("ssl: errors have MicroPython's numbers and names") {
    scene at;
    const auto failure = [&](const char* name, const std::string& authority) {
        auto [plain_server, plain_client] = at.connected();
        SSLContext there = serving();
        SSLSocket server = there.wrap_socket(
            std::move(plain_server), {.server_side = true, .do_handshake_on_connect = false});
        try {
            (void)ussl::wrap_socket(
                std::move(plain_client),
                {.cert_reqs = ussl::CERT_REQUIRED, .cadata = authority, .server_hostname = name});
        } catch (const OSError& error) {
            CHECK(error.args[0] == refused_certificate);
            CHECK(std::string(error.name()) == "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
            CHECK(number_of([&] { server.recv(1); }) == told_by_alert);
            CHECK(server.recv(1) == "");
            return error.code();
        }
        return weft::errc::ok;
    };
    CHECK(failure("weft.test", made().stranger) == weft::errc::certificate_untrusted);
    CHECK(failure("other.test", made().authority) == weft::errc::certificate_wrong_name);

    auto [server, client] = at.connected();
    server.send("this is no TLS at all");
    try {
        (void)ussl::wrap_socket(std::move(client));
        FAIL("it was");
    } catch (const OSError& error) {
        CHECK(error.args[0] == not_tls);
        CHECK(
            std::string(error.what()) == "[Errno -29184] MBEDTLS_ERR_SSL_INVALID_RECORD: "
                                         "wrap_socket: the peer broke the rules of TLS");
    }
    CHECK(client.fileno() != -1); // still the caller's
    CHECK(number_of([&] { client.send("x"); }) == ENOTCONN);
}

TEST_CASE("ssl: cert_reqs CERT_REQUIRED of a server: a client without one is refused") {
    scene at;
    const auto meet = [&](bool shows, int mode) {
        auto [plain_server, plain_client] = at.connected();
        SSLContext there = serving();
        there.load_verify_locations(nullptr, made().authority);
        there.verify_mode = mode;
        SSLContext here = asking();
        if (shows) {
            here.load_cert_chain(made().client.certificate, made().client.key);
        }
        SSLSocket server = there.wrap_socket(
            std::move(plain_server), {.server_side = true, .do_handshake_on_connect = false});
        SSLSocket client = here.wrap_socket(
            std::move(plain_client),
            {.server_hostname = "weft.test", .do_handshake_on_connect = false});
        const int of_server = number_of([&] { server.do_handshake(); });
        const int of_client = number_of([&] { client.do_handshake(); });
        const bool seen = of_server == 0 && server.getpeercert(true).has_value();
        return std::tuple(of_server, of_client, seen);
    };
    CHECK(meet(true, ussl::CERT_REQUIRED) == std::tuple(0, 0, true));
    CHECK(meet(true, ussl::CERT_NONE) == std::tuple(0, 0, false));
    CHECK(meet(false, ussl::CERT_OPTIONAL) == std::tuple(0, 0, false));
    CHECK(meet(false, ussl::CERT_REQUIRED) == std::tuple(-0x7480, told_by_alert, false));
}

TEST_CASE("ssl: getpeercert(True) is DER, cipher() names suite and version") {
    scene at;
    auto [server, client] = tls_connected(at);
    CHECK(!server.getpeercert(true).has_value()); // None: clients were not asked for one
    const std::optional<bytes> shown = client.getpeercert(true);
    REQUIRE(shown.has_value());
    REQUIRE(shown->size() > 4);
    CHECK(shown->data()[0] == std::byte{0x30});
    CHECK(shown->find("weft.test") != bytes::npos);
    CHECK(number_of([&] { client.getpeercert(false); }) == EINVAL); // MicroPython has no other form
    const auto [suite, version] = client.cipher();
    CHECK(suite == server.cipher().first);
    CHECK(suite.starts_with("TLS"));
    CHECK(version.starts_with("TLSv1."));
}

TEST_CASE("ssl: set_ciphers() takes names of get_ciphers(), with hyphens or underscores") {
    scene at;
    constexpr std::string_view wanted = "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256";
    std::size_t found = 0;
    for (const std::string_view each : SSLContext::get_ciphers()) {
        found += each == wanted ? 1 : 0;
    }
    CHECK(found == 1);
    SSLContext here = asking();
    SSLContext there = serving();
    here.set_ciphers({"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"});
    CHECK(number_of([&] { here.set_ciphers({"TLS-FOO"}); }) == EINVAL);
    CHECK(number_of([&] { here.set_ciphers(std::span<const std::string_view>()); }) == EINVAL);
    auto [plain_server, plain_client] = at.connected();
    SSLSocket server = there.wrap_socket(
        std::move(plain_server), {.server_side = true, .do_handshake_on_connect = false});
    SSLSocket client = here.wrap_socket(std::move(plain_client), {.server_hostname = "weft.test"});
    CHECK(client.cipher().first == wanted);
}

TEST_CASE("ssl: what cannot be read, or does not fit, is EINVAL when it is given") {
    scene at;
    SSLContext context(ussl::PROTOCOL_TLS_SERVER);
    const auto& own = made().server;
    CHECK(number_of([&] { context.load_cert_chain("no certificate", own.key); }) == EINVAL);
    CHECK(number_of([&] { context.load_cert_chain(own.certificate, "no key"); }) == EINVAL);
    CHECK(
        number_of([&] { context.load_cert_chain(own.certificate, made().client.key); }) == EINVAL);
    CHECK(number_of([&] { context.load_verify_locations("/no/such/file"); }) == ENOENT);
    CHECK(number_of([&] { context.load_verify_locations(nullptr, "no certificate"); }) == EINVAL);
    context.load_verify_locations((made().directory + "/authority.pem").c_str());

    auto [server, client] = at.connected();
    CHECK(number_of([&] { context.wrap_socket(std::move(server)); }) == EINVAL); // server_side
    SSLContext nobody(ussl::PROTOCOL_TLS_CLIENT);
    nobody.verify_mode = ussl::CERT_REQUIRED;
    CHECK(number_of([&] { // no authorities
              nobody.wrap_socket(std::move(client), {.server_hostname = "weft.test"});
          }) == EINVAL);
    SSLContext here = asking();
    CHECK(number_of([&] { here.wrap_socket(std::move(client)); }) == EINVAL); // no name
    socket datagrams = at.client(SOCK_DGRAM);
    CHECK(number_of([&] { ussl::wrap_socket(std::move(datagrams)); }) == EOPNOTSUPP);
    CHECK(server.send("plain") == 5); // nothing has happened to them
    CHECK(client.recv(5) == "plain");
}

TEST_CASE("ssl: bytes that came before wrap_socket() and nobody took are not taken for TLS's") {
    scene at;
    auto [server, client] = at.connected();
    server.send("220 go ahead\r\ninjected");
    CHECK(text_of(client.readline()) == "220 go ahead\r\n");
    CHECK(number_of([&] { ussl::wrap_socket(std::move(client)); }) == EINVAL);
    CHECK(client.recv(100) == "injected");
}

TEST_CASE("IPPROTO_SEC: connect() and accepted connections shake hands by the default context") {
    on_both([](scene& at) {
        use(at.w.server_net());
        socket listener(at.af(), SOCK_STREAM, IPPROTO_SEC);
        listener.bind(at.server_at());
        listener.listen(4);
        SSLContext own = serving();
        ussl::use(own);
        use(at.w.client_net());
        socket client(at.af(), SOCK_STREAM, IPPROTO_SEC);
        client.settimeout(0);
        CHECK(number_of([&] { client.connect(listener.getsockname()); }) == EINPROGRESS);
        auto [server, from] = listener.accept();
        CHECK(at.becomes(client, POLLOUT) == POLLOUT); // TCP's connection alone would not do
        client.setblocking(true);
        CHECK(number_of([&] { client.connect(listener.getsockname()); }) == EISCONN);
        client.send("secret");
        CHECK(server.recv(10) == "secret");

        socket plain = at.client();
        plain.connect(listener.getsockname());
        auto [second, there] = listener.accept(); // does not wait for the handshake
        const duration limit = at.scaled(1s);
        second.settimeout(at.seconds(limit));
        times_out(at, limit, [&] { second.recv(1); });
    });
}

TEST_CASE("IPPROTO_SEC: without a certificate nobody accepts; a deaf server times connect() out") {
    scene at;
    SSLContext none(ussl::PROTOCOL_TLS_SERVER);
    CHECK(number_of([&] { ussl::use(none); }) == EINVAL);
    socket listener = at.listener();
    const duration limit = at.scaled(3s);
    socket client(at.af(), SOCK_STREAM, IPPROTO_SEC);
    client.settimeout(at.seconds(limit));
    times_out(at, limit, [&] { client.connect(listener.getsockname()); });
    CHECK(number_of([&] { client.recv(1); }) == ENOTCONN);
}

TEST_CASE("IPPROTO_SEC: wrapped before connect() or listen(), or after; never one in another") {
    on_both([](scene& at) {
        SSLContext there = serving();
        SSLContext here = asking();
        use(at.w.server_net());
        SSLSocket listener =
            there.wrap_socket(socket(at.af(), SOCK_STREAM, IPPROTO_SEC), {.server_side = true});
        use(at.w.client_net());
        listener.bind(at.server_at());
        listener.listen(4);
        CHECK(number_of([&] {
                  here.wrap_socket(std::move(listener), {.server_hostname = "x"});
              }) == EINVAL);

        SSLSocket client = here.wrap_socket(
            socket(at.af(), SOCK_STREAM, IPPROTO_SEC), {.server_hostname = "weft.test"});
        client.settimeout(0);
        CHECK(number_of([&] { client.connect(listener.getsockname()); }) == EINPROGRESS);
        auto [server, from] = listener.accept();
        CHECK(at.becomes(client, POLLOUT) == POLLOUT);
        CHECK(client.getpeercert(true).has_value());
        server.do_handshake();
        client.send("once");
        CHECK(server.recv(10) == "once");
        CHECK(number_of([&] {
                  here.wrap_socket(std::move(client), {.server_hostname = "weft.test"});
              }) == EISCONN);

        // by default first: then a context that asks for no more changes nothing, another cannot
        socket early(at.af(), SOCK_STREAM, IPPROTO_SEC);
        early.settimeout(0);
        CHECK(number_of([&] { early.connect(listener.getsockname()); }) == EINPROGRESS);
        auto [second, there_too] = listener.accept();
        CHECK(at.becomes(early, POLLOUT) == POLLOUT);
        CHECK(number_of([&] {
                  here.wrap_socket(std::move(early), {.server_hostname = "weft.test"});
              }) == EISCONN);
        SSLSocket same = ussl::wrap_socket(std::move(early));
        same.setblocking(true);
        same.send("once");
        CHECK(second.recv(10) == "once");
    });
}

TEST_CASE("ssl: a closed one is EBADF, and another socket's call closes it within a callback") {
    scene at;
    auto [server, client] = tls_connected(at);
    client.setsockopt(SOL_SOCKET, SO_CALLBACK, [](socket& s) { s.close(); });
    server.send("x");
    CHECK(at.until([&] { return client.fileno() == -1; }));
    CHECK(number_of([&] { client.recv(1); }) == EBADF);
    CHECK(number_of([&] { client.cipher(); }) == EBADF);
    CHECK(number_of([&] { client.do_handshake(); }) == EBADF);
}

} // namespace
} // namespace contract
