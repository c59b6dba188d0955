// The status page of programs/status_page.cpp at port 80, until a 'q' comes over the console.
#include "board.hpp"
#include "lan9118.h"

#include <lwip_device.hpp>

#include <chrono>

namespace {

class this_board final : public programs::lwip_device {
  public:
    std::string_view name() noexcept override { return "weft on an MPS2 board"; }
    programs::link_state link() noexcept override {
        return lan9118_link_up() ? programs::link_state::up : programs::link_state::down;
    }
    std::uint32_t frames_size() noexcept override { return board::frame_bytes; }
    void listening(const weft::endpoint& at) noexcept override {
        board::say("a status page at port ", at.port);
    }
};

this_board shown;

weft::task<> serve(weft::stack& net) {
    using namespace std::chrono_literals;
    return programs::status_page(
        net, {weft::address::any(), 80}, shown, {.connections = 4, .patience = 3s});
}

} // namespace

int main() {
    return board::run(&serve);
}
