// names: host names through c-ares, whose sockets the loop's driver watches and whose deadlines are
// a timer of the loop's.
#pragma once

#include <weft/descriptor_driver.hpp>
#include <weft/host.hpp>
#include <weft/list.hpp>
#include <weft/loop.hpp>
#include <weft/resolve.hpp>
#include <weft/timer.hpp>

#include <ares.h>

#include <array>
#include <cstddef>
#include <memory>

namespace weft::host {

/// c-ares cannot cancel one query: what it calls back with is a node of its own, which forgets its
/// query when that goes away, and is freed by the callback. No coroutine runs inside c-ares.
class names : private timer {
  public:
    /// The driver of `home` is a descriptor_driver.
    explicit names(loop& home) noexcept : timer(&expire), loop_(&home) {}
    names(const names&) = delete;
    names& operator=(const names&) = delete;
    /// Queries under way end with errc::network_down.
    ~names();

    /// Copies what the options point at. errc::invalid_argument, no_memory, not_supported.
    result<> configure(const host_names& options) noexcept;

    void start(name_query& query) noexcept;
    static void forget(name_query& query) noexcept;

  private:
    static constexpr std::size_t most_servers = 8;

    struct question {
        name_query* asker; // null: gone
    };
    struct watched : descriptor_watch, list_node {
        explicit watched(names& by) noexcept : descriptor_watch(&told), owner(&by) {}
        names* owner;
        unsigned wanted = 0; // until c-ares says: a socket may be opened and not connected yet
    };

    [[nodiscard]] descriptor_driver& driver() const noexcept {
        return static_cast<descriptor_driver&>(loop_->sleeper());
    }
    errc open() noexcept;
    watched* find(int descriptor) noexcept;
    void forget_socket(watched& watch) noexcept;
    void schedule() noexcept;

    static void answered(void* arg, int status, int timeouts, ares_addrinfo* found);
    static int socket_opened(ares_socket_t descriptor, int type, void* arg);
    static void socket_wants(void* arg, ares_socket_t descriptor, int readable, int writable);
    static void told(descriptor_watch& watch, unsigned events);
    static void expire(timer& due) noexcept;

    loop* loop_;
    ares_channel channel_ = nullptr; // made for the first name
    list<watched> watched_;
    std::unique_ptr<char[]> resolv_conf_;
    std::unique_ptr<char[]> hosts_file_;
    std::array<endpoint, most_servers> servers_;
    std::size_t server_count_ = 0;
    duration timeout_{};
    int tries_ = 0;
};

} // namespace weft::host
