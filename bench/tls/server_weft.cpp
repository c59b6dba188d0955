// A TLS server over weft's host stack: `GET /N` is answered by N bytes and the end, anything else
// is echoed. It serves until it is killed.
//
//     tls_server_weft CERTIFICATE KEY

#include "certificate.hpp"

#include <weft/host.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>

#include <array>
#include <string_view>

namespace {

constexpr std::array<std::byte, 65536> page{};

weft::task<> give(weft::tls_stream& peer, std::uint64_t size) {
    constexpr std::string_view head = "HTTP/1.0 200 OK\r\n\r\n";
    auto begun = co_await peer.send_all(head);
    bool taken = begun.error() == weft::errc::ok;
    while (taken && size > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(size, page.size()));
        auto sent = co_await peer.send_all(std::span(page).first(n));
        taken = sent.error() == weft::errc::ok;
        size -= n;
    }
}

weft::task<> serve(const weft::tls_context& own, weft::tcp_stream plain) {
    auto peer = co_await weft::tls_stream::server(own, std::move(plain));
    if (!peer) {
        co_return;
    }
    static_cast<void>(peer->set_no_delay(true));
    std::array<char, 512> buffer;
    while (true) {
        auto n = co_await peer->recv(std::as_writable_bytes(std::span(buffer)));
        if (!n || *n == 0) {
            co_return;
        }
        std::string_view request(buffer.data(), *n);
        if (request.starts_with("GET /")) {
            request = request.substr(5, request.find(' ', 5) - 5);
            auto given = co_await give(*peer, bench::number<std::uint64_t>(request, "GET"));
            static_cast<void>(given);
            co_return;
        }
        auto sent = co_await peer->send_all(std::as_bytes(std::span(buffer).first(*n)));
        if (!sent) {
            co_return;
        }
    }
}

weft::task<> serve_all(weft::stack& net, const weft::tls_context& own) {
    auto listener = net.listen({weft::address::loopback(), 0}, bench::backlog);
    if (!listener) {
        bench::fail("listen", weft::message(listener.error()));
    }
    bench::announce(listener->local()->port);
    weft::task_group peers(net.loop());
    while (true) {
        auto plain = co_await listener->accept();
        if (!plain) {
            bench::fail("accept", weft::message(plain.error()));
        }
        static_cast<void>(peers.spawn(serve(own, std::move(*plain))));
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        bench::fail(argv[0], "usage: CERTIFICATE KEY");
    }
    bench::raise_file_limit();
    const weft::tls_context own = bench::server_context(argv[1], argv[2]);
    auto driver = weft::make_descriptor_driver();
    if (!driver) {
        bench::fail("driver", weft::message(driver.error()));
    }
    weft::loop loop(**driver);
    auto net = weft::make_host_stack(loop, **driver);
    if (!net) {
        bench::fail("stack", weft::message(net.error()));
    }
    static_cast<void>(weft::sync_wait(loop, serve_all(**net, own)));
}
