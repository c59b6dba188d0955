// The status page over TLS: the connections of status_page.hpp, each behind a handshake.
#pragma once

#include "status_page.hpp"

#include <weft/tls.hpp>

namespace programs {

/// What became of handshakes.
class handshakes {
  public:
    /// One failed, with errc::timed_out, no_memory, tls_alert ... No other connection notices.
    virtual void failed(weft::errc why) noexcept = 0;

  protected:
    ~handshakes() = default;
};

/// Serves at `at` as `own` until it is cancelled; `start.patience` is for a handshake, too.
/// Connections beyond start.connections are closed. `shown` and `told` must outlive it.
weft::task<> secure_status_page(
    weft::stack& net, weft::endpoint at, weft::tls_context own, device& shown, handshakes& told,
    status_start start = {});

} // namespace programs
