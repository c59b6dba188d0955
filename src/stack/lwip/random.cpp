#include "stack/lwip/random.hpp"

#include <bit>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <cerrno>
#include <sys/random.h>
#else
extern "C" void weft_port_random(void* into, std::size_t size); // a port must provide it
#endif

namespace weft::lwip {

namespace {

void fill_from_system(void* into, std::size_t size) noexcept {
#if defined(__linux__)
    auto* at = static_cast<std::byte*>(into);
    while (size != 0) {
        const ssize_t n = getrandom(at, size, 0);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            std::abort();
        }
        at += n;
        size -= static_cast<std::size_t>(n);
    }
#else
    weft_port_random(into, size);
#endif
}

#if !WEFT_ONE_STACK
std::uint64_t splitmix(std::uint64_t& state) noexcept {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}
#endif

} // namespace

constinit random_source random_source::the_only_;

void random_source::seed_from_system() noexcept {
#if !WEFT_ONE_STACK
    deterministic_ = false;
#endif
    system_left_ = 0;
    fill_from_system(secret_.data(), sizeof(secret_));
    last_port_ = static_cast<std::uint16_t>(next());
}

#if !WEFT_ONE_STACK
void random_source::seed(std::uint64_t value) noexcept {
    deterministic_ = true;
    state_ = value;
    secret_ = {splitmix(state_), splitmix(state_)};
    last_port_ = static_cast<std::uint16_t>(next());
}
#endif

std::uint32_t random_source::next() noexcept {
#if !WEFT_ONE_STACK
    if (deterministic_) {
        return static_cast<std::uint32_t>(splitmix(state_) >> 32);
    }
#endif
    if (system_left_ == 0) {
        fill_from_system(system_.data(), sizeof(system_));
        system_left_ = system_.size();
    }
    return system_[--system_left_];
}

std::uint16_t random_source::next_port() noexcept {
    constexpr unsigned first = 49152;
    constexpr unsigned count = 16384;
    constexpr unsigned longest_step = count / 32;
    last_port_ = static_cast<std::uint16_t>(last_port_ + 1 + next() % longest_step);
    return static_cast<std::uint16_t>(first + last_port_ % count);
}

std::uint64_t random_source::keyed_hash(std::span<const std::byte> message) const noexcept {
    std::uint64_t v0 = secret_[0] ^ 0x736f6d6570736575U;
    std::uint64_t v1 = secret_[1] ^ 0x646f72616e646f6dU;
    std::uint64_t v2 = secret_[0] ^ 0x6c7967656e657261U;
    std::uint64_t v3 = secret_[1] ^ 0x7465646279746573U;
    const auto round = [&] {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    };
    const auto absorb = [&](std::uint64_t word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    };
    const std::size_t length = message.size();
    while (message.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, message.data(), 8);
        absorb(word);
        message = message.subspan(8);
    }
    std::uint64_t last = static_cast<std::uint64_t>(length) << 56;
    std::memcpy(&last, message.data(), message.size());
    absorb(last);
    v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) {
        round();
    }
    return v0 ^ v1 ^ v2 ^ v3;
}

} // namespace weft::lwip
