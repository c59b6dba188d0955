// A real name server as a child process, which ends with this object.
#pragma once

#include <weft/address.hpp>

#include <string>
#include <vector>

#include <sys/types.h>

namespace names_test {

class dnsmasq {
  public:
    dnsmasq() = default;
    dnsmasq(const dnsmasq&) = delete;
    dnsmasq& operator=(const dnsmasq&) = delete;
    ~dnsmasq();

    /// Serves what `hosts` (the path of a file like /etc/hosts) says at `at`; of names that end in
    /// ".test" it knows no others, and all else it refuses. Returns once it answers; empty, or what
    /// went wrong. `more` are further options of its own, as for DHCP.
    std::string start(
        const weft::endpoint& at, const std::string& hosts,
        const std::vector<std::string>& more = {});

  private:
    pid_t child_ = -1;
};

} // namespace names_test
