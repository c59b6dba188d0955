// A small HTTP/1.1 server: keep-alive, pipelining, chunked bodies both ways, Expect: 100-continue.
//
//     GET /          a few words
//     GET /bytes/N   N bytes, chunked with ?chunked
//     POST /echo     the body, up to 1 MiB
#include "http.hpp"

#include "common/start.hpp"

#include <weft/task_group.hpp>
#include <weft/timeout.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <optional>

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s; // with a peer that says nothing, or reads nothing
constexpr std::string_view greeting = "Hello from weft: one coroutine program on two stacks.\n";

std::string_view reason(int status) noexcept {
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 417:
        return "Expectation Failed";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Unknown";
    }
}

/// IMF-fixdate, made anew each second.
const std::string& date() {
    static std::string text;
    static std::time_t made = 0;
    if (const std::time_t now = std::time(nullptr); now != made) {
        std::array<char, 64> buffer;
        std::tm parts;
        gmtime_r(&now, &parts);
        const std::size_t size =
            std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        text.assign(buffer.data(), size);
        made = now;
    }
    return text;
}

/// What one request gets: a status, and a body that is text or so many bytes of filling.
struct answer {
    int status = 200;
    std::string_view allow; // with 405
    std::string text;
    std::uint64_t filling = 0;
    bool chunked = false;
    bool echo = false; // the text is the request's body
    bool keep_alive = true;
    bool head_only = false;

    static answer problem(int status) {
        answer made;
        made.status = status;
        made.text = fmt::format("{} {}\n", status, reason(status));
        return made;
    }
};

/// What is at the target, told from the head alone.
answer route(const http::request& message) {
    const bool reading = message.method == "GET" || message.method == "HEAD";
    if (!reading && message.method != "POST") {
        return answer::problem(501);
    }
    std::string_view path = message.target;
    if (path.starts_with("http://")) { // the form that proxies are asked in
        const auto slash = path.find('/', 7);
        path = slash == path.npos ? std::string_view("/") : path.substr(slash);
    }
    const auto mark = path.find('?');
    const std::string_view query = mark == path.npos ? std::string_view() : path.substr(mark + 1);
    path = path.substr(0, mark);

    answer found;
    std::string_view allow = "GET, HEAD";
    if (path == "/") {
        found.text = greeting;
    } else if (path == "/echo") {
        allow = "POST";
        found.echo = true;
    } else if (path.starts_with("/bytes/")) {
        if (!http::to_number(path.substr(7), found.filling)) {
            return answer::problem(400);
        }
        found.chunked = query == "chunked" && message.minor_version == 1;
    } else {
        return answer::problem(404);
    }
    if (reading == found.echo) {
        found = answer::problem(405);
        found.allow = allow;
    }
    return found;
}

std::string head_of(const answer& a) {
    std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nServer: weft\r\nDate: {}\r\n", a.status, reason(a.status), date());
    if (a.chunked) {
        head += "Transfer-Encoding: chunked\r\n";
    } else {
        fmt::format_to(
            std::back_inserter(head), "Content-Length: {}\r\n", a.text.size() + a.filling);
    }
    head += a.filling != 0 || a.echo ? "Content-Type: application/octet-stream\r\n"
                                     : "Content-Type: text/plain\r\n";
    if (!a.allow.empty()) {
        fmt::format_to(std::back_inserter(head), "Allow: {}\r\n", a.allow);
    }
    head += a.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

/// One connection: its stream, its parser, and what was received and not yet parsed.
class connection {
  public:
    explicit connection(weft::tcp_stream peer) noexcept : peer_(std::move(peer)) {}

    /// Requests in, answers out, until one side has had enough.
    weft::task<> run() {
        while (true) {
            const http::step step = parser_.next(unparsed_);
            switch (step.what) {
            case http::event::head:
                begin_answer();
                break;
            case http::event::body:
                if (answer_->echo) {
                    answer_->text += step.body;
                }
                break;
            case http::event::error:
                answer_ = answer::problem(step.status);
                answer_->keep_alive = false;
                break;
            case http::event::end:
            case http::event::more:
                break;
            }
            unparsed_.remove_prefix(step.consumed);

            if (step.what == http::event::end || step.what == http::event::error) {
                const auto stays = co_await send_answer();
                if (!stays) {
                    co_return;
                }
                if (!*stays) {
                    [[maybe_unused]] const auto ended = co_await weft::timeout(read_to_end(), 1s);
                    co_return;
                }
            } else if (step.what == http::event::head && go_on_) {
                go_on_ = false;
                const auto sent =
                    co_await weft::timeout(send("HTTP/1.1 100 Continue\r\n\r\n"), patience);
                if (!sent) {
                    co_return;
                }
            } else if (step.what == http::event::more) {
                const auto received = co_await weft::timeout(peer_.recv(buffer_), patience);
                if (!received || *received == 0) {
                    co_return;
                }
                unparsed_ = {reinterpret_cast<const char*>(buffer_.data()), *received};
            }
        }
    }

  private:
    void begin_answer() {
        const http::request& message = parser_.message();
        answer_ = route(message);
        answer_->keep_alive = message.keep_alive;
        answer_->head_only = message.method == "HEAD";
        if (message.expects_continue && answer_->status != 200) {
            answer_->keep_alive = false; // the body may come or not: nobody can tell any more
        }
        go_on_ = message.expects_continue && message.has_body() && answer_->status == 200;
    }

    weft::task<> send(std::string_view text) {
        const auto sent = co_await peer_.send_all(text);
        if (!sent) {
            co_await weft::fail(sent.error());
        }
    }

    /// What the peer still sends is taken, or a reset would overtake the answer (RFC 9112, 9.6).
    weft::task<> read_to_end() {
        const auto finished = peer_.shutdown_send();
        if (!finished) {
            co_return;
        }
        while (true) {
            const auto received = co_await peer_.recv(buffer_);
            if (!received || *received == 0) {
                co_return;
            }
        }
    }

    /// True if the connection stays open.
    weft::task<bool> send_answer() {
        const answer now = std::move(*answer_);
        answer_.reset();
        std::string out = head_of(now);
        if (!now.head_only) {
            out += now.text;
        }
        const auto sent = co_await weft::timeout(send(out), patience);
        if (!sent) {
            co_return weft::fail(sent.error());
        }
        if (now.filling != 0 && !now.head_only) {
            const auto filled = co_await send_filling(now.filling, now.chunked);
            if (!filled) {
                co_return weft::fail(filled.error());
            }
        } else if (now.chunked && !now.head_only) {
            const auto ended = co_await weft::timeout(send("0\r\n\r\n"), patience);
            if (!ended) {
                co_return weft::fail(ended.error());
            }
        }
        co_return now.keep_alive;
    }

    weft::task<> send_filling(std::uint64_t bytes, bool chunked) {
        static const std::string letters = [] {
            std::string made;
            while (made.size() < 16 * 1024) {
                made += "The quick brown fox jumps over the lazy dog 0123456789 and again.\n";
            }
            return made;
        }();
        std::string chunk;
        while (bytes != 0) {
            std::string_view part = std::string_view(letters).substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes, letters.size())));
            bytes -= part.size();
            if (chunked) {
                chunk = fmt::format(
                    "{:x}\r\n{}\r\n{}", part.size(), part, bytes == 0 ? "0\r\n\r\n" : "");
                part = chunk;
            }
            const auto sent = co_await weft::timeout(send(part), patience);
            if (!sent) {
                co_await weft::fail(sent.error());
            }
        }
    }

    weft::tcp_stream peer_;
    http::parser parser_;
    std::optional<answer> answer_; // of the request that is being received
    bool go_on_ = false;           // the client waits for 100 Continue
    std::string_view unparsed_;    // in buffer_
    std::array<std::byte, 16 * 1024> buffer_;
};

weft::task<> serve(weft::tcp_stream peer) {
    // An answer's head and body are written apart: Nagle's algorithm would hold back the second.
    const auto undelayed = peer.set_no_delay(true);
    if (!undelayed) {
        co_return;
    }
    connection one(std::move(peer));
    const auto done = co_await one.run();
    if (!done) {
        co_await weft::fail(done.error());
    }
}

weft::task<> listen(weft::stack& net, weft::endpoint at) {
    auto listener = net.listen(at, 1024);
    if (!listener) {
        co_await weft::fail(listener.error());
    }
    const auto local = listener->local();
    example::say("http://{}/ over {}", local ? *local : at, net.name());
    weft::task_group peers{net.loop()};
    while (true) {
        auto peer = co_await listener->accept();
        if (!peer) {
            co_await weft::fail(peer.error());
        }
        const auto spawned = peers.spawn(serve(std::move(*peer)));
        if (!spawned) {
            example::say("a connection was dropped: {}", spawned.error());
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    example::program self("http_server", "Serves GET /, GET /bytes/N[?chunked] and POST /echo.");
    const weft::endpoint& at = self.endpoint("--bind", "127.0.0.1:8080", "where to listen");
    return self.run(argc, argv, [&](weft::stack& net) { return listen(net, at); });
}
