#include "report.hpp"

#include "board.hpp"
#include "lan9118.h"

#include <weft/frame_pool.hpp>
#include <weft/lwip.hpp>

extern "C" {
#include <lwip/memp.h>
#include <lwip/stats.h>
}

#include <string_view>

namespace {

using namespace std::string_view_literals;

void field(std::string_view group, std::string_view name, std::size_t number) noexcept {
    board::print(" "sv);
    board::print(group);
    board::print("."sv);
    board::print(name);
    board::print("="sv);
    board::print(std::uint64_t{number});
}

void memory(std::string_view name, const stats_mem& of) noexcept {
    field(name, "used"sv, of.used);
    field(name, "most"sv, of.max);
    field(name, "refused"sv, of.err);
}

void protocol(std::string_view name, const stats_proto& of) noexcept {
    field(name, "received"sv, of.recv);
    field(name, "dropped"sv, of.drop);
    field(name, "bad_checksum"sv, of.chkerr);
    field(name, "bad_length"sv, of.lenerr);
    field(name, "no_memory"sv, of.memerr);
    field(name, "bad"sv, of.proterr + of.opterr + of.err);
}

void ethernet() noexcept {
    field("ethernet"sv, "received"sv, lan9118_counters.received);
    field("ethernet"sv, "ring_full"sv, lan9118_counters.ring_full);
    field("ethernet"sv, "fifo_overruns"sv, lan9118_counters.fifo_overruns);
    field("ethernet"sv, "damaged"sv, lan9118_counters.damaged);
    field("ethernet"sv, "link_changes"sv, lan9118_counters.link_changes);
    field("ethernet"sv, "sent"sv, lan9118_counters.sent);
    field("ethernet"sv, "send_drops"sv, lan9118_counters.send_drops);
}

} // namespace

void report(const served& counted) noexcept {
    board::print("report"sv);
    field("served"sv, "accepted"sv, counted.accepted);
    field("served"sv, "no_frame"sv, counted.no_frame);
    field("served"sv, "stalled"sv, counted.stalled);
    field("served"sv, "broken"sv, counted.broken);
    field("frames"sv, "used"sv, weft::frame_pool::in_use());
    field("frames"sv, "reserved"sv, weft::frame_pool::reserved());
    field("frames"sv, "most"sv, weft::frame_pool::high_water());
    field("frames"sv, "refused"sv, weft::frame_pool::refused());
    field("frames"sv, "arena"sv, weft::frame_pool::arena_size());
    const weft::lwip_usage usage = weft::count_lwip_usage();
    field("pcbs"sv, "active"sv, usage.tcp_active);
    field("pcbs"sv, "listening"sv, usage.tcp_listening);
    field("pcbs"sv, "bound"sv, usage.tcp_bound);
    field("pcbs"sv, "time_wait"sv, usage.tcp_time_wait);
    field("pcbs"sv, "udp"sv, usage.udp);
    memory("heap"sv, lwip_stats.mem);
    memory("pcb"sv, *lwip_stats.memp[MEMP_TCP_PCB]);
    memory("segment"sv, *lwip_stats.memp[MEMP_TCP_SEG]);
    memory("pbuf"sv, *lwip_stats.memp[MEMP_PBUF]);
    memory("pool_pbuf"sv, *lwip_stats.memp[MEMP_PBUF_POOL]);
    memory("arp_queue"sv, *lwip_stats.memp[MEMP_ARP_QUEUE]);
    memory("fragments"sv, *lwip_stats.memp[MEMP_REASSDATA]);
    protocol("link"sv, lwip_stats.link);
    protocol("arp"sv, lwip_stats.etharp);
    protocol("ip"sv, lwip_stats.ip);
    protocol("icmp"sv, lwip_stats.icmp);
    protocol("tcp"sv, lwip_stats.tcp);
    ethernet();
    board::print("\n"sv);
}
