#include "telemetry.hpp"

#include "back_off.hpp"
#include "elapsed.hpp"
#include "reading_queue.hpp"
#include "text.hpp"

#include <weft/event.hpp>
#include <weft/loop.hpp>
#include <weft/sleep.hpp>
#include <weft/timeout.hpp>
#include <weft/when_all.hpp>
#include <weft/when_any.hpp>

#include <array>
#include <span>
#include <string_view>

namespace programs {
namespace {

/// "ack 7\n", again and again, whatever pieces it comes in.
class acknowledgement_reader {
  public:
    enum class step : std::uint8_t { more, line, wrong };

    step take(char c) noexcept {
        constexpr std::string_view word = "ack ";
        if (at_ < word.size()) {
            return c == word[at_++] ? step::more : step::wrong;
        }
        if (c >= '0' && c <= '9' && at_ < word.size() + 10) {
            ++at_;
            number_ = number_ * 10 + static_cast<std::uint32_t>(c - '0');
            return step::more;
        }
        if (c != '\n' || at_ == word.size()) {
            return step::wrong;
        }
        told_ = number_;
        at_ = 0;
        number_ = 0;
        return step::line;
    }
    [[nodiscard]] std::uint32_t told() const noexcept { return told_; }

  private:
    std::size_t at_ = 0; // bytes of the line
    std::uint32_t number_ = 0;
    std::uint32_t told_ = 0;
};

class client {
  public:
    client(
        weft::stack& net, const telemetry_start& start, telemetry_device& device,
        telemetry_counters& counters) noexcept
        : net_(&net), start_(&start), device_(&device), counters_(&counters),
          pauses_(start.first_pause, start.longest_pause) {}

    weft::task<> run() {
        const auto both = co_await weft::when_all(take_readings(), deliver_readings());
        const auto& delivered = std::get<1>(both);
        if (!delivered) {
            co_await weft::fail(delivered.error());
        }
    }

  private:
    [[nodiscard]] bool finished() const noexcept { return all_taken_ && queue_.empty(); }

    weft::task<> take_readings() {
        weft::time_point due = net_->loop().now();
        std::uint32_t uptime = 0; // ms
        while (true) {
            const reading next{++counters_->taken, uptime, device_->measure()};
            if (!queue_.push(next)) {
                ++counters_->lost;
            }
            all_taken_ = counters_->taken == start_->readings;
            something_.set();
            if (all_taken_) {
                co_return;
            }
            due += start_->interval;
            uptime += milliseconds_of(start_->interval);
            const auto slept = co_await weft::sleep_until(due);
            if (!slept) {
                co_await weft::fail(slept.error());
            }
        }
    }

    weft::task<> deliver_readings() {
        while (!finished()) {
            const auto ended = co_await one_connection();
            if (ended && finished()) {
                co_return;
            }
            const weft::errc why = ended ? weft::errc::end_of_stream : ended.error();
            if (why == weft::errc::canceled) {
                co_await weft::fail(why);
            }
            ++counters_->failures;
            const weft::duration pause = pauses_.next(device_->random());
            device_->disconnected(why, pause);
            const auto slept = co_await weft::sleep_for(pause);
            if (!slept) {
                co_await weft::fail(slept.error());
            }
        }
    }

    weft::task<> one_connection() {
        auto peer = co_await weft::timeout(net_->connect(start_->collector), start_->patience);
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        ++counters_->connections;
        device_->connected();
        queue_.resend();
        const auto ended =
            co_await weft::when_any(send_readings(*peer), read_acknowledgements(*peer));
        const auto& outcome =
            ended.index == 0 ? std::get<0>(ended.results) : std::get<1>(ended.results);
        if (!outcome) {
            peer->abort(); // one that fell silent would keep what was sent for minutes
            co_await weft::fail(outcome.error());
        }
    }

    /// Ends well when nothing is left to send and all is acknowledged.
    weft::task<> send_readings(weft::tcp_stream& peer) {
        while (!finished()) {
            while (queue_.has_unsent()) {
                const auto sent =
                    co_await weft::timeout(send(peer, queue_.send()), start_->patience);
                if (!sent) {
                    co_await weft::fail(sent.error());
                }
            }
            something_.reset();
            const auto waited = co_await something_.wait();
            if (!waited) {
                co_await weft::fail(waited.error());
            }
        }
    }

    weft::task<> send(weft::tcp_stream& peer, reading one) {
        std::array<char, 96> room;
        text_writer out(room);
        out.put("{\"seq\": ").put(one.sequence).put(", \"uptime_ms\": ").put(one.uptime);
        out.put(", \"value\": ").put_hundredths(one.value);
        out.put(", \"lost\": ").put(counters_->lost).put("}\n");
        const auto sent = co_await peer.send_all(out.view());
        if (!sent) {
            co_await weft::fail(sent.error());
        }
    }

    weft::task<> read_acknowledgements(weft::tcp_stream& peer) {
        acknowledgement_reader reader;
        std::array<std::byte, 64> buffer;
        while (true) {
            const bool owed = queue_.has_sent();
            const auto received = co_await weft::timeout(peer.recv(buffer), start_->patience);
            if (!received && received.error() == weft::errc::timed_out && !owed) {
                continue; // there was nothing to acknowledge
            }
            if (!received) {
                co_await weft::fail(received.error());
            }
            if (*received == 0) {
                co_await weft::fail(weft::errc::end_of_stream);
            }
            for (const std::byte each : std::span(buffer).first(*received)) {
                if (!accept(reader, static_cast<char>(each))) {
                    co_await weft::fail(weft::errc::protocol_error);
                }
            }
        }
    }

    /// False: a collector does not say that.
    bool accept(acknowledgement_reader& reader, char c) noexcept {
        const auto step = reader.take(c);
        if (step != acknowledgement_reader::step::line) {
            return step == acknowledgement_reader::step::more;
        }
        if (reader.told() > counters_->taken) {
            return false;
        }
        const std::uint32_t gone = queue_.acknowledge(reader.told());
        counters_->acknowledged += gone;
        if (gone != 0) {
            pauses_.reset(); // a collector that only accepts connections is none
            device_->acknowledged(reader.told());
        }
        if (finished()) {
            something_.set();
        }
        return true;
    }

    weft::stack* net_;
    const telemetry_start* start_;
    telemetry_device* device_;
    telemetry_counters* counters_;
    back_off pauses_;
    weft::event something_; // was put into the queue, or the last of it was acknowledged
    bool all_taken_ = false;
    reading_queue<telemetry_room> queue_;
};

} // namespace

weft::task<> telemetry(
    weft::stack& net, telemetry_start start, telemetry_device& device,
    telemetry_counters* counters) {
    telemetry_counters own;
    client one(net, start, device, counters != nullptr ? *counters : own);
    const auto done = co_await one.run();
    if (!done) {
        co_await weft::fail(done.error());
    }
}

} // namespace programs
