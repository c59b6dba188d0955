// A telemetry client: takes a reading each interval, keeps it until a collector has acknowledged
// it, and finds its way back to a collector that refused, reset, fell silent or went away.
// Coroutines that know no stack and no operating system.
//
//     {"seq": 7, "uptime_ms": 3500, "value": 21.50, "lost": 0}     each a line, to the collector
//     ack 7                                                        and back: this and all before it
//
// A reading may arrive twice, under the same number; one is lost only if more of them wait than
// there is room for: then the oldest goes, and `lost` counts.
#pragma once

#include <weft/stack.hpp>
#include <weft/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace programs {

/// Where readings come from, and who is told how it goes.
class telemetry_device {
  public:
    /// Hundredths of the quantity.
    virtual std::int32_t measure() noexcept = 0;
    /// 32 unpredictable bits: how long a pause is.
    virtual std::uint32_t random() noexcept = 0;

    virtual void connected() noexcept {}
    /// The connection ended, or could not be made. errc::connection_refused, connection_reset;
    /// timed_out: it fell silent; end_of_stream: the collector closed it; protocol_error: it said
    /// what it should not. The next attempt comes after `pause`.
    virtual void disconnected(weft::errc why, weft::duration pause) noexcept {
        static_cast<void>(why);
        static_cast<void>(pause);
    }
    /// All up to this one were acknowledged.
    virtual void acknowledged(std::uint32_t sequence) noexcept { static_cast<void>(sequence); }

  protected:
    ~telemetry_device() = default;
};

struct telemetry_start {
    weft::endpoint collector;
    weft::duration interval = std::chrono::seconds(1); // between readings
    /// With a collector that does not answer: a connect, a line that is not taken, a reading that
    /// is not acknowledged (which is seen after one to two of these).
    weft::duration patience = std::chrono::seconds(5);
    weft::duration first_pause = std::chrono::milliseconds(250); // before a second attempt
    weft::duration longest_pause = std::chrono::seconds(30);
    /// To take, before it ends; 0: it goes on for ever.
    std::uint32_t readings = 0;
};

struct telemetry_counters {
    std::uint32_t taken = 0;
    std::uint32_t acknowledged = 0;
    std::uint32_t lost = 0; // the oldest of too many
    std::uint32_t connections = 0;
    std::uint32_t failures = 0; // attempts and connections that ended otherwise than well
};

/// Readings that wait for their acknowledgement.
inline constexpr std::size_t telemetry_room = 16;

/// Ends when all readings that were asked for are acknowledged or lost, or when it is cancelled.
/// `device`, and `counters` if there are any, must outlive it.
weft::task<> telemetry(
    weft::stack& net, telemetry_start start, telemetry_device& device,
    telemetry_counters* counters = nullptr);

} // namespace programs
