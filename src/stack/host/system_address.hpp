// endpoint to sockaddr and back.
#pragma once

#include <weft/address.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

namespace weft::host {

struct system_address {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] const sockaddr* get() const noexcept {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

[[nodiscard]] system_address to_system(const endpoint& e) noexcept;
[[nodiscard]] endpoint from_system(const system_address& a) noexcept;

[[nodiscard]] result<endpoint> local_of(int descriptor) noexcept;
[[nodiscard]] result<endpoint> remote_of(int descriptor) noexcept;

/// A non-blocking socket that is not inherited; IPv6 ones are IPv6 only, as on lwIP.
[[nodiscard]] result<int> open_socket(family f, int type) noexcept;

/// poll(2) with a zero timeout: what of POLLIN, POLLOUT, POLLERR and POLLHUP holds now.
[[nodiscard]] short poll_now(int descriptor) noexcept;

} // namespace weft::host
