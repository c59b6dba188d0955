#include "usocket/uselect.hpp"

#include <cmath>
#include <new>

namespace uselect {

using weft::errc;
using weft::fail;
using weft::result;

namespace {

weft::duration limit_of(std::int64_t milliseconds) noexcept {
    constexpr std::int64_t most = weft::duration::max().count() / 1'000'000;
    return milliseconds < 0 || milliseconds >= most
               ? weft::duration::max()
               : weft::duration(std::chrono::milliseconds(milliseconds));
}

} // namespace

result<std::size_t> poller::wait(std::int64_t milliseconds, bool one_shot) noexcept {
    if (!set_) {
        return fail(errc::no_memory);
    }
    return set_->wait(limit_of(milliseconds), one_shot);
}

result<ready_list> poller::poll_now(std::int64_t milliseconds) noexcept {
    const result<std::size_t> found = wait(milliseconds, false);
    if (!found) {
        return fail(found.error());
    }
    if (*found == 0) {
        return ready_list();
    }
    std::unique_ptr<ready[]> all(new (std::nothrow) ready[*found]);
    if (!all) {
        return fail(errc::no_memory);
    }
    std::size_t at = 0;
    for (const ready& each : ready_range(*set_)) {
        all[at++] = each;
    }
    return ready_list(std::move(all), at);
}

namespace {

using sockets = std::span<const usocket::socket* const>;

/// Those of `asked` that have one of `bits`.
result<ready_list> among(const ready_list& found, sockets asked, unsigned bits) noexcept {
    if (asked.empty() || found.empty()) {
        return ready_list();
    }
    std::unique_ptr<ready[]> all(new (std::nothrow) ready[asked.size()]);
    if (!all) {
        return fail(errc::no_memory);
    }
    std::size_t count = 0;
    for (const usocket::socket* const each : asked) {
        for (const ready& one : found) {
            if (one.is(*each) && (one.events & bits) != 0) {
                all[count++] = one;
            }
        }
    }
    return ready_list(std::move(all), count);
}

unsigned asked_of(const usocket::socket& s, sockets reading, sockets writing) noexcept {
    unsigned mask = 0;
    for (const usocket::socket* const each : reading) {
        mask |= each->number() == s.number() ? POLLIN : 0;
    }
    for (const usocket::socket* const each : writing) {
        mask |= each->number() == s.number() ? POLLOUT : 0;
    }
    return mask;
}

} // namespace

result<selected> select_now(
    sockets reading, sockets writing, sockets exceptions, std::optional<double> seconds) noexcept {
    if (seconds && !(*seconds >= 0)) {
        return fail(errc::invalid_argument);
    }
    poll_set set;
    for (const sockets each : {reading, writing, exceptions}) {
        for (const usocket::socket* const s : each) {
            const errc added = set.add(s->number(), asked_of(*s, reading, writing));
            if (added != errc::ok) {
                return fail(added);
            }
        }
    }
    std::int64_t milliseconds = -1;
    if (seconds && *seconds < 9e15) {
        milliseconds = static_cast<std::int64_t>(std::ceil(*seconds * 1000));
    }
    const result<std::size_t> found = set.wait(limit_of(milliseconds), false);
    if (!found) {
        return fail(found.error());
    }
    std::unique_ptr<ready[]> all(new (std::nothrow) ready[*found]);
    if (!all) {
        return fail(errc::no_memory);
    }
    std::size_t at = 0;
    for (const ready& each : ready_range(set)) {
        all[at++] = each;
    }
    const ready_list everything(std::move(all), at);
    result<ready_list> in = among(everything, reading, POLLIN);
    result<ready_list> out = among(everything, writing, POLLOUT);
    result<ready_list> rest = among(everything, exceptions, ~(POLLIN | POLLOUT));
    if (!in || !out || !rest) {
        return fail(errc::no_memory);
    }
    return selected{std::move(*in), std::move(*out), std::move(*rest)};
}

} // namespace uselect
