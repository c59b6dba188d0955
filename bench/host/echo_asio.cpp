// Echo over Asio (Debian's, header only) as its documentation shows: one C++20 coroutine a
// connection, each with its own buffer, async_read_some and async_write.

#include <memory>
#include <vector>

#include <asio.hpp>

#include "server.hpp"

namespace {

int live = 0;

asio::awaitable<void>
serve(asio::ip::tcp::socket peer, std::size_t size, asio::ip::tcp::acceptor& acceptor) {
    try {
        std::vector<char> buffer(size);
        for (;;) {
            const std::size_t n =
                co_await peer.async_read_some(asio::buffer(buffer), asio::use_awaitable);
            co_await asio::async_write(peer, asio::buffer(buffer, n), asio::use_awaitable);
        }
    } catch (const asio::system_error&) {
        // The peer has closed.
    }
    if (--live == 0)
        acceptor.close();
}

asio::awaitable<void> accept_all(asio::ip::tcp::acceptor& acceptor, std::size_t size) {
    try {
        for (;;) {
            asio::ip::tcp::socket peer = co_await acceptor.async_accept(asio::use_awaitable);
            peer.set_option(asio::ip::tcp::no_delay(true));
            ++live;
            asio::co_spawn(
                acceptor.get_executor(), serve(std::move(peer), size, acceptor), asio::detached);
        }
    } catch (const asio::system_error&) {
        // The acceptor was closed: the last connection is gone.
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto options = bench::parse(argc, argv);
    try {
        asio::io_context context(1);
        asio::ip::tcp::acceptor acceptor(context);
        acceptor.open(asio::ip::tcp::v4());
        acceptor.set_option(asio::socket_base::reuse_address(true));
        acceptor.bind({asio::ip::address_v4::loopback(), options.port});
        acceptor.listen(bench::backlog);
        bench::announce(acceptor.local_endpoint().port());
        asio::co_spawn(context, accept_all(acceptor, options.buffer), asio::detached);
        context.run();
    } catch (const std::exception& error) {
        bench::fail("cannot serve", error.what());
    }
}
