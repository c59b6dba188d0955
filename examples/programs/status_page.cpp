#include "status_page.hpp"

#include "elapsed.hpp"
#include "request_head.hpp"
#include "status_text.hpp"
#include "text.hpp"

#include <weft/frame_pool.hpp>
#include <weft/loop.hpp>
#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <array>
#include <span>
#include <utility>

namespace programs {
namespace {

using namespace std::chrono_literals;

using server = status_server; // what all connections share

std::uint32_t number(std::size_t n) noexcept {
    return static_cast<std::uint32_t>(n);
}

std::string_view reason(std::uint16_t status) noexcept {
    switch (status) {
    case 200:
        return "OK";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Bad Request";
    }
}

void put_status(text_writer& out, std::uint16_t status) noexcept {
    out.put("HTTP/1.1 ").put(std::uint32_t{status}).put(' ').put(reason(status)).put("\r\n");
}

class connection {
  public:
    connection(server& shared, weft::tcp_stream peer) noexcept
        : shared_(&shared), peer_(std::move(peer)) {
        ++shared_->counters.connections;
        ++shared_->counters.open;
    }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection() { --shared_->counters.open; }

    /// Requests in, answers out, until one side has had enough.
    weft::task<> run() {
        while (true) {
            head_ = {};
            const auto stays = co_await weft::timeout(answer_one(), shared_->patience);
            if (!stays) {
                give_up(stays.error());
                co_return;
            }
            if (!*stays) {
                break;
            }
        }
        // What the peer still sends is taken, or a reset would overtake the answer (RFC 9112, 9.6).
        [[maybe_unused]] const auto ended = co_await weft::timeout(read_to_end(), 1s);
    }

  private:
    /// One request and its answer; true if another may follow, an error if none can be.
    weft::task<bool> answer_one() {
        while (!head_.ended()) {
            if (unread_.empty()) {
                const auto received = co_await peer_.recv(in_);
                if (!received) {
                    co_return weft::fail(received.error());
                }
                if (*received == 0) {
                    co_return weft::fail(weft::errc::end_of_stream);
                }
                unread_ = std::span(in_).first(*received);
            }
            unread_ = unread_.subspan(head_.take(unread_));
        }
        const bool good = head_.status() == 200;
        ++(good ? shared_->counters.answers : shared_->counters.errors);
        weft::task<> answer = good ? send_page() : send_error();
        const auto sent = co_await std::move(answer);
        if (!sent) {
            co_return weft::fail(sent.error());
        }
        co_return head_.stays();
    }

    weft::task<> send_error() {
        text_writer out(out_);
        put_status(out, head_.status());
        if (head_.status() == 405) {
            out.put("Allow: GET, HEAD\r\n");
        }
        const std::string_view text = reason(head_.status());
        out.put("Content-Type: text/plain\r\nContent-Length: ")
            .put(static_cast<std::uint32_t>(text.size() + 1))
            .put("\r\nConnection: close\r\n\r\n");
        if (!head_.without_body()) {
            out.put(text).put('\n');
        }
        const auto sent = co_await peer_.send_all(out.view());
        if (!sent) {
            co_await weft::fail(sent.error());
        }
    }

    weft::task<> send_page() {
        const bool in_chunks = head_.takes_chunks();
        const status_format& format = head_.what() == resource::page ? html : json;
        const status_values values = look();
        status_text page(format, values, *shared_->shown);
        std::size_t used = put_head(format, in_chunks);
        bool more = !head_.without_body();
        do {
            if (more) {
                more = add_piece(page, used, in_chunks);
            }
            const auto sent = co_await peer_.send_all(std::as_bytes(std::span(out_).first(used)));
            if (!sent) {
                co_await weft::fail(sent.error());
            }
            used = 0;
        } while (more);
    }

    std::size_t put_head(const status_format& format, bool in_chunks) noexcept {
        text_writer out(out_);
        put_status(out, 200);
        out.put("Content-Type: ").put(format.type).put("\r\nCache-Control: no-store\r\n");
        if (in_chunks) {
            out.put("Transfer-Encoding: chunked\r\n");
        }
        out.put(head_.stays() ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
        return out.size();
    }

    /// Fills the rest of out_ with the page's next piece; false if it was the last.
    bool add_piece(status_text& page, std::size_t& used, bool in_chunks) noexcept {
        const std::span<char> rest = std::span(out_).subspan(used);
        if (!in_chunks) {
            const std::size_t size = page.fill(rest);
            used += size;
            return size == rest.size();
        }
        // "1f4\r\n" data "\r\n", and behind the last one "0\r\n\r\n" (RFC 9112, 7.1).
        constexpr std::size_t before = 5;
        constexpr std::size_t behind = 7;
        static_assert(sizeof out_ < 0x1000, "three digits tell a chunk's size");
        const std::span<char> room = rest.subspan(before, rest.size() - before - behind);
        const std::size_t size = page.fill(room);
        text_writer frame(rest);
        if (size != 0) {
            constexpr std::string_view digits = "0123456789abcdef";
            frame.put(digits[size >> 8]).put(digits[size >> 4 & 15]).put(digits[size & 15]);
            frame.put("\r\n");
            used += before + size + 2;
            text_writer(rest.subspan(before + size)).put("\r\n");
        }
        if (size == room.size()) {
            return true;
        }
        text_writer end(std::span<char>(out_).subspan(used));
        used += end.put("0\r\n\r\n").size();
        return false;
    }

    [[nodiscard]] status_values look() const noexcept {
        const weft::duration up = shared_->net->loop().now() - shared_->begun;
        status_values values;
        values.uptime = seconds_of(up);
        values.frames_in_use = number(weft::frame_pool::in_use());
        values.frames_reserved = number(weft::frame_pool::reserved());
        values.frames_most = number(weft::frame_pool::high_water());
        values.frames_refused = number(weft::frame_pool::refused());
        values.server = shared_->counters;
        return values;
    }

    void give_up(weft::errc why) noexcept {
        if (why != weft::errc::timed_out) {
            return;
        }
        ++shared_->counters.timeouts;
        if (head_.begun() && !head_.ended()) {
            constexpr std::string_view late =
                "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            static_cast<void>(peer_.try_send(std::as_bytes(std::span(late))));
        } else if (head_.ended()) {
            peer_.abort(); // it does not take its answer: what is queued would stay for minutes
        }
    }

    weft::task<> read_to_end() {
        const auto finished = peer_.shutdown_send();
        if (!finished) {
            co_return;
        }
        while (true) {
            const auto received = co_await peer_.recv(in_);
            if (!received || *received == 0) {
                co_return;
            }
        }
    }

    server* shared_;
    weft::tcp_stream peer_;
    request_head head_;
    std::span<const std::byte> unread_; // in in_
    std::array<std::byte, 128> in_;
    std::array<char, 512> out_;
};

weft::task<> serve(server& shared, weft::tcp_stream peer) {
    // The last piece of an answer would wait for the acknowledgement of the one before it.
    [[maybe_unused]] const auto undelayed = peer.set_no_delay(true);
    connection one(shared, std::move(peer));
    [[maybe_unused]] const auto done = co_await one.run();
}

void refuse(server& shared, weft::tcp_stream& peer) noexcept {
    constexpr std::string_view busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                      "Content-Length: 0\r\nConnection: close\r\n\r\n";
    ++shared.counters.refused;
    static_cast<void>(peer.try_send(std::as_bytes(std::span(busy))));
}

} // namespace

#if defined(WEFT_PROGRAMS_TLS) // or serve() would be inline no more in images that do without
weft::task<> serve_status(status_server& shared, weft::tcp_stream peer) {
    return serve(shared, std::move(peer));
}
#endif

weft::task<> status_page(weft::stack& net, weft::endpoint at, device& shown, status_start start) {
    auto listener = net.listen(at, start.connections);
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    const auto local = listener->local();
    shown.listening(local ? *local : at);
    server shared{&net, &shown, start.patience, net.loop().now(), {}};
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        if (shared.counters.open >= start.connections) {
            refuse(shared, *peer);
            continue;
        }
        const auto spawned = peers.spawn(serve(shared, std::move(*peer)));
        if (!spawned) {
            ++shared.counters.refused;
        }
    }
}

} // namespace programs
