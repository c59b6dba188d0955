// What lwIP asks of random numbers. Apart from core.cpp, so that a program that runs lwIP by hand
// may have these and nothing else of weft.

#include "stack/lwip/api.hpp"
#include "stack/lwip/random.hpp"

#include <weft_lwip_hooks.h>

#include <array>
#include <cstddef>
#include <cstring>

using weft::lwip::random_source;

extern "C" {

void weft_lwip_random_start(void) {
    random_source::instance().seed_from_system();
}

u32_t weft_lwip_rand(void) {
    return random_source::instance().next();
}

// RFC 6528: M + F(local, remote, secret), M a clock of 4 microseconds.
u32_t weft_lwip_tcp_isn(
    const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port) {
    // the addresses' bytes alone: the padding of ip_addr_t would differ from one time to the next
    std::array<std::byte, 36> tuple{};
    const auto put = [&tuple](std::size_t at, const ip_addr_t* ip) {
        if (IP_IS_V4(ip)) {
            std::memcpy(&tuple[at], &ip_2_ip4(ip)->addr, 4);
        }
#if LWIP_IPV6
        else {
            std::memcpy(&tuple[at], ip_2_ip6(ip)->addr, 16);
        }
#endif
    };
    put(0, local_ip);
    put(16, remote_ip);
    std::memcpy(&tuple[32], &local_port, 2);
    std::memcpy(&tuple[34], &remote_port, 2);
    return static_cast<u32_t>(random_source::instance().keyed_hash(tuple)) +
           weft_lwip_sequence_clock();
}
}
