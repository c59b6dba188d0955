#include "usocket/core/poll_set.hpp"

#include "usocket/constants.hpp"
#include "usocket/stream_requests.hpp"

#include <new>
#include <utility>

namespace uselect {

using usocket::handle;
using usocket::handles;
using usocket::object;
using usocket::object_observer;
using weft::errc;
using weft::fail;
using weft::result;

namespace {
constexpr auto between_streams = std::chrono::milliseconds(1);
// Whoever only looks, at nothing, need not turn the loop each time.
constexpr unsigned turn_after_looks = 16;
} // namespace

/// A socket's entry hears of it as an observer; a stream's is always a candidate.
class poll_entry final : public object_observer, public member_place, public candidate_place {
  public:
    poll_entry(poll_set& owner, handle socket, object* its_object, unsigned bits) noexcept
        : object_observer(&told, &owner), set(&owner), number(socket), target(its_object),
          mask(bits) {}
    poll_entry(poll_set& owner, stream& of, unsigned bits) noexcept
        : object_observer(&told, &owner), set(&owner), other(&of), mask(bits) {}

    void may_be_ready() noexcept {
        unasked = true;
        auto& place = static_cast<candidate_place&>(*this);
        if (!place.linked()) {
            set->candidates_.push_back(place);
        }
    }

    /// False: surely nothing, as far as the loop knows. Costs no call to the stack.
    [[nodiscard]] bool may_answer() const noexcept {
        return !spent && (other != nullptr || target == nullptr || target->may_hold(mask));
    }

    unsigned ask(bool behind_a_turn) noexcept {
        if (other != nullptr) {
            int error = 0;
            const std::size_t bits = other->ioctl(usocket::stream_poll, mask, &error);
            return bits == static_cast<std::size_t>(-1) ? POLLNVAL : static_cast<unsigned>(bits);
        }
        if (target == nullptr) {
            return POLLNVAL;
        }
        return behind_a_turn ? target->poll_after_turn(mask) : target->poll(mask);
    }

    void forget_told() noexcept {
        if (target != nullptr) {
            target->forget_told();
        }
    }

    poll_set* set;
    handle number = -1;
    object* target = nullptr; // null: closed meanwhile, or a stream
    stream* other = nullptr;
    unsigned mask;
    unsigned events = 0;
    std::uintptr_t tag = 0;
    bool unasked = false; // since it was told or changed
    bool spent = false;   // reported as one-shot: asks for nothing
    poll_entry* next_ready = nullptr;

  private:
    static void told(object_observer& self, news what) noexcept {
        auto& entry = static_cast<poll_entry&>(self);
        if (what == news::gone) {
            entry.target = nullptr;
        }
        entry.may_be_ready();
    }
};

poll_set::~poll_set() {
    while (!members_.empty()) {
        delete &static_cast<poll_entry&>(members_.pop_front());
    }
}

poll_entry* poll_set::find(handle socket) noexcept {
    if (object* const target = handles::find(socket).target) {
        return static_cast<poll_entry*>(target->observer_of(this));
    }
    poll_entry* found = nullptr; // one that was closed
    members_.for_each([&](member_place& each) {
        auto& entry = static_cast<poll_entry&>(each);
        found = entry.other == nullptr && entry.number == socket ? &entry : found;
    });
    return found;
}

poll_entry* poll_set::find(const stream& object) noexcept {
    poll_entry* found = nullptr;
    members_.for_each([&](member_place& each) {
        auto& entry = static_cast<poll_entry&>(each);
        found = entry.other == &object ? &entry : found;
    });
    return found;
}

namespace {
errc change(poll_entry* entry, unsigned mask) noexcept {
    if (entry == nullptr) {
        return errc::no_such_entry;
    }
    entry->mask = mask;
    entry->spent = false;
    entry->may_be_ready();
    return errc::ok;
}
} // namespace

errc poll_set::add(handle socket, unsigned mask, std::uintptr_t tag) noexcept {
    const handles::found it = handles::find(socket);
    if (it.target == nullptr) {
        return it.why;
    }
    if (poll_entry* const known = find(socket); known != nullptr) {
        known->tag = tag;
        return change(known, mask);
    }
    auto* const home = const_cast<weft::loop*>(it.target->home());
    if (loop_ != nullptr && loop_ != home && size_ != streams_) {
        return errc::invalid_argument;
    }
    auto* const entry = new (std::nothrow) poll_entry(*this, socket, it.target, mask);
    if (entry == nullptr) {
        return errc::no_memory;
    }
    entry->tag = tag;
    loop_ = home;
    ++size_;
    members_.push_back(*entry);
    it.target->observe(*entry);
    entry->may_be_ready();
    return errc::ok;
}

errc poll_set::add(stream& object, unsigned mask) noexcept {
    if (modify(object, mask) == errc::ok) {
        return errc::ok;
    }
    auto* const entry = new (std::nothrow) poll_entry(*this, object, mask);
    if (entry == nullptr) {
        return errc::no_memory;
    }
    ++size_;
    ++streams_;
    members_.push_back(*entry);
    entry->may_be_ready();
    return errc::ok;
}

errc poll_set::modify(handle socket, unsigned mask) noexcept {
    return change(find(socket), mask);
}
errc poll_set::modify(stream& object, unsigned mask) noexcept {
    return change(find(object), mask);
}

void poll_set::erase(poll_entry* entry) noexcept {
    if (entry == nullptr) {
        return;
    }
    for (poll_entry** at = &first_ready_; *at != nullptr; at = &(*at)->next_ready) {
        if (*at == entry) {
            *at = entry->next_ready;
            break;
        }
    }
    --size_;
    streams_ -= entry->other != nullptr ? 1 : 0;
    delete entry;
}

void poll_set::remove(handle socket) noexcept {
    erase(find(socket));
}
void poll_set::remove(stream& object) noexcept {
    erase(find(object));
}

/// Asks those that may be ready; the others stay where they are. `again`: what was found a turn ago
/// still counts, and only those that were told since are asked.
std::size_t poll_set::check(bool one_shot, bool again, bool behind_a_turn) noexcept {
    std::size_t ready = 0;
    poll_entry** last = &first_ready_;
    *last = nullptr;
    candidates_.for_each([&](candidate_place& place) {
        auto& entry = static_cast<poll_entry&>(place);
        if (!again || entry.unasked) {
            const bool found_before = again && entry.events != 0; // then a shot is not spent yet
            entry.unasked = false;
            entry.events = found_before || entry.may_answer() ? entry.ask(behind_a_turn) : 0;
            entry.forget_told();
            entry.spent |= one_shot && entry.events != 0;
        }
        if (entry.events == 0) {
            if (entry.other == nullptr || entry.spent) {
                place.unlink(); // it will be told, or modified
            }
            return;
        }
        entry.next_ready = nullptr;
        *last = &entry;
        last = &entry.next_ready;
        ++ready;
    });
    return ready;
}

result<weft::loop*> poll_set::home() noexcept {
    if (loop_ != nullptr && size_ != streams_) {
        return loop_;
    }
    const result<weft::stack*> net = usocket::thread::here().net();
    if (!net) {
        return fail(net.error());
    }
    return &(*net)->loop();
}

result<std::size_t> poll_set::wait(weft::duration limit, bool one_shot) noexcept {
    const result<weft::loop*> where = home();
    if (!where) {
        return fail(where.error());
    }
    weft::loop& loop = **where;
    usocket::thread& here = usocket::thread::here();
    if (loop.running()) {
        if (limit != weft::duration::zero()) {
            here.explain({"poll() would wait for the loop that it was called from; co_await "
                          "weft::tcp_stream::readable there instead"});
            return fail(errc::would_deadlock);
        }
        return check(one_shot, false, false);
    }
    const bool waits = limit != weft::duration::zero();
    if (!waits && size_ == 0 && !loop.has_services() && ++empty_looks_ % turn_after_looks != 0) {
        return 0;
    }
    weft::time_point deadline = weft::at_once;
    if (waits) {
        deadline = limit == weft::duration::max() ? weft::never
                                                  : weft::deadline_after(loop.read_clock(), limit);
    }
    // With stacks that move only in turns one comes first; else what is known is asked first, and
    // a turn only takes in the rest.
    if (loop.has_services()) {
        if (const errc turned = here.sleep(loop, weft::at_once); turned != errc::ok) {
            return fail(turned);
        }
    }
    // the descriptor is epoll's, whose events are all that holds at that time
    const bool tells_all = !loop.has_services() && loop.sleeper().descriptor() >= 0;
    std::size_t ready = check(one_shot, false, false);
    if (loop.has_services() && (ready != 0 || !waits)) {
        return ready;
    }
    while (true) {
        weft::time_point until = ready != 0 ? weft::at_once : deadline;
        if (streams_ != 0 && ready == 0) {
            const weft::time_point next = weft::deadline_after(loop.read_clock(), between_streams);
            until = next < until ? next : until;
        }
        const errc slept = here.sleep(loop, until);
        if (slept != errc::ok) {
            return fail(slept);
        }
        ready = check(one_shot, ready != 0, tells_all);
        if (ready != 0 || !waits || (deadline != weft::never && loop.read_clock() >= deadline)) {
            return ready;
        }
    }
}

bool poll_set::next(poll_entry*& at, event& into) const noexcept {
    at = at == nullptr ? first_ready_ : at->next_ready;
    if (at == nullptr) {
        return false;
    }
    into = {at->other == nullptr ? at->number : -1, at->other, at->events, at->tag};
    return true;
}

} // namespace uselect
