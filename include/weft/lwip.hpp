// The lwIP stack: lwIP's raw API, NO_SYS=1, on a link of frames or on its loopback.
//
//     auto tap = weft::make_tap_link({.name = "tap0"});
//     auto net = weft::make_lwip_stack(loop, {.link = tap->get(), .driver = driver,
//                                             .ipv4 =
//                                             *weft::interface_address::parse("10.0.0.2/24")});
//
// There is one lwIP in a process: several stacks are several hosts of it, one netif each, all on
// one loop. They share pools and caches, and really talk over their links.
#pragma once

#include <weft/address.hpp>
#include <weft/link.hpp>
#include <weft/loop.hpp>
#include <weft/result.hpp>
#include <weft/stack.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weft {

class descriptor_driver;

/// An address with the length of its network's prefix.
struct interface_address {
    weft::address address;
    std::uint8_t prefix = 0;

    /// "10.0.0.2/24" or "fd00::2/64". errc::invalid_argument for anything else.
    [[nodiscard]] static result<interface_address> parse(std::string_view text) noexcept;
};

namespace lwip {
class host;
/// errc::ok, or what is wrong with them; `by`, if it is not null, has them from now on.
errc use_option(const interface_address* addresses, std::size_t count, host* by) noexcept;
errc use_option(const address* name_servers, std::size_t count, host* by) noexcept;
} // namespace lwip

/// A list among the options.
#if WEFT_ONE_STACK
template <class T>
class option_list : public std::span<const T> {
  public:
    constexpr option_list() noexcept = default;
    template <class... A>
        requires(sizeof...(A) != 0 && std::is_constructible_v<std::span<const T>, A...>)
    constexpr option_list(A&&... list) noexcept
        : std::span<const T>(std::forward<A>(list)...), use_(&lwip::use_option) {}

    errc use(lwip::host* by) const noexcept {
        return use_ != nullptr ? use_(this->data(), this->size(), by) : errc::ok;
    }

  private:
    // Only a program that gives a list links what that takes. The list's elements and not itself:
    // of options whose address nobody has the compiler makes constants.
    errc (*use_)(const T* list, std::size_t size, lwip::host* by) noexcept = nullptr;
};
#else
template <class T>
using option_list = std::span<const T>;
#endif

struct lwip_options {
    /// Not owned; must outlive the stack. Null: this stack is lwIP's loopback, 127.0.0.1 and ::1.
    weft::link* link = nullptr;
    /// The loop's driver, for links that have a descriptor; may be null for others.
    descriptor_driver* driver = nullptr;
    std::optional<interface_address> ipv4 = {};
    std::optional<address> gateway = {};
    /// Static IPv6 addresses beside the link-local one; up to three.
    option_list<interface_address> ipv6 = {};
    /// Who is asked for names, in this order, at port 53; at most DNS_MAX_SERVERS of the profile: 4
    /// on hosts, 2 or 1 on boards. None: those that routers announce (RFC 8106), or nobody.
    option_list<address> name_servers = {};
    /// Simulation: initial sequence numbers, ports and ids come from this seed. Unset: from the
    /// system's random source.
    std::optional<std::uint64_t> seed = {};
};

/// errc::invalid_argument: a link of zero MTU, an address that is none, too many servers;
/// errc::busy: lwIP already runs on another loop, or the loopback stack exists, or on a board any
/// stack: it has one (weft/one_stack.hpp), and a seed is errc::not_supported there;
/// errc::no_memory.
///
/// Destroying it aborts what is still open. To let sent data arrive, run the loop until
/// stack::drained().
///
/// Names are resolved by lwIP's DNS client: one address of each family, over UDP, without a search
/// list, kept as long as the server allows in a table that all stacks share. It asks for one stack
/// at a time: others' names wait until that one's are answered or given up.
[[nodiscard]] result<std::unique_ptr<stack>>
make_lwip_stack(loop& home, const lwip_options& options) noexcept;

/// What is in use in the one lwIP of this process, all stacks together.
struct lwip_usage {
    std::size_t tcp_active = 0; // connecting, connected or closing
    std::size_t tcp_listening = 0;
    std::size_t tcp_bound = 0;
    std::size_t tcp_time_wait = 0;
    std::size_t udp = 0;
};
[[nodiscard]] lwip_usage count_lwip_usage() noexcept;

/// One of lwIP's pools, which have fixed numbers of elements, or its heap.
struct lwip_pool {
    const char* name = ""; // as lwIP calls it: "TCP_PCB", "PBUF_POOL", "HEAP"
    std::size_t used = 0;  // elements; of the heap bytes
    std::size_t most_used = 0;
    std::size_t limit = 0;
    std::uint32_t failures = 0; // how often it was asked for more than it had
};

/// All pools, and then the heap where it is lwIP's own (profiles small and tiny). Empty unless lwIP
/// was compiled to count (Meson option lwip_stats), which takes 20 B a pool on Cortex-M and a few
/// instructions of each allocation.
///
///     for (const weft::lwip_pool& each : weft::lwip_pools{}) { ... each.name, each.used ... }
class lwip_pools {
  public:
    class iterator {
      public:
        explicit iterator(std::size_t at) noexcept : at_(at) {}
        lwip_pool operator*() const noexcept { return lwip_pools{}[at_]; }
        iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        friend bool operator==(const iterator&, const iterator&) noexcept = default;

      private:
        std::size_t at_;
    };

    [[nodiscard]] std::size_t size() const noexcept;
    /// As it is now; `index` is below size().
    [[nodiscard]] lwip_pool operator[](std::size_t index) const noexcept;
    [[nodiscard]] iterator begin() const noexcept { return iterator(0); }
    [[nodiscard]] iterator end() const noexcept { return iterator(size()); }
};

/// The release that was compiled in: "2.2.1".
[[nodiscard]] const char* lwip_version() noexcept;

} // namespace weft
