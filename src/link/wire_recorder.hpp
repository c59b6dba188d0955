// The files that a wire writes about itself.
#pragma once

#include "link/pcap_file.hpp"
#include "link/wire_parts.hpp"

#include <cstdio>

namespace weft {

struct wire::recorder {
    recorder() = default;
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;
    ~recorder();
    void write(const wire_event& event) noexcept;
    void close_trace() noexcept;

    std::FILE* trace = nullptr;
    bool trace_failed = false;
    pcap_file pcap; // closed until write_pcap()
    wire_fate shown = wire_fate::sent;
};

} // namespace weft
