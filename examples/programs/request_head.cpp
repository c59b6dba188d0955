#include "request_head.hpp"

namespace programs {
namespace {

bool is_token(std::string_view text) noexcept {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    for (const char c : text) {
        const bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || others.find(c) != others.npos;
        if (!good) {
            return false;
        }
    }
    return !text.empty();
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

/// `lower` is in lower case.
bool same(std::string_view text, std::string_view lower) noexcept {
    if (text.size() != lower.size()) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower[i]) {
            return false;
        }
    }
    return true;
}

/// What stands before `mark`, taken off the front with it; all of it if there is none.
std::string_view split(std::string_view& text, char mark) noexcept {
    const std::size_t at = text.find(mark);
    const std::string_view first = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return first;
}

/// Visible ASCII, as RFC 3986 has it.
bool is_target(std::string_view text) noexcept {
    for (const char c : text) {
        if (c <= ' ' || c > '~') {
            return false;
        }
    }
    return !text.empty();
}

resource resource_at(std::string_view target) noexcept {
    if (target.starts_with("http://")) { // the form that proxies are asked in
        target.remove_prefix(7);
        const std::size_t slash = target.find('/');
        target = slash == target.npos ? std::string_view("/") : target.substr(slash);
    }
    const std::string_view path = split(target, '?');
    if (path == "/") {
        return resource::page;
    }
    return path == "/status.json" ? resource::json : resource::none;
}

} // namespace

std::size_t request_head::take(std::span<const std::byte> bytes) noexcept {
    std::size_t taken = 0;
    while (taken < bytes.size() && !ended()) {
        take(static_cast<char>(bytes[taken++]));
    }
    return taken;
}

void request_head::take(char c) noexcept {
    if (++size_ > longest_head) {
        return end(431);
    }
    // A lone CR or LF, which another parser might take for an end of line, is an error (RFC 9112,
    // 2.2), and so is every other control character.
    if (after_cr_ != (c == '\n')) {
        return end(400);
    }
    if (after_cr_) {
        return end_line();
    }
    if (c == '\r') {
        after_cr_ = true;
    } else if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) {
        end(400);
    } else if (length_ < line_.size()) {
        line_[length_++] = c;
    } else {
        cut_ = true;
        if (state_ == state::request_line) {
            end(414);
        }
    }
}

void request_head::end_line() noexcept {
    const std::string_view line(line_.data(), length_);
    if (state_ == state::request_line) {
        if (!line.empty()) { // empty lines before a request are let pass (RFC 9112, 2.2)
            request_line(line);
        }
    } else if (line.empty()) {
        end_head();
    } else {
        field(line);
    }
    length_ = 0;
    cut_ = false;
    after_cr_ = false;
}

void request_head::request_line(std::string_view line) noexcept {
    const std::string_view name = split(line, ' ');
    const std::string_view target = split(line, ' ');
    if (!is_token(name) || !is_target(target) || line.size() != 8 || !line.starts_with("HTTP/") ||
        line[6] != '.' || line[5] < '0' || line[5] > '9' || line[7] < '0' || line[7] > '9') {
        return end(400);
    }
    if (line[5] != '1') {
        return end(505);
    }
    minor_version_ = line[7] == '0' ? 0 : 1;
    stays_ = minor_version_ != 0;
    if (name != "GET") {
        method_ = name == "HEAD" ? method::head : method::other;
    }
    what_ = resource_at(target);
    state_ = state::fields;
}

void request_head::field(std::string_view line) noexcept {
    // A name with a blank before its colon, and a line that begins with one (a folded line), are
    // refused here: neither is a token.
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == line.npos || !is_token(name)) {
        return end(cut_ && colon == line.npos && is_token(name) ? 431 : 400);
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same(name, "host")) {
        if (has_host_) {
            return end(400);
        }
        has_host_ = true;
    } else if (same(name, "connection")) {
        connection(value);
        stays_ = stays_ && !cut_; // its end may say close
    } else if (same(name, "content-length")) {
        if (has_length_ || cut_ || value.empty() ||
            value.find_first_not_of("0123456789") != value.npos) {
            return end(400);
        }
        has_length_ = true;
        stays_ = stays_ && value.find_first_not_of('0') == value.npos;
    } else if (same(name, "transfer-encoding")) {
        has_coding_ = true;
        stays_ = false;
    }
}

void request_head::connection(std::string_view list) noexcept {
    while (!list.empty()) {
        if (same(trimmed(split(list, ',')), "close")) {
            stays_ = false;
        }
    }
}

void request_head::end_head() noexcept {
    // Both lengths: the two ends could disagree on where the next request begins (RFC 9112, 6.3).
    const bool confusing = has_coding_ && (has_length_ || minor_version_ == 0);
    if (confusing || (!has_host_ && minor_version_ != 0)) {
        return end(400);
    }
    if (what_ == resource::none) {
        return end(404);
    }
    end(method_ == method::other ? 405 : 200);
}

} // namespace programs
