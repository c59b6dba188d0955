#include "link/digest.hpp"
#include "link/wire_recorder.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace weft {

namespace {
bool is_group(const hardware_address& address) noexcept {
    return (address[0] & 1) != 0;
}

std::uint64_t digest_of(std::span<const std::byte> bytes) noexcept {
    digest all;
    all.add(bytes);
    return all.value();
}

/// How long `bytes` keep the line busy, rounded up.
duration line_time(std::size_t bytes, std::uint64_t bits_per_second) noexcept {
    if (bits_per_second == 0) {
        return duration::zero();
    }
    const std::uint64_t scaled = std::uint64_t{bytes} * 8 * 1'000'000'000;
    return duration(static_cast<std::int64_t>((scaled + bits_per_second - 1) / bits_per_second));
}
} // namespace

hardware_address wire::frame::destination() const noexcept {
    hardware_address to;
    std::memcpy(to.data(), bytes(), to.size());
    return to;
}

void wire::path::queue::insert_after(frame* before, frame& f) noexcept {
    f.previous = before;
    f.next = before != nullptr ? before->next : head;
    (f.next != nullptr ? f.next->previous : tail) = &f;
    (before != nullptr ? before->next : head) = &f;
}

wire::frame& wire::path::queue::pop_front() noexcept {
    frame& first = *head;
    head = first.next;
    (head != nullptr ? head->previous : tail) = nullptr;
    return first;
}

// --- sending

result<> wire::send(end& from, std::span<const std::span<const std::byte>> parts) noexcept {
    std::size_t size = 0;
    for (const auto part : parts) {
        size += part.size();
    }
    if (size < link::header_size) {
        return fail(errc::invalid_argument);
    }
    if (size > options_.mtu + link::header_size) {
        note({now_, from.address_, {}, wire_fate::too_long, {}, 0});
        return fail(errc::message_too_long);
    }
    frame* const gathered = take_frame();
    if (gathered == nullptr) {
        note({now_, from.address_, {}, wire_fate::no_memory, {}, 0});
        return fail(errc::no_buffers);
    }
    for (const auto part : parts) {
        if (!part.empty()) {
            std::memcpy(gathered->bytes() + gathered->size, part.data(), part.size());
            gathered->size += part.size();
        }
    }
    gathered->digest = digest_of({gathered->bytes(), size});
    const hardware_address to = gathered->destination();
    if (!is_group(to)) {
        path* const way = find(from.address_, to);
        if (way != nullptr) {
            carry(*way, *gathered);
            return {};
        }
        note(
            {now_,
             from.address_,
             to,
             wire_fate::no_receiver,
             {gathered->bytes(), size},
             gathered->digest});
        give_back(*gathered);
        return {};
    }
    for (end* other = ends_; other != nullptr; other = other->next_) {
        path* const way = other->path_from(from.address_);
        if (way == nullptr) { // itself
            continue;
        }
        if (frame* const copy = copy_frame(*gathered); copy != nullptr) {
            carry(*way, *copy);
        } else {
            note(*way, wire_fate::no_memory, *gathered);
        }
    }
    give_back(*gathered);
    return {};
}

/// Draws the fate of a frame at the entrance of its path. Every decision is drawn each time: a
/// setting that changes leaves the other decisions of the run as they were.
void wire::carry(path& way, frame& f) noexcept {
    note(way, wire_fate::sent, f);
    const bool lost = way.random.chance(way.settings.loss);
    const bool corrupted = way.random.chance(way.settings.corrupt);
    const std::uint64_t flipped = way.random.next();
    const bool duplicated = way.random.chance(way.settings.duplicate);
    if (way.is_cut || lost || !way.receiver.plugged_) {
        note(
            way,
            !way.receiver.plugged_ ? wire_fate::no_receiver
            : way.is_cut           ? wire_fate::cut
                                   : wire_fate::lost,
            f);
        give_back(f);
        return;
    }
    if (corrupted) {
        const std::size_t bit = static_cast<std::size_t>(flipped % (f.size * 8));
        f.bytes()[bit / 8] ^= std::byte{1} << (bit % 8);
        f.digest = digest_of({f.bytes(), f.size});
        note(way, wire_fate::corrupted, f);
    }
    frame* copy = nullptr;
    if (duplicated) {
        copy = copy_frame(f);
        note(way, copy != nullptr ? wire_fate::duplicated : wire_fate::no_memory, f);
    }
    enter(way, f);
    if (copy != nullptr) {
        enter(way, *copy);
    }
}

void wire::enter(path& way, frame& f) noexcept {
    if (way.frames >= way.settings.queue_limit) {
        note(way, wire_fate::queue_full, f);
        give_back(f);
        return;
    }
    ++way.frames;
    if (way.holds) {
        note(way, wire_fate::held, f);
        way.held.push_back(f);
        return;
    }
    launch(way, f);
}

void wire::launch(path& way, frame& f) noexcept {
    const impairments& settings = way.settings;
    const std::int64_t jitter_steps = std::max(settings.jitter, duration::zero()).count();
    const duration jitter(
        static_cast<std::int64_t>(way.random.below(static_cast<std::uint64_t>(jitter_steps) + 1)));
    const bool reordered = way.random.chance(settings.reorder);

    way.line_free_at = deadline_after(
        std::max(now_, way.line_free_at), line_time(f.size, settings.bits_per_second));
    f.arrival = deadline_after(deadline_after(way.line_free_at, settings.delay), jitter);
    f.sequence = ++sequence_;
    if (reordered) {
        f.arrival = deadline_after(f.arrival, settings.reorder_delay);
        note(way, wire_fate::reordered, f);
    } else {
        f.arrival = std::max(f.arrival, way.last_arrival);
        way.last_arrival = f.arrival;
    }
    frame* before = way.travelling.tail;
    while (before != nullptr && before->arrival > f.arrival) {
        before = before->previous;
    }
    way.travelling.insert_after(before, f);
}

// --- receiving

std::size_t wire::receive(end& to, std::span<std::byte> buffer) noexcept {
    for (;;) {
        path* earliest = nullptr;
        for (path* way = to.incoming_; way != nullptr; way = way->next) {
            const frame* const f = way->travelling.head;
            if (f == nullptr || f->arrival > now_) {
                continue;
            }
            const frame* const best = earliest != nullptr ? earliest->travelling.head : nullptr;
            if (best == nullptr || f->arrival < best->arrival ||
                (f->arrival == best->arrival && f->sequence < best->sequence)) {
                earliest = way;
            }
        }
        if (earliest == nullptr) {
            return 0;
        }
        frame& f = earliest->travelling.pop_front();
        --earliest->frames;
        const std::size_t size = f.size;
        const bool fits = size <= buffer.size();
        note(*earliest, fits ? wire_fate::received : wire_fate::too_long, f);
        if (fits) {
            std::memcpy(buffer.data(), f.bytes(), size);
        }
        give_back(f);
        if (earliest->sender_left && earliest->frames == 0) {
            path** link_to = &to.incoming_;
            while (*link_to != earliest) {
                link_to = &(*link_to)->next;
            }
            *link_to = earliest->next;
            delete earliest;
        }
        if (fits) {
            return size;
        }
    }
}

time_point wire::next_arrival(end& to) const noexcept {
    time_point next = never;
    for (path* way = to.incoming_; way != nullptr; way = way->next) {
        if (way->travelling.head != nullptr) {
            next = std::min(next, way->travelling.head->arrival);
        }
    }
    return next <= now_ ? at_once : next;
}

// --- memory

wire::frame* wire::take_frame() noexcept {
    if (frames_ >= options_.frame_limit) {
        return nullptr;
    }
    void* place = spare_;
    if (spare_ != nullptr) {
        spare_ = spare_->next;
    } else {
        place = ::operator new(sizeof(frame) + options_.mtu + link::header_size, std::nothrow);
        if (place == nullptr) {
            return nullptr;
        }
    }
    ++frames_;
    return new (place) frame;
}

wire::frame* wire::copy_frame(const frame& original) noexcept {
    frame* const copy = take_frame();
    if (copy != nullptr) {
        copy->size = original.size;
        copy->digest = original.digest;
        std::memcpy(copy->bytes(), original.bytes(), original.size);
    }
    return copy;
}

void wire::give_back(frame& f) noexcept {
    --frames_;
    f.next = spare_;
    spare_ = &f;
}

// --- ends and their paths

wire::wire(const wire_options& options) noexcept : options_(options) {}

wire::~wire() {
    while (ends_ != nullptr) {
        end& leaving = *ends_;
        detach(leaving);
        leaving.wire_ = nullptr;
    }
    while (spare_ != nullptr) {
        frame* const next = spare_->next;
        ::operator delete(spare_);
        spare_ = next;
    }
}

result<std::unique_ptr<link>> wire::attach(const hardware_address& address) noexcept {
    constexpr std::size_t longest = 65535 - link::header_size;
    if (options_.mtu == 0 || options_.mtu > longest || is_group(address)) {
        return fail(errc::invalid_argument);
    }
    if (find(address) != nullptr) {
        return fail(errc::address_in_use);
    }
    auto* const fresh = new (std::nothrow) end(*this, address);
    if (fresh == nullptr) {
        return fail(errc::no_memory);
    }
    std::unique_ptr<link> owned(fresh);
    end** place = &ends_; // at the tail: a broadcast goes out in the order of attaching
    for (; *place != nullptr; place = &(*place)->next_) {
        end& other = **place;
        if (make_path(address, other) == nullptr || make_path(other.address_, *fresh) == nullptr) {
            return fail(errc::no_memory); // the destructor detaches
        }
    }
    *place = fresh;
    return owned;
}

wire::path* wire::make_path(const hardware_address& from, end& to) noexcept {
    const std::uint64_t seed = seeded_random::mix(
        options_.seed ^ seeded_random::mix(number(from) ^ seeded_random::mix(number(to.address_))));
    path* const way = new (std::nothrow) path(from, to, seed, options_.on_every_path);
    if (way != nullptr) {
        way->next = to.incoming_;
        to.incoming_ = way;
    }
    return way;
}

/// Frees what goes to an end, and marks what comes from it: its last words still arrive.
void wire::detach(end& leaving) noexcept {
    for (end** at = &ends_; *at != nullptr; at = &(*at)->next_) {
        if (*at == &leaving) {
            *at = leaving.next_;
            break;
        }
    }
    while (leaving.incoming_ != nullptr) {
        path* const way = leaving.incoming_;
        leaving.incoming_ = way->next;
        discard(*way);
        delete way;
    }
    for (end* other = ends_; other != nullptr; other = other->next_) {
        for (path** at = &other->incoming_; *at != nullptr;) {
            path& way = **at;
            way.sender_left = way.sender_left || way.from == leaving.address_;
            if (way.sender_left && way.frames == 0) {
                *at = way.next;
                delete &way;
            } else {
                at = &way.next;
            }
        }
    }
}

void wire::discard(path& way) noexcept {
    for (path::queue* queue : {&way.held, &way.travelling}) {
        while (queue->head != nullptr) {
            frame& f = queue->pop_front();
            note(way, wire_fate::no_receiver, f);
            give_back(f);
        }
    }
    way.frames = 0;
}

} // namespace weft
