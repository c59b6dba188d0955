#include "stack/lwip/retransmission.hpp"

namespace weft::lwip {
namespace {

constexpr s16_t longest_timeout = 120'000 / TCP_SLOW_INTERVAL; // in ticks; as on Linux

bool before(const tcp_seg& a, const tcp_seg& b) noexcept {
    return TCP_SEQ_LT(lwip_ntohl(a.tcphdr->seqno), lwip_ntohl(b.tcphdr->seqno));
}

/// The first segment that belongs further to the front, as what points to it.
tcp_seg** first_misplaced(tcp_seg** at) noexcept {
    for (; *at != nullptr && (*at)->next != nullptr; at = &(*at)->next) {
        if (before(*(*at)->next, **at)) {
            return &(*at)->next;
        }
    }
    return nullptr;
}

} // namespace

err_t mend_retransmission(void*, tcp_pcb* pcb) noexcept {
    if (pcb->rto > longest_timeout) {
        pcb->rto = longest_timeout;
    }
    if ((pcb->flags & TF_RTO) == 0) {
        return ERR_OK;
    }
    while (tcp_seg** from = first_misplaced(&pcb->unsent)) { // one or two, so this is quick
        tcp_seg* moved = *from;
        *from = moved->next;
        if (moved->next == nullptr) {
            pcb->unsent_oversize = 0; // it spoke of the room behind the segment that was last
        }
        tcp_seg** place = &pcb->unsent;
        while (*place != nullptr && !before(*moved, **place)) {
            place = &(*place)->next;
        }
        moved->next = *place;
        *place = moved;
    }
    return ERR_OK;
}

} // namespace weft::lwip
