// The status page of programs/secure_status_page.cpp at port 443, until a 'q' comes over the
// console.
#include "board.hpp"
#include "identity.hpp"
#include "lan9118.h"

#include <lwip_device.hpp>
#include <secure_status_page.hpp>

#include <weft/tls_arena.hpp>

#include <chrono>
#include <string_view>

namespace {

// 4 KB of certificate and key, 10 KB for each of four connections, and 4 KB for a handshake. A
// fifth connection is refused.
constinit weft::tls_arena<48 * 1024> secrets;

class this_board final : public programs::lwip_device, public programs::handshakes {
  public:
    std::string_view name() noexcept override { return "weft on an MPS2 board, over TLS"; }
    programs::link_state link() noexcept override {
        return lan9118_link_up() ? programs::link_state::up : programs::link_state::down;
    }
    std::uint32_t frames_size() noexcept override { return board::frame_bytes; }
    bool pool(std::size_t index, programs::pool_usage& into) noexcept override {
        if (index > 0) {
            return lwip_device::pool(index - 1, into);
        }
        into = {
            "TLS", weft::tls_memory::in_use(), weft::tls_memory::high_water(),
            weft::tls_memory::arena_size(), weft::tls_memory::refused()};
        return true;
    }
    void listening(const weft::endpoint& at) noexcept override {
        board::say("a status page over TLS at port ", at.port);
    }
    void failed(weft::errc why) noexcept override { board::say("a handshake: ", why); }
};

this_board shown;

template <std::size_t N>
std::string_view der(const unsigned char (&bytes)[N]) noexcept {
    return {reinterpret_cast<const char*>(bytes), N};
}

weft::task<> serve(weft::stack& net) {
    using namespace std::chrono_literals;
    auto own = weft::tls_context::server(
        {.certificate = der(board_certificate),
         .key = der(board_key),
         .verify = weft::tls_verify::none});
    if (!own) {
        co_await weft::fail(own.error());
    }
    const auto done = co_await programs::secure_status_page(
        net, {weft::address::any(), 443}, std::move(*own), shown, shown,
        {.connections = 6, .patience = 5s});
    if (!done) {
        co_await weft::fail(done.error());
    }
}

} // namespace

int main() {
    secrets.use();
    return board::run(&serve);
}
