// An incremental HTTP/1.1 request parser, RFC 9112, for the example server: strict, and bounded in
// everything that a stranger decides.
//
//     http::parser parser;
//     for (auto step = parser.next(input); ...; step = parser.next(input)) {
//         input.remove_prefix(step.consumed);
//         ... step.what: more, head, body, end, error
//     }
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

struct limits {
    std::size_t request_line = 4096;  // then 414
    std::size_t head = 16 * 1024;     // request line, fields and trailers together: then 431
    std::size_t fields = 100;         // then 431
    std::uint64_t body = 1024 * 1024; // then 413
    std::size_t chunk_line = 256;     // a chunk's size with its extensions: then 400
};

inline bool is_token(char c) noexcept {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           others.find(c) != others.npos;
}

inline bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_token(c)) {
            return false;
        }
    }
    return !text.empty();
}

inline char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Names and codings compare without regard to case.
inline bool same(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

/// Without spaces and tabs at its ends.
inline std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t";
    const auto first = text.find_first_not_of(blank);
    if (first == text.npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// The next element of a comma-separated list, taken off its front.
inline std::string_view next_element(std::string_view& list) noexcept {
    const auto comma = list.find(',');
    const auto element = trimmed(list.substr(0, comma));
    list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
    return element;
}

/// Decimal digits and nothing else; false beyond 64 bits too.
inline bool to_number(std::string_view text, std::uint64_t& number) noexcept {
    number = 0;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (c < '0' || c > '9' || number > (UINT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    return !text.empty();
}

struct request {
    std::string method;
    std::string target;
    int minor_version = 1; // of HTTP/1.x
    std::vector<std::pair<std::string, std::string>> fields;
    bool keep_alive = true;
    bool expects_continue = false;
    bool chunked = false;
    std::uint64_t content_length = 0;

    [[nodiscard]] bool has_body() const noexcept { return chunked || content_length != 0; }
};

enum class event : std::uint8_t {
    more,  // everything was taken, and more is needed
    head,  // message() is complete, but for its body
    body,  // step.body is the next part of the body
    end,   // the message is complete; next() begins the next one
    error, // step.status is the answer; the connection is of no further use
};

struct step {
    event what;
    std::size_t consumed; // bytes of the input that the caller shall forget
    std::string_view body;
    int status = 0;
};

/// States: start -> fields -> [head] -> sized ------------------------------> [end] -> start
///                                   -> size -> data -> data_end -> size
///                                      size (of 0) -> trailers -----------> [end] -> start
/// and failed from any of them, for good.
class parser {
  public:
    explicit parser(const limits& bounds = {}) noexcept : limits_(bounds) {}

    [[nodiscard]] const request& message() const noexcept { return message_; }

    /// One event from the front of `input`, which the caller keeps apart from `consumed`.
    step next(std::string_view input) {
        std::size_t at = 0;
        while (true) {
            switch (state_) {
            case state::failed:
                return {event::error, at, {}, status_};
            case state::finished:
                state_ = state::start;
                message_ = {};
                head_size_ = 0;
                body_size_ = 0;
                coded_ = false;
                return {event::end, at, {}};
            case state::sized:
            case state::data: {
                if (left_ == 0) {
                    state_ = state_ == state::sized ? state::finished : state::data_end;
                    continue;
                }
                if (at == input.size()) {
                    return {event::more, at, {}};
                }
                const auto rest = input.substr(at);
                const auto part = rest.substr(0, rest.size() < left_ ? rest.size() : left_);
                left_ -= part.size();
                return {event::body, at + part.size(), part};
            }
            case state::start:
            case state::fields:
            case state::size:
            case state::data_end:
            case state::trailers:
                if (!take_line(input, at)) {
                    if (state_ == state::failed) {
                        continue;
                    }
                    return {event::more, at, {}};
                }
                const bool head_ended = end_line();
                line_.clear();
                if (head_ended) {
                    return {event::head, at, {}};
                }
            }
        }
    }

  private:
    enum class state : std::uint8_t {
        start,
        fields,
        sized,
        size,
        data,
        data_end,
        trailers,
        finished,
        failed,
    };

    void fail(int status) noexcept {
        state_ = state::failed;
        status_ = status;
    }

    /// Moves bytes to line_ up to CR LF; true if the line is complete. A lone CR or LF, which
    /// another parser might take for an end of line, is an error (RFC 9112, 2.2).
    bool take_line(std::string_view input, std::size_t& at) {
        while (at < input.size()) {
            const char c = input[at++];
            const bool after_cr = !line_.empty() && line_.back() == '\r';
            if (after_cr != (c == '\n')) {
                fail(400);
                return false;
            }
            line_.push_back(c);
            if (!within_limits()) {
                return false;
            }
            if (after_cr) {
                line_.resize(line_.size() - 2);
                return true;
            }
        }
        return false;
    }

    bool within_limits() noexcept {
        if (state_ == state::size || state_ == state::data_end) {
            if (line_.size() > limits_.chunk_line) {
                fail(400);
            }
        } else if (++head_size_ > limits_.head) {
            fail(431);
        } else if (state_ == state::start && line_.size() > limits_.request_line) {
            fail(414);
        }
        return state_ != state::failed;
    }

    /// Acts on the line; true at the end of the head.
    bool end_line() {
        switch (state_) {
        case state::start:
            if (!line_.empty()) { // empty lines before a request are let pass (RFC 9112, 2.2)
                request_line(line_);
            }
            return false;
        case state::fields:
            if (line_.empty()) {
                end_head();
                return state_ != state::failed;
            }
            field(line_, true);
            return false;
        case state::size:
            chunk_size(line_);
            return false;
        case state::data_end:
            line_.empty() ? void(state_ = state::size) : fail(400);
            return false;
        default:
            if (line_.empty()) {
                state_ = state::finished;
            } else {
                field(line_, false);
            }
            return false;
        }
    }

    void request_line(std::string_view line) {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == line.npos || first == last) {
            return fail(400);
        }
        const auto method = line.substr(0, first);
        const auto target = line.substr(first + 1, last - first - 1);
        const auto version = line.substr(last + 1);
        if (!is_token(method) || target.empty()) {
            return fail(400);
        }
        for (const char c : target) {
            if (c <= ' ' || c == 0x7f) {
                return fail(400);
            }
        }
        if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' ||
            version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9') {
            return fail(400);
        }
        if (version[5] != '1') {
            return fail(505);
        }
        message_.method = method;
        message_.target = target;
        message_.minor_version = version[7] == '0' ? 0 : 1;
        message_.keep_alive = message_.minor_version == 1;
        state_ = state::fields;
    }

    void field(std::string_view line, bool of_head) {
        // A name with a blank before its colon, and a line that begins with one (a folded line),
        // are refused here: neither is a token.
        const auto colon = line.find(':');
        if (colon == line.npos || !is_token(line.substr(0, colon))) {
            return fail(400);
        }
        const auto value = trimmed(line.substr(colon + 1));
        for (const char c : value) {
            if ((c >= 0 && c < ' ' && c != '\t') || c == 0x7f) {
                return fail(400);
            }
        }
        if (!of_head) {
            return; // trailers say nothing that this server wants to know
        }
        if (message_.fields.size() == limits_.fields) {
            return fail(431);
        }
        message_.fields.emplace_back(line.substr(0, colon), value);
    }

    /// What the fields say about the message as a whole.
    void end_head() {
        int hosts = 0;
        bool sized = false;
        for (const auto& [name, value] : message_.fields) {
            if (same(name, "host")) {
                ++hosts;
            } else if (same(name, "content-length")) {
                std::uint64_t length = 0;
                if (sized || value.find_first_not_of("0123456789") != value.npos || value.empty()) {
                    return fail(400);
                }
                if (!to_number(value, length) || length > limits_.body) {
                    return fail(413);
                }
                sized = true;
                message_.content_length = length;
            } else if (same(name, "transfer-encoding")) {
                coding(value);
            } else if (same(name, "connection")) {
                connection(value);
            } else if (same(name, "expect")) {
                if (!same(value, "100-continue")) {
                    return fail(417);
                }
                message_.expects_continue = message_.minor_version == 1;
            }
            if (state_ == state::failed) {
                return;
            }
        }
        if (hosts > 1 || (hosts == 0 && message_.minor_version == 1)) {
            return fail(400);
        }
        // Both: the two ends could disagree on where the next request begins (RFC 9112, 6.3).
        if (coded_ && (sized || message_.minor_version == 0)) {
            return fail(400);
        }
        if (coded_ && !message_.chunked) {
            return fail(501);
        }
        left_ = message_.content_length;
        state_ = message_.chunked ? state::size : state::sized;
    }

    /// "chunked" alone is spoken here. Anything after it, itself too, is an error; others are 501.
    void coding(std::string_view list) {
        coded_ = true;
        do {
            const auto name = next_element(list);
            if (message_.chunked || name.empty()) {
                return fail(400);
            }
            if (same(name, "chunked")) {
                message_.chunked = true;
            } else {
                return fail(501);
            }
        } while (!list.empty());
    }

    void connection(std::string_view list) noexcept {
        while (!list.empty()) {
            const auto name = next_element(list);
            if (same(name, "close")) {
                message_.keep_alive = false;
                return;
            }
            if (same(name, "keep-alive")) {
                message_.keep_alive = true;
            }
        }
    }

    void chunk_size(std::string_view line) noexcept {
        std::uint64_t size = 0;
        std::size_t digits = 0;
        for (; digits < line.size(); ++digits) {
            const char c = lower(line[digits]);
            const bool decimal = c >= '0' && c <= '9';
            if (!decimal && (c < 'a' || c > 'f')) {
                break;
            }
            if (digits == 15) {
                return fail(400);
            }
            size = size * 16 + static_cast<std::uint64_t>(decimal ? c - '0' : c - 'a' + 10);
        }
        const auto extension = trimmed(line.substr(digits));
        if (digits == 0 || (!extension.empty() && extension.front() != ';')) {
            return fail(400);
        }
        body_size_ += size;
        if (body_size_ > limits_.body) {
            return fail(413);
        }
        left_ = size;
        state_ = size == 0 ? state::trailers : state::data;
    }

    limits limits_;
    request message_;
    std::string line_;
    std::size_t head_size_ = 0;
    std::uint64_t left_ = 0;      // bytes of the body, or of the chunk, that are still to come
    std::uint64_t body_size_ = 0; // of all chunks
    int status_ = 0;
    state state_ = state::start;
    bool coded_ = false; // there was a Transfer-Encoding
};

} // namespace http
