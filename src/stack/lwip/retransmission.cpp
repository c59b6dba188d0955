#include "stack/lwip/retransmission.hpp"

namespace weft::lwip {
namespace {

constexpr s16_t longest_timeout = 120'000 / TCP_SLOW_INTERVAL; // in ticks; as on Linux

bool before(const tcp_seg& a, const tcp_seg& b) noexcept {
    return TCP_SEQ_LT(lwip_ntohl(a.tcphdr->seqno), lwip_ntohl(b.tcphdr->seqno));
}

} // namespace

err_t mend_retransmission(void*, tcp_pcb* pcb) noexcept {
    if (pcb->rto > longest_timeout) {
        pcb->rto = longest_timeout;
    }
    // Sorted by exchanging neighbours: it is one or two that belong further to the front, if any.
    tcp_seg** at = &pcb->unsent;
    while (*at != nullptr && (*at)->next != nullptr) {
        tcp_seg* const first = *at;
        tcp_seg* const second = first->next;
        if (!before(*second, *first)) {
            at = &first->next;
            continue;
        }
        first->next = second->next;
        second->next = first;
        *at = second;
        if (first->next == nullptr) {
            pcb->unsent_oversize = 0; // it spoke of the room behind the segment that was last
        }
        at = &pcb->unsent;
    }
    return ERR_OK;
}

} // namespace weft::lwip
