#include "status_text.hpp"

#include "text.hpp"

#include <algorithm>

namespace programs {

const status_format html = {
    "text/html; charset=utf-8",
    R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="refresh" content="5"/>
<meta name="viewport" content="width=device-width"/>
<title>@n</title>
<style>
body { font-family: sans-serif; margin: 2em }
th, td { padding: .2em 1em; text-align: right }
th:first-child { text-align: left }
</style>
</head>
<body>
<h1>@n</h1>
<p>Up for @u s. The link is @l. <a href="/status.json">As JSON</a>.</p>
<h2>Connections to this page</h2>
<table>
<tr><th>served</th><td>@C</td></tr>
<tr><th>open</th><td>@O</td></tr>
<tr><th>refused</th><td>@X</td></tr>
<tr><th>timed out</th><td>@T</td></tr>
<tr><th>answers</th><td>@A</td></tr>
<tr><th>errors</th><td>@E</td></tr>
</table>
<h2>Sockets</h2>
<table>
<tr><th>TCP connections</th><td>@a</td></tr>
<tr><th>TCP listeners</th><td>@i</td></tr>
<tr><th>TCP in TIME_WAIT</th><td>@w</td></tr>
<tr><th>UDP</th><td>@d</td></tr>
</table>
<h2>Memory</h2>
<table>
<tr><th></th><th>used</th><th>most</th><th>of</th><th>failed</th></tr>
<tr><th>frames, bytes</th><td>@f</td><td>@h</td><td>@z</td><td>@q</td></tr>
)",
    "<tr><th>@N</th><td>@U</td><td>@M</td><td>@S</td><td>@F</td></tr>\n",
    R"(</table>
</body>
</html>
)",
    "-"};

const status_format json = {
    "application/json",
    R"({"name": "@n", "uptime_s": @u, "link": "@l",
"server": {"connections": @C, "open": @O, "refused": @X, "timeouts": @T, "answers": @A, "errors": @E},
"sockets": {"tcp_active": @a, "tcp_listening": @i, "tcp_time_wait": @w, "udp": @d},
"frames": {"in_use": @f, "reserved": @r, "most": @h, "size": @z, "failed": @q},
"pools": [)",
    R"(@,
{"name": "@N", "used": @U, "most": @M, "size": @S, "failed": @F})",
    "]}\n", "null"};

status_text::status_text(
    const status_format& format, const status_values& values, device& shown) noexcept
    : format_(&format), values_(&values), shown_(&shown), rest_(format.front) {}

std::size_t status_text::fill(std::span<char> room) noexcept {
    std::size_t filled = 0;
    while (filled < room.size() && (!piece_.empty() || next())) {
        const std::size_t size = piece_.copy(room.data() + filled, room.size() - filled);
        piece_.remove_prefix(size);
        filled += size;
    }
    return filled;
}

bool status_text::next() noexcept {
    while (piece_.empty()) {
        if (!rest_.empty()) {
            const bool is_value = rest_.front() == '@';
            piece_ = is_value ? value(rest_[1]) : rest_.substr(0, rest_.find('@'));
            rest_.remove_prefix(is_value ? 2 : piece_.size());
        } else if (part_ == part::back) {
            return false;
        } else if (shown_->pool(rows_, row_ = {})) {
            part_ = part::rows;
            rest_ = format_->row;
            ++rows_;
        } else {
            part_ = part::back;
            rest_ = format_->back;
        }
    }
    return true;
}

std::string_view status_text::value(char name) noexcept {
    const status_counters& server = values_->server;
    switch (name) {
    case 'n':
        return shown_->name();
    case 'l': {
        constexpr std::string_view states[] = {"unknown", "down", "up"};
        return states[static_cast<std::size_t>(shown_->link())];
    }
    case ',':
        return rows_ == 1 ? std::string_view() : std::string_view(",");
    case 'N':
        return row_.name;
    case 'U':
        return number(row_.used);
    case 'M':
        return number(row_.most);
    case 'S':
        return number(row_.size);
    case 'F':
        return number(row_.failed);
    case 'u':
        return number(values_->uptime);
    case 'C':
        return number(server.connections);
    case 'O':
        return number(server.open);
    case 'X':
        return number(server.refused);
    case 'T':
        return number(server.timeouts);
    case 'A':
        return number(server.answers);
    case 'E':
        return number(server.errors);
    case 'a':
        return number(shown_->sockets().tcp_active);
    case 'i':
        return number(shown_->sockets().tcp_listening);
    case 'w':
        return number(shown_->sockets().tcp_time_wait);
    case 'd':
        return number(shown_->sockets().udp);
    case 'f':
        return number(values_->frames_in_use);
    case 'r':
        return number(values_->frames_reserved);
    case 'h':
        return number(values_->frames_most);
    case 'q':
        return number(values_->frames_refused);
    case 'z':
        return number(shown_->frames_size());
    default:
        return {};
    }
}

std::string_view status_text::number(std::uint32_t value) noexcept {
    if (value == not_known) {
        return format_->unknown;
    }
    text_writer out(digits_);
    return out.put(value).view();
}

} // namespace programs
