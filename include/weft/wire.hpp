// wire: an Ethernet segment in memory that joins any number of links of one process, and does to
// their frames what real networks do: lose, delay, reorder, duplicate, corrupt, throttle, cut,
// hold. Everything follows from the seed and from the time that advance() tells, so a run repeats
// exactly.
//
//     weft::wire cable(weft::wire_options{.seed = 42});
//     auto left = cable.attach({2, 0, 0, 0, 0, 1});            // result<std::unique_ptr<link>>
//     auto right = cable.attach({2, 0, 0, 0, 0, 2});
//     cable.impair({.loss = 0.05, .delay = std::chrono::milliseconds(20)});
#pragma once

#include <weft/clock.hpp>
#include <weft/link.hpp>
#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace weft {

/// What a path does to frames. Probabilities go from 0 to 1 and are drawn for each frame on its
/// own.
struct impairments {
    double loss = 0;
    double corrupt = 0;   // one bit of the frame flipped
    double duplicate = 0; // a second copy right behind the first
    double reorder = 0;   // this much extra delay, during which later frames overtake:
    duration reorder_delay{};
    duration delay{};
    duration jitter{};                 // up to this is added to delay; never reorders by itself
    std::uint64_t bits_per_second = 0; // counted over the frame's bytes; 0: no limit
    std::size_t queue_limit = 1024;    // frames held, waiting or under way; one more is dropped
};

struct wire_options {
    std::uint64_t seed = 1;
    std::size_t mtu = 1500;         // of every end; zero or beyond 65,521 makes attach() fail
    std::size_t frame_limit = 8192; // frames in memory at once, on all paths together
    impairments on_every_path{};
};

/// What happened to a frame on its path. One frame can have several: sent, corrupted, received.
enum class wire_fate : std::uint8_t {
    sent,        // an end put it on the path to one receiver
    received,    // the receiver took it
    lost,        // dropped by impairments::loss
    corrupted,   // goes on with a flipped bit
    duplicated,  // goes on twice
    reordered,   // goes on late
    cut,         // dropped: the path is cut
    held,        // waits for release()
    released,    // goes on after that
    queue_full,  // dropped: queue_limit
    no_memory,   // dropped: frame_limit, or the heap is exhausted
    too_long,    // dropped: longer than the MTU, or than the buffer of receive()
    no_receiver, // dropped: no end has that address, or it is unplugged
};
inline constexpr std::size_t wire_fates = 13;

[[nodiscard]] const char* name(wire_fate fate) noexcept;

struct wire_event {
    time_point time;
    hardware_address from;
    hardware_address to; // of the receiver; the frame's destination if there is none
    wire_fate fate;
    std::span<const std::byte> frame; // valid during the call; empty if it never fit into memory
    std::uint64_t digest;             // of the frame's bytes
};

/// One line for people and for diff, without its end: seconds, from, to, fate, bytes, digest.
/// Returns the part of `line` that was written; 120 characters are enough.
[[nodiscard]] std::string_view format(const wire_event& event, std::span<char> line) noexcept;

/// Single-threaded. A frame goes to the end with its destination address, or to all others if that
/// is a group's; each pair of ends has a path of its own in each direction. Paths are named by the
/// addresses of their ends, and all settings may change while frames are under way.
class wire {
  public:
    explicit wire(const wire_options& options = {}) noexcept;
    wire(const wire&) = delete;
    wire& operator=(const wire&) = delete;
    /// Ends may outlive the wire; they are down then.
    ~wire();

    /// A new end; destroying it detaches it, and what it sent before still arrives.
    /// errc::address_in_use: another end has that address; errc::invalid_argument: a group's
    /// address or a bad MTU; errc::no_memory.
    [[nodiscard]] result<std::unique_ptr<link>> attach(const hardware_address& address) noexcept;

    /// Sets every path, present and future.
    void impair(const impairments& all) noexcept;

    // One direction each. errc::no_such_entry: there is no such pair of ends.

    /// Holds from the next frame sent on; what is under way keeps its arrival.
    result<> impair(
        const hardware_address& from, const hardware_address& to,
        const impairments& one_way) noexcept;
    /// Drops what is sent from now on; what is under way arrives.
    result<> cut(const hardware_address& from, const hardware_address& to) noexcept;
    result<> mend(const hardware_address& from, const hardware_address& to) noexcept;
    /// Stops what is sent from now on at the entrance of the path.
    result<> hold(const hardware_address& from, const hardware_address& to) noexcept;
    /// Lets everything that is held start now, in order, and ends the hold.
    result<> release(const hardware_address& from, const hardware_address& to) noexcept;
    /// Lets the oldest held frame start now and holds on. False if there was none.
    result<bool> release_one(const hardware_address& from, const hardware_address& to) noexcept;

    /// Cuts and mends both ways.
    result<> partition(const hardware_address& a, const hardware_address& b) noexcept;
    result<> heal(const hardware_address& a, const hardware_address& b) noexcept;

    /// Takes an end's plug out, or puts it in: up() is false, send() is errc::network_down, and
    /// what is on its way to it is dropped as no_receiver. errc::no_such_entry.
    result<> unplug(const hardware_address& address) noexcept;
    result<> plug(const hardware_address& address) noexcept;

    /// How often this happened on all paths, or on one since its ends were attached (0 if there is
    /// no such path).
    [[nodiscard]] std::uint64_t count(wire_fate fate) const noexcept;
    [[nodiscard]] std::uint64_t
    count(wire_fate fate, const hardware_address& from, const hardware_address& to) const noexcept;
    /// Frames held, under way, or arrived and not yet received.
    [[nodiscard]] std::size_t frames_on_the_way() const noexcept { return frames_; }
    [[nodiscard]] time_point now() const noexcept { return now_; }

    /// Everything that happened, in order, folded into one number: equal for two runs that are
    /// equal packet for packet.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_hash_; }
    /// Tells each event; null ends it. `tell` must not call the wire.
    void observe(void (*tell)(void* context, const wire_event&), void* context) noexcept {
        tell_ = tell;
        context_ = context;
    }

    /// Writes each event from now on as a line of format() into a file, null ends it. Complete
    /// after destruction, or flush(). errc::permission_denied, no_such_entry, too_many_open,
    /// io_error, no_memory.
    result<> write_trace(const char* file_name) noexcept;
    /// Writes the frames with this fate from now on, on all paths, as a pcap: `sent` shows what the
    /// ends said (a broadcast once for each receiver), `received` what they heard. The same errors.
    result<> write_pcap(const char* file_name, wire_fate shown = wire_fate::sent) noexcept;
    /// errc::io_error: not everything reached the files.
    result<> flush() noexcept;

  private:
    struct recorder;
    struct frame;
    struct path;
    class end;

    end* find(const hardware_address& address) const noexcept;
    path* find(const hardware_address& from, const hardware_address& to) const noexcept;
    template <class Change>
    result<>
    change(const hardware_address& from, const hardware_address& to, Change apply) noexcept;
    path* make_path(const hardware_address& from, end& to) noexcept;
    void detach(end& leaving) noexcept;
    result<> set_plugged(const hardware_address& address, bool plugged) noexcept;

    result<> send(end& from, std::span<const std::span<const std::byte>> parts) noexcept;
    std::size_t receive(end& to, std::span<std::byte> buffer) noexcept;
    time_point next_arrival(end& to) const noexcept;

    void carry(path& way, frame& f) noexcept;
    void enter(path& way, frame& f) noexcept;
    void launch(path& way, frame& f) noexcept;

    frame* take_frame() noexcept;
    frame* copy_frame(const frame& original) noexcept;
    void give_back(frame& f) noexcept;
    void discard(path& way) noexcept;
    void note(path& way, wire_fate fate, const frame& f) noexcept;
    void note(const wire_event& event) noexcept;
    bool make_recorder() noexcept;

    wire_options options_;
    time_point now_{};
    end* ends_ = nullptr;
    frame* spare_ = nullptr; // frames to use again: steady state allocates nothing
    std::size_t frames_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint64_t trace_hash_ = 0;
    std::array<std::uint64_t, wire_fates> counts_{};
    void (*tell_)(void*, const wire_event&) = nullptr;
    void* context_ = nullptr;
    std::unique_ptr<recorder> recorder_; // none until a file is asked for
};

} // namespace weft
