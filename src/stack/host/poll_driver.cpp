#include "stack/host/drivers.hpp"

#include "stack/host/system_errors.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <poll.h>

namespace weft::host {

namespace {

/// poll(2) is level-triggered: a bit that was told is not asked for again until arm().
class poll_driver final : public descriptor_driver {
  public:
    poll_driver() noexcept : descriptor_driver(false) {}

    result<> open() noexcept {
        if (const result<> opened = wake_.open(); !opened) {
            return opened;
        }
        return append(nullptr, wake_.descriptor(), POLLIN);
    }

    time_point now() noexcept override { return monotonic_now(); }
    poller kind() const noexcept override { return poller::poll; }
    void wake() noexcept override { wake_.wake(); }

    result<> add(descriptor_watch& watch, int descriptor) noexcept override {
        const std::size_t slot = asked_.size();
        if (const result<> added = append(&watch, descriptor, POLLIN | POLLOUT | hang_up_of_peer);
            !added) {
            return added;
        }
        watch.descriptor = descriptor;
        slot_of(descriptor) = slot;
        return {};
    }

    // The last entry takes the free place, at once or, while events are told, afterwards.
    void remove(descriptor_watch& watch) noexcept override {
        if (watch.descriptor < 0) {
            return;
        }
        const std::size_t slot = slot_of(watch.descriptor);
        watch.descriptor = -1;
        watches_[slot] = nullptr;
        asked_[slot].fd = -1;
        if (telling_) {
            holes_ = true;
        } else {
            close_hole(slot);
        }
    }

    void arm(descriptor_watch& watch, unsigned bits) noexcept override {
        if (watch.descriptor < 0) {
            return;
        }
        pollfd& asked = asked_[slot_of(watch.descriptor)];
        short& events = asked.events;
        if ((bits & descriptor_watch::readable) != 0) {
            events = static_cast<short>(events | POLLIN | hang_up_of_peer);
        }
        if ((bits & descriptor_watch::writable) != 0) {
            events = static_cast<short>(events | POLLOUT);
        }
        asked.fd = watch.descriptor;
    }

    bool wait(time_point deadline) noexcept override {
        int left = take(deadline);
        telling_ = true;
        for (std::size_t i = 0; left > 0 && i < asked_.size(); ++i) {
            const short events = asked_[i].revents;
            if (events == 0) {
                continue;
            }
            --left;
            asked_[i].revents = 0;
            if (watches_[i] != nullptr) {
                tell(i, events);
            } else if (i == 0) {
                wake_.drain();
            }
        }
        telling_ = false;
        if (holes_) {
            holes_ = false;
            for (std::size_t i = asked_.size(); i-- > 1;) {
                if (watches_[i] == nullptr) {
                    close_hole(i);
                }
            }
        }
        return true;
    }

  private:
    int take(time_point deadline) noexcept {
        const auto count = static_cast<nfds_t>(asked_.size());
#if defined(__linux__) || defined(__FreeBSD__)
        timespec room;
        return ::ppoll(asked_.data(), count, time_left(deadline, room), nullptr);
#else
        return ::poll(asked_.data(), count, milliseconds_until(deadline));
#endif
    }

#if defined(POLLRDHUP)
    static constexpr short hang_up_of_peer = POLLRDHUP;
#else
    static constexpr short hang_up_of_peer = 0;
#endif

    result<> append(descriptor_watch* watch, int descriptor, short events) noexcept {
        // vectors that cannot grow: the only way they fail, asked for before they change
        const std::size_t numbers =
            std::max(slots_.size(), static_cast<std::size_t>(descriptor) + 1);
        if (!reserve(asked_, asked_.size() + 1) || !reserve(watches_, watches_.size() + 1) ||
            !reserve(slots_, numbers)) {
            return fail(errc::no_memory);
        }
        asked_.push_back({descriptor, events, 0});
        watches_.push_back(watch);
        slots_.resize(numbers);
        return {};
    }

    template <class T>
    static bool reserve(std::vector<T>& v, std::size_t size) noexcept {
        if (size <= v.capacity()) {
            return true;
        }
        const std::size_t room = std::max(size, v.empty() ? std::size_t{64} : v.size() * 2);
#if defined(__cpp_exceptions)
        try {
            v.reserve(room);
        } catch (const std::bad_alloc&) {
            return false;
        }
#else
        v.reserve(room);
#endif
        return true;
    }

    std::size_t& slot_of(int descriptor) noexcept {
        return slots_[static_cast<std::size_t>(descriptor)];
    }

    void close_hole(std::size_t i) noexcept {
        asked_[i] = asked_.back();
        watches_[i] = watches_.back();
        if (watches_[i] != nullptr) {
            slot_of(watches_[i]->descriptor) = i;
        }
        asked_.pop_back();
        watches_.pop_back();
    }

    void tell(std::size_t i, short events) noexcept {
        descriptor_watch& watch = *watches_[i];
        unsigned bits = 0;
        short told = 0;
        if ((events & POLLIN) != 0) {
            bits |= descriptor_watch::readable;
            told |= POLLIN;
        }
        if ((events & POLLOUT) != 0) {
            bits |= descriptor_watch::writable;
            told |= POLLOUT;
        }
        if ((events & hang_up_of_peer) != 0) {
            bits |= descriptor_watch::readable | descriptor_watch::finished;
            told = static_cast<short>(told | POLLIN | hang_up_of_peer);
        }
        if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            bits |= descriptor_watch::readable | descriptor_watch::writable |
                    descriptor_watch::finished | descriptor_watch::failed;
            told = static_cast<short>(POLLIN | POLLOUT | hang_up_of_peer);
            asked_[i].fd = -1; // these come asked for or not: no longer asked at all, until arm()
        }
        asked_[i].events = static_cast<short>(asked_[i].events & ~told);
        watch.happened(watch, bits);
    }

    wake_descriptor wake_;
    std::vector<pollfd> asked_; // the wake descriptor, then one a watch
    std::vector<descriptor_watch*> watches_;
    std::vector<std::size_t> slots_; // of asked_, by descriptor
    bool telling_ = false;
    bool holes_ = false;
};

} // namespace

result<std::unique_ptr<descriptor_driver>> make_poll_driver() noexcept {
    return make_opened<poll_driver>();
}

} // namespace weft::host
