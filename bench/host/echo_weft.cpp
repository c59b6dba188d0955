// The echo server over weft's host stack.
//
//     echo_weft PORT [--buffer BYTES]

#include "server.hpp"

#include <weft/host.hpp>
#include <weft/sync_wait.hpp>
#include <weft/task_group.hpp>

#include <array>

namespace {

template <std::size_t Size>
weft::task<> serve(weft::tcp_stream peer) {
    std::array<std::byte, Size> buffer;
    while (true) {
        auto n = co_await peer.recv(buffer);
        if (!n || *n == 0) {
            co_return;
        }
        auto sent = co_await peer.send_all(buffer.data(), *n);
        if (!sent) {
            co_return;
        }
    }
}

// Ends when the last connection has closed.
weft::task<> last_closes(weft::task_group& peers, weft::tcp_listener& listener) {
    auto joined = co_await peers.join();
    static_cast<void>(joined);
    listener.close();
}

weft::task<> echo(weft::stack& net, const bench::server_options& options) {
    const weft::endpoint at{weft::address::loopback(), options.port};
    auto listener = net.listen(at, bench::backlog);
    if (!listener) {
        bench::fail("listen", weft::message(listener.error()));
    }
    bench::announce(listener->local()->port);
    weft::task_group peers(net.loop());
    weft::task_group watch(net.loop());
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            break;
        }
        static_cast<void>(peer->set_no_delay(true));
        const auto spawned = options.buffer <= 64 ? peers.spawn(serve<64>(std::move(*peer)))
                                                  : peers.spawn(serve<1024>(std::move(*peer)));
        if (!spawned) {
            bench::fail("spawn", weft::message(spawned.error()));
        }
        if (watch.size() == 0) {
            static_cast<void>(watch.spawn(last_closes(peers, *listener)));
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    const bench::server_options options = bench::parse(argc, argv);
    bench::raise_file_limit();
    auto driver = weft::make_descriptor_driver();
    if (!driver) {
        bench::fail("driver", weft::message(driver.error()));
    }
    weft::loop loop(**driver);
    auto net = weft::make_host_stack(loop, **driver);
    if (!net) {
        bench::fail("stack", weft::message(net.error()));
    }
    auto done = weft::sync_wait(loop, echo(**net, options));
    if (!done) {
        bench::fail("echo", weft::message(done.error()));
    }
}
