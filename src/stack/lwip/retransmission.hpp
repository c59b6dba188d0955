// What lwIP leaves undone when it retransmits.
#pragma once

#include "stack/lwip/api.hpp"

namespace weft::lwip {

/// For a pcb's poll callback. Bounds the retransmission timeout (RFC 6298, 2.5) and puts `unsent`
/// back in the order of its sequence numbers.
///
/// lwIP up to 2.2.1 at least: fast retransmit moves the first segment in flight to `unsent`, where
/// it stays if the peer's window has no room for it. When the retransmission timer then fires,
/// tcp_rexmit_rto_prepare puts everything in flight before it. The head of the queue is then not
/// what the peer waits for and does not fit the congestion window either: nothing is ever sent
/// again, until lwIP gives up or, with a window of 64 KiB times n, asserts "Can't split segment
/// into length 0". lwIP calls tcp_output after the poll callback, and so goes on by itself.
///
/// Its timeout has no bound but 32,767 ticks, four and a half hours, and gets there: the round trip
/// of a segment that tcp_output had no memory to send is measured from that attempt on.
err_t mend_retransmission(void*, tcp_pcb* pcb) noexcept;

} // namespace weft::lwip
