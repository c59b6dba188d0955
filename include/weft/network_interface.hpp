// network_interface: what a device asks of its network interface: is there a network, which
// addresses are mine, DHCP or an address of my own, and waiting until the network can be used or is
// lost.
//
//     weft::network_interface netif{net};                     // the one of an lwIP stack
//     weft::result<> asked = netif.use_dhcp("sensor-7");
//     auto up = co_await netif.up();
//     ...
//     auto lost = co_await netif.down();
#pragma once

#include <weft/address.hpp>
#include <weft/link.hpp>
#include <weft/list.hpp>
#include <weft/lwip.hpp>
#include <weft/resolve.hpp>
#include <weft/result.hpp>
#include <weft/wait.hpp>

#include <coroutine>
#include <cstdint>
#include <optional>
#include <span>

namespace weft {

/// The interface of one lwIP stack; any number of these may look at the same one. Single-threaded.
/// What it sets up stays when it goes. On a stack that is not lwIP's, and once the stack is gone,
/// nothing is up and every operation fails.
///
/// A stack always has a link-local IPv6 address and those of RFC 4862 that routers announce,
/// without being asked. Lost and found again, the link is followed by DHCP, router solicitations
/// and announcements to neighbours, by themselves; connections wait meanwhile.
class network_interface : public list_node {
  public:
    explicit network_interface(stack& of) noexcept;
    network_interface(const network_interface&) = delete;
    network_interface& operator=(const network_interface&) = delete;
    /// Waits end with errc::bad_handle.
    ~network_interface();

    // --- what is

    [[nodiscard]] bool link_up() const noexcept;
    /// True if the link is up and there is an address to speak from. ipv4: one that was given, or
    /// that a DHCP server has confirmed since the link came up. ipv6: beyond the link, and
    /// preferred (RFC 4862: no neighbour has it, and its lifetime is not over). any: one of these.
    [[nodiscard]] bool is_up(families wanted = families::ipv4) const noexcept;

    [[nodiscard]] std::optional<interface_address> ipv4() const noexcept;
    [[nodiscard]] std::optional<address> gateway() const noexcept;
    /// Writes the IPv6 addresses that can be used, the link-local one first, as far as they fit,
    /// and returns what was written. Up to four.
    std::span<address> ipv6(std::span<address> into) const noexcept;
    /// The same of the name servers that are asked: those of lwip_options, or else those that DHCP
    /// and routers announced. Up to four.
    std::span<address> name_servers(std::span<address> into) const noexcept;
    /// All zero if there is no link.
    [[nodiscard]] weft::hardware_address link_address() const noexcept;
    /// Frames that the stack sent and the link did not take: it was down, or its queue was full.
    [[nodiscard]] std::uint32_t frames_dropped() const noexcept;

    // --- where the IPv4 address comes from

    /// Asks a DHCP server (RFC 2131) for the IPv4 address, the gateway and name servers, and goes
    /// on asking, until the stack goes: renews the lease, and confirms it when the link was lost.
    /// Until there is an answer there is no address: one that was given before goes, and its
    /// connections end with errc::timed_out, as they do when the server gives another one. Called
    /// again it begins anew.
    ///
    /// `host_name`, if any, is told to the server (option 12): 1 to 32 letters, digits, '-' and
    /// '.', not copied: it stays as it is while the stack lives.
    ///
    /// errc::invalid_argument: another name, or a link with an MTU below 576; errc::no_memory;
    /// errc::not_supported: not lwIP's, its loopback, or lwIP without DHCP; errc::network_down: the
    /// stack is gone.
    result<> use_dhcp(const char* host_name = nullptr) noexcept;

    /// Has this IPv4 address from now on; ends DHCP and gives its lease back. Connections from
    /// another address end with errc::timed_out. errc::invalid_argument: no IPv4 address;
    /// errc::not_supported, errc::network_down as above.
    result<> use_static(const interface_address& at, std::optional<address> gateway = {}) noexcept;

    // --- waits

    class [[nodiscard]] waiting : public wait_node {
      public:
        waiting(network_interface& of, families wanted, bool until_up) noexcept
            : owner_(&of), wanted_(wanted), until_up_(until_up) {}
        static bool await_ready() noexcept { return false; }

        template <class P>
        bool await_suspend(std::coroutine_handle<P> caller) noexcept {
            const bool may_try = enter(caller).spend();
            return wait(caller, may_try);
        }
        result<> await_resume() noexcept {
            finish();
            if (ended_ != errc::ok) {
                return fail(ended_);
            }
            return {};
        }

      private:
        friend class network_interface;
        bool wait(std::coroutine_handle<> caller, bool may_try) noexcept;
        [[nodiscard]] bool over() noexcept;
        static void run_now(waiter& node);

        network_interface* owner_;
        families wanted_;
        bool until_up_;
        errc ended_ = errc::ok;
    };

    /// Completes when is_up(wanted), even if that ends before the waiter runs. Any number of tasks
    /// may wait. errc::canceled: the scope was cancelled first; errc::bad_handle: this object went;
    /// errc::network_down: the stack went; errc::not_supported: it is not lwIP's.
    waiting up(families wanted = families::ipv4) noexcept { return {*this, wanted, true}; }
    /// The same when not is_up(wanted): link or address are lost.
    waiting down(families wanted = families::ipv4) noexcept { return {*this, wanted, false}; }

  private:
    friend struct interface_parts;
    void look() noexcept;
    void release(errc why) noexcept;

    void* host_ = nullptr; // lwIP's host that is looked at
    errc without_;         // while there is none: why
    list<waiting> waiters_;
};

} // namespace weft
