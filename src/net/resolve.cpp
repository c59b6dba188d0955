#include <weft/stack.hpp>

#include <algorithm>

namespace weft {

namespace {

constexpr std::size_t longest_name = 253; // RFC 1035: 255 bytes on the wire
constexpr std::size_t longest_label = 63;

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_text(std::string_view a, std::string_view lower_case) noexcept {
    return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(), [](char x, char y) {
        return lower(x) == y;
    });
}

bool consists_of(std::string_view text, std::string_view characters) noexcept {
    return text.find_first_not_of(characters) == std::string_view::npos;
}

/// What some resolvers read as a part of an address: "300", "0x7f". No top-level domain is one
/// (RFC 1123, 2.1), and what resolvers make of "127.1" differs.
bool is_number(std::string_view label) noexcept {
    if (label.size() >= 2 && label[0] == '0' && lower(label[1]) == 'x') {
        return consists_of(label.substr(2), "0123456789abcdefABCDEF");
    }
    return consists_of(label, "0123456789");
}

/// Whether `label` can be a label of a host's name on every stack: no blanks or control characters,
/// nothing that resolvers read as an escape.
bool is_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= longest_label &&
           std::all_of(label.begin(), label.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte > ' ' && byte != 0x7f && c != '\\' && c != ':';
           });
}

/// `name` has no dot at its end.
bool is_name(std::string_view name) noexcept {
    if (name.size() > longest_name) {
        return false;
    }
    while (true) {
        const std::size_t dot = name.find('.');
        const std::string_view label = name.substr(0, dot);
        if (!is_label(label)) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return !is_number(label);
        }
        name.remove_prefix(dot + 1);
    }
}

/// RFC 6761, 6.3: "localhost" and what ends in it never leave the host.
bool is_localhost(std::string_view name) noexcept {
    constexpr std::string_view localhost = "localhost";
    const std::string_view end = name.substr(name.size() - std::min(name.size(), localhost.size()));
    return same_text(end, localhost) &&
           (name.size() == end.size() || name[name.size() - end.size() - 1] == '.');
}

} // namespace

void name_query::complete(errc outcome) noexcept {
    outcome_ = outcome;
    if (!found_.empty()) {
        outcome_ = errc::ok;
    } else if (outcome == errc::ok) {
        outcome_ = errc::name_no_address;
    }
    state_ = state::done;
    if (suspended()) {
        home().make_ready(*this);
    }
}

bool name_query::answer_here() noexcept {
    if (const result<address> number = address::parse(name_)) {
        add(*number);
        complete(errc::name_no_address);
        return true;
    }
    std::string_view name = name_;
    if (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    if (!is_name(name)) {
        complete(errc::name_not_found);
        return true;
    }
    if (is_localhost(name)) {
        add(address::loopback(family::ipv4));
        add(address::loopback(family::ipv6));
        complete(errc::ok);
        return true;
    }
    return false;
}

void name_query::start() noexcept {
    state_ = state::under_way;
    asked_->start_query(*this);
}

void name_query::forget() noexcept {
    asked_->forget_query(*this);
    state_ = state::done;
}

void resolving::end_as_canceled() noexcept {
    chain().note_interrupted();
    outcome_ = errc::canceled;
}

// What needs no server completes at once; an answer goes through the ready queue, even one that
// the stack had at hand.
bool resolving::wait(std::coroutine_handle<> caller) noexcept {
    const bool may_try = chain().spend();
    if (may_try && answer_here()) {
        return false;
    }
    if (!may_try && chain().canceled()) {
        end_as_canceled();
        return false;
    }
    suspend(caller, &run_now);
    if (may_try) {
        start();
    } else { // others' turn
        home().make_unlinked_ready(*this);
    }
    return true;
}

// Made runnable by the answer, by cancelling, or for its first try. An answer that is there is
// handed over, cancelled or not.
void resolving::run_now(waiter& node) {
    auto& self = static_cast<resolving&>(node);
    if (self.state_ != state::done && self.chain().canceled()) {
        if (self.state_ == state::under_way) {
            self.forget();
        }
        self.end_as_canceled();
        self.resume();
    } else if (self.state_ == state::done) {
        self.resume();
    } else if (self.answer_here()) {
        self.unlink(); // it made itself ready
        self.resume();
    } else {
        self.start();
    }
}

} // namespace weft
