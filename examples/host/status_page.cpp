// A status page for browsers, and the same as JSON. Its coroutines, programs/status_page.cpp, are
// those of the board's status page.
//
//     status_page --bind 127.0.0.1:8080
//     curl http://127.0.0.1:8080/status.json
#include "common/start.hpp"

#include <lwip_device.hpp>

#include <chrono>

namespace {

class this_host final : public programs::lwip_device {
  public:
    explicit this_host(const weft::stack& net) : on_lwip_(net.name() == "lwip") {}

    std::string_view name() noexcept override {
        return on_lwip_ ? "weft on a host, over lwIP" : "weft on a host";
    }
    programs::link_state link() noexcept override { return programs::link_state::up; }
    // On the host's stack the kernel counts everybody's.
    programs::socket_usage sockets() noexcept override {
        return on_lwip_ ? lwip_device::sockets() : programs::socket_usage{};
    }
    bool pool(std::size_t index, programs::pool_usage& into) noexcept override {
        return on_lwip_ && lwip_device::pool(index, into);
    }
    void listening(const weft::endpoint& at) noexcept override {
        example::say("http://{}/ over {}", at, on_lwip_ ? "lwip" : "host");
    }

  private:
    bool on_lwip_;
};

weft::task<> serve(weft::stack& net, weft::endpoint at, programs::status_start start) {
    this_host shown(net);
    const auto done = co_await programs::status_page(net, at, shown, start);
    if (!done) {
        co_await weft::fail(done.error());
    }
}

} // namespace

int main(int argc, char** argv) {
    example::program self("status_page", "Serves GET / for browsers, and GET /status.json.");
    const weft::endpoint& at = self.endpoint("--bind", "127.0.0.1:8080", "where to listen");
    programs::status_start start;
    std::int64_t patience = 10'000;
    self.number("--connections", start.connections, 1, 10'000, "at a time; the next are told 503");
    self.number("--patience", patience, 1, 3'600'000, "for a request and its answer, in ms");
    return self.run(argc, argv, [&](weft::stack& net) {
        start.patience = std::chrono::milliseconds(patience);
        return serve(net, at, start);
    });
}
