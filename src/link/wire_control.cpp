// The settings of a wire and its counters.
#include "link/wire_parts.hpp"

namespace weft {

wire::end* wire::find(const hardware_address& address) const noexcept {
    end* at = ends_;
    while (at != nullptr && at->address_ != address) {
        at = at->next_;
    }
    return at;
}

wire::path* wire::find(const hardware_address& from, const hardware_address& to) const noexcept {
    end* const receiver = find(to);
    return receiver != nullptr ? receiver->path_from(from) : nullptr;
}

void wire::impair(const impairments& all) noexcept {
    options_.on_every_path = all;
    for (end* to = ends_; to != nullptr; to = to->next_) {
        for (path* way = to->incoming_; way != nullptr; way = way->next) {
            way->settings = all;
        }
    }
}

template <class Change>
result<>
wire::change(const hardware_address& from, const hardware_address& to, Change apply) noexcept {
    path* const way = find(from, to);
    if (way == nullptr) {
        return fail(errc::no_such_entry);
    }
    apply(*way);
    return {};
}

result<> wire::impair(
    const hardware_address& from, const hardware_address& to, const impairments& one_way) noexcept {
    return change(from, to, [&](path& way) { way.settings = one_way; });
}

result<> wire::cut(const hardware_address& from, const hardware_address& to) noexcept {
    return change(from, to, [](path& way) { way.is_cut = true; });
}

result<> wire::mend(const hardware_address& from, const hardware_address& to) noexcept {
    return change(from, to, [](path& way) { way.is_cut = false; });
}

result<> wire::partition(const hardware_address& a, const hardware_address& b) noexcept {
    const result<> there = cut(a, b);
    return there ? cut(b, a) : there;
}

result<> wire::heal(const hardware_address& a, const hardware_address& b) noexcept {
    const result<> there = mend(a, b);
    return there ? mend(b, a) : there;
}

result<> wire::hold(const hardware_address& from, const hardware_address& to) noexcept {
    return change(from, to, [](path& way) { way.holds = true; });
}

result<> wire::release(const hardware_address& from, const hardware_address& to) noexcept {
    result<bool> more = release_one(from, to);
    while (more && *more) {
        more = release_one(from, to);
    }
    return change(from, to, [](path& way) { way.holds = false; });
}

result<bool> wire::release_one(const hardware_address& from, const hardware_address& to) noexcept {
    path* const way = find(from, to);
    if (way == nullptr) {
        return fail(errc::no_such_entry);
    }
    if (way->held.head == nullptr) {
        return false;
    }
    frame& f = way->held.pop_front();
    note(*way, wire_fate::released, f);
    launch(*way, f);
    return true;
}

result<> wire::set_plugged(const hardware_address& address, bool plugged) noexcept {
    end* const at = find(address);
    if (at == nullptr) {
        return fail(errc::no_such_entry);
    }
    at->plugged_ = plugged;
    for (path* way = at->incoming_; !plugged && way != nullptr; way = way->next) {
        discard(*way);
    }
    return {};
}

result<> wire::unplug(const hardware_address& address) noexcept {
    return set_plugged(address, false);
}

result<> wire::plug(const hardware_address& address) noexcept {
    return set_plugged(address, true);
}

std::uint64_t wire::count(wire_fate fate) const noexcept {
    return counts_[static_cast<std::size_t>(fate)];
}

std::uint64_t wire::count(
    wire_fate fate, const hardware_address& from, const hardware_address& to) const noexcept {
    const path* const way = find(from, to);
    return way != nullptr ? way->counts[static_cast<std::size_t>(fate)] : 0;
}

} // namespace weft
