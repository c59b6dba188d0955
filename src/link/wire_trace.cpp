// What a wire tells about itself: lines, files, and the number that two equal runs share.
#include "link/digest.hpp"
#include "link/wire_recorder.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <new>

namespace weft {

const char* name(wire_fate fate) noexcept {
    static constexpr const char* names[wire_fates] = {
        "sent", "received", "lost",       "corrupted", "duplicated", "reordered",   "cut",
        "held", "released", "queue_full", "no_memory", "too_long",   "no_receiver",
    };
    return names[static_cast<std::size_t>(fate)];
}

std::string_view format(const wire_event& event, std::span<char> line) noexcept {
    if (line.empty()) {
        return {};
    }
    const std::int64_t time = event.time.time_since_epoch().count();
    const hardware_address& a = event.from;
    const hardware_address& b = event.to;
    const int length = std::snprintf(
        line.data(), line.size(),
        "%lld.%09lld %02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x %s %zu %016llx",
        static_cast<long long>(time / 1'000'000'000), static_cast<long long>(time % 1'000'000'000),
        a[0], a[1], a[2], a[3], a[4], a[5], b[0], b[1], b[2], b[3], b[4], b[5], name(event.fate),
        event.frame.size(), static_cast<unsigned long long>(event.digest));
    return {line.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), line.size() - 1)};
}

void wire::note(path& way, wire_fate fate, const frame& f) noexcept {
    ++way.counts[static_cast<std::size_t>(fate)];
    note({now_, way.from, way.receiver.address(), fate, {f.bytes(), f.size}, f.digest});
}

void wire::note(const wire_event& event) noexcept {
    ++counts_[static_cast<std::size_t>(event.fate)];
    digest folded;
    folded.add(trace_hash_);
    folded.add(static_cast<std::uint64_t>(event.time.time_since_epoch().count()));
    folded.add(number(event.from));
    folded.add((number(event.to) << 16) | static_cast<std::uint64_t>(event.fate));
    folded.add(event.frame.size());
    folded.add(event.digest);
    trace_hash_ = folded.value();
    if (recorder_ != nullptr) {
        recorder_->write(event);
    }
    if (tell_ != nullptr) {
        tell_(context_, event);
    }
}

wire::recorder::~recorder() {
    close_trace();
}

void wire::recorder::close_trace() noexcept {
    if (trace != nullptr) {
        std::fclose(trace);
        trace = nullptr;
    }
}

void wire::recorder::write(const wire_event& event) noexcept {
    if (trace != nullptr) {
        char line[128];
        const std::string_view text = format(event, line);
        trace_failed = std::fwrite(text.data(), 1, text.size(), trace) != text.size() ||
                       std::fputc('\n', trace) == EOF || trace_failed;
    }
    if (event.fate == shown && !event.frame.empty()) {
        const std::array<std::span<const std::byte>, 1> whole{event.frame};
        pcap.write(event.time.time_since_epoch(), whole);
    }
}

bool wire::make_recorder() noexcept {
    if (recorder_ == nullptr) {
        recorder_.reset(new (std::nothrow) recorder);
    }
    return recorder_ != nullptr;
}

result<> wire::write_trace(const char* file_name) noexcept {
    if (!make_recorder()) {
        return fail(errc::no_memory);
    }
    recorder_->close_trace();
    if (file_name == nullptr) {
        return {};
    }
    const result<std::FILE*> opened = open_for_writing(file_name);
    if (!opened) {
        return fail(opened.error());
    }
    recorder_->trace = *opened;
    recorder_->trace_failed = false;
    return {};
}

result<> wire::write_pcap(const char* file_name, wire_fate shown) noexcept {
    if (!make_recorder()) {
        return fail(errc::no_memory);
    }
    recorder_->shown = shown;
    if (file_name == nullptr) {
        recorder_->pcap.close();
        return {};
    }
    return recorder_->pcap.open(file_name);
}

result<> wire::flush() noexcept {
    if (recorder_ == nullptr) {
        return {};
    }
    std::FILE* const trace = recorder_->trace;
    const bool failed = (trace != nullptr && std::fflush(trace) != 0) || recorder_->trace_failed;
    const result<> captured = recorder_->pcap.flush();
    return failed ? result<>(fail(errc::io_error)) : captured;
}

} // namespace weft
