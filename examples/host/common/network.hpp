// The driver, the loop, the link and the stack that the command line chose, in the order in which
// they must be made and unmade.
#pragma once

#include <weft/descriptor_driver.hpp>
#include <weft/link.hpp>
#include <weft/loop.hpp>
#include <weft/lwip.hpp>
#include <weft/stack.hpp>
#include <weft/wire.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace example {

/// What was asked for cannot be: one line that says what, and what to do instead.
struct bad_choice : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The options that every example has.
struct network_choice {
    std::string stack = "host";
    std::string poller;
    std::string link;
    std::string address;
    std::string gateway;
    std::string pcap;
    std::size_t mtu = 1500;
};

class network {
  public:
    /// Throws bad_choice.
    network(const network_choice& choice, bool two_hosts_possible);

    [[nodiscard]] weft::loop& loop() noexcept { return *loop_; }
    [[nodiscard]] weft::stack& stack() noexcept { return *stack_; }
    /// The second host of --link wire, or null.
    [[nodiscard]] weft::stack* other() noexcept { return other_.get(); }

  private:
    void make_link(const network_choice& choice);
    void capture(const std::string& path);
    void join_wire(const network_choice& choice);
    std::unique_ptr<weft::stack>
    make_lwip(const network_choice& choice, weft::link& on, const std::string& address);

    std::unique_ptr<weft::descriptor_driver> driver_;
    std::unique_ptr<weft::loop> loop_;
    std::unique_ptr<weft::wire> wire_;
    std::unique_ptr<weft::link> link_;
    std::unique_ptr<weft::link> other_link_;
    std::unique_ptr<weft::stack> stack_;
    std::unique_ptr<weft::stack> other_;
};

} // namespace example
