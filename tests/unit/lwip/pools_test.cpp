// lwip_pools: what is in use, what was at most, and what was refused. Linked with a weft that
// counts.
#include <weft/lwip.hpp>
#include <weft/stack.hpp>

#include "stack/lwip/api.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace {

weft::lwip_pool pool(const std::string& name) {
    for (const weft::lwip_pool& each : weft::lwip_pools{}) {
        if (each.name == name) {
            return each;
        }
    }
    FAIL("no pool of this name: ", name);
    return {};
}

struct world {
    world() {
        weft::lwip_options options;
        options.seed = 7;
        auto made = weft::make_lwip_stack(home, options);
        REQUIRE(made);
        net = std::move(*made);
    }
    weft::virtual_driver clock;
    weft::loop home{clock};
    std::unique_ptr<weft::stack> net;
};

} // namespace

TEST_CASE("every pool has a name of its own and a limit, and none is beyond it") {
    const world w;
    std::set<std::string> names;
    std::size_t count = 0;
    for (const weft::lwip_pool& each : weft::lwip_pools{}) {
        INFO(each.name);
        CHECK(names.insert(each.name).second);
        CHECK(each.limit > 0);
        CHECK(each.used <= each.most_used);
        CHECK(each.most_used <= each.limit);
        CHECK(each.failures == 0);
        ++count;
    }
    CHECK(count == MEMP_MAX); // the host profile's heap is libc's, which nobody counts
    CHECK(weft::lwip_pools{}.size() == count);
    CHECK(pool("TCP_PCB").limit == MEMP_NUM_TCP_PCB);
    CHECK(pool("PBUF_POOL").limit == PBUF_POOL_SIZE);
}

TEST_CASE("a pool counts what is taken, what was taken at most, and what it could not give") {
    const world w;
    const std::size_t before = pool("UDP_PCB").used;
    const std::uint32_t refused = pool("UDP_PCB").failures;
    const std::size_t room = MEMP_NUM_UDP_PCB - before;
    std::vector<weft::udp_socket> sockets;
    for (std::size_t i = 0; i < room; ++i) {
        auto socket = w.net->bind_udp({weft::address::loopback(), 0});
        REQUIRE(socket);
        sockets.push_back(std::move(*socket));
        REQUIRE(pool("UDP_PCB").used == before + i + 1);
    }
    for (std::uint32_t i = 1; i <= 3; ++i) {
        CHECK(w.net->bind_udp({weft::address::loopback(), 0}).error() == weft::errc::no_memory);
        CHECK(pool("UDP_PCB").failures == refused + i);
    }
    sockets.clear();
    CHECK(pool("UDP_PCB").used == before);
    CHECK(pool("UDP_PCB").most_used == MEMP_NUM_UDP_PCB);
    CHECK(pool("UDP_PCB").failures == refused + 3);
}
