#include "secure_status_page.hpp"

#include <weft/loop.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <utility>

namespace programs {
namespace {

/// The place of a connection, from before its handshake.
class place {
  public:
    explicit place(std::uint32_t& taken) noexcept : taken_(&taken) { ++taken; }
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    ~place() { --*taken_; }

  private:
    std::uint32_t* taken_;
};

struct secure_server {
    status_server pages;
    weft::tls_context own;
    handshakes* told;
    std::uint32_t taken = 0;
};

weft::task<> answer(secure_server& shared, weft::tcp_stream plain) {
    const place mine(shared.taken);
    auto shaking = weft::tls_stream::server(shared.own, std::move(plain));
    auto peer = co_await weft::timeout(std::move(shaking), shared.pages.patience);
    if (!peer) {
        shared.told->failed(peer.error());
        co_return;
    }
    [[maybe_unused]] const auto done = co_await serve_status(shared.pages, std::move(*peer));
}

} // namespace

weft::task<> secure_status_page(
    weft::stack& net, weft::endpoint at, weft::tls_context own, device& shown, handshakes& told,
    status_start start) {
    auto listener = net.listen(at, start.connections);
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    const auto local = listener->local();
    shown.listening(local ? *local : at);
    secure_server shared{
        {&net, &shown, start.patience, net.loop().now(), {}}, std::move(own), &told};
    weft::task_group peers{net.loop()};
    while (true) {
        auto plain = co_await listener->accept();
        if (!plain) {
            co_await weft::fail(plain.error());
        }
        if (shared.taken >= start.connections) {
            ++shared.pages.counters.refused;
            continue;
        }
        const auto spawned = peers.spawn(answer(shared, std::move(*plain)));
        if (!spawned) {
            ++shared.pages.counters.refused;
        }
    }
}

} // namespace programs
